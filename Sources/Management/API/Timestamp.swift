import FoundationEssentials
package import Media

/// A wall-clock instant as JSON shows it: `2026-03-01T12:00:00.000Z` (RFC 3339, UTC, milliseconds).
package struct Timestamp: Codable, Sendable, Hashable {
    package let time: WallTime

    package init(_ time: WallTime) {
        self.time = time
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        guard let date = try? Self.format.parse(text) else {
            throw DecodingError.dataCorruptedError(
                in: container,
                debugDescription: "'\(text)' is not an RFC 3339 time with milliseconds"
            )
        }
        let milliseconds = Int64((date.timeIntervalSince1970 * 1_000).rounded())
        time = WallTime(microsecondsSinceEpoch: milliseconds * 1_000)
    }

    package func encode(to encoder: any Encoder) throws {
        let date = Date(timeIntervalSince1970: Double(time.microsecondsSinceEpoch) / 1_000_000)
        var container = encoder.singleValueContainer()
        try container.encode(Self.format.format(date))
    }

    private static let format = Date.ISO8601FormatStyle(includingFractionalSeconds: true)
}

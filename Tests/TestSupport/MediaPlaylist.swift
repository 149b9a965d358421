import Foundation

/// A media playlist read back from its text, by a parser that shares nothing with the writer.
///
/// Source: RFC 8216bis, 4.4.
package struct MediaPlaylist: Sendable {
    package struct Part: Sendable, Equatable {
        package var duration: Double
        package var uri: String
        package var isIndependent: Bool
    }

    package struct Segment: Sendable, Equatable {
        package var mediaSequence: Int
        package var duration: Double
        package var uri: String
        package var parts: [Part]
        package var map: String?
        package var programDateTime: String?
        package var isDiscontinuity: Bool

        /// `programDateTime` in seconds since 1970.
        package var date: Double? {
            let style = Date.ISO8601FormatStyle(includingFractionalSeconds: true)
            return programDateTime.flatMap { try? style.parse($0) }?.timeIntervalSince1970
        }
    }

    package struct Malformed: Error {
        package let line: String
    }

    package private(set) var text = ""
    package private(set) var version = 1
    package private(set) var targetDuration = 0
    package private(set) var partTarget: Double?
    package private(set) var serverControl: [String: String] = [:]
    package private(set) var mediaSequence = 0
    package private(set) var discontinuitySequence = 0
    package private(set) var skippedSegments: Int?
    package private(set) var segments: [Segment] = []
    /// Parts of the segment that is still open.
    package private(set) var openParts: [Part] = []
    package private(set) var hintedPart: String?
    package private(set) var reports: [[String: String]] = []
    package private(set) var isEnded = false

    /// What the names in the playlist at `path` are relative to.
    package static func folder(of path: String) -> Substring {
        path[...(path.lastIndex(of: "/") ?? path.startIndex)]
    }

    package init(_ text: String) throws {
        guard text.hasPrefix("#EXTM3U\n") else { throw Malformed(line: String(text.prefix(80))) }
        self.text = text
        var next = Segment(
            mediaSequence: 0,
            duration: 0,
            uri: "",
            parts: [],
            map: nil,
            programDateTime: nil,
            isDiscontinuity: false
        )
        var map: String?
        for line in text.split(separator: "\n").dropFirst() {
            let (tag, value) = Self.split(line)
            let attributes = Self.attributes(value)
            switch tag {
            case "#EXT-X-VERSION": version = try Self.integer(value)
            case "#EXT-X-TARGETDURATION": targetDuration = try Self.integer(value)
            case "#EXT-X-PART-INF": partTarget = Double(attributes["PART-TARGET"] ?? "")
            case "#EXT-X-SERVER-CONTROL": serverControl = attributes
            case "#EXT-X-MEDIA-SEQUENCE": mediaSequence = try Self.integer(value)
            case "#EXT-X-DISCONTINUITY-SEQUENCE":
                discontinuitySequence = try Self.integer(value)
            case "#EXT-X-SKIP":
                skippedSegments = try Self.integer(Substring(attributes["SKIPPED-SEGMENTS"] ?? ""))
            case "#EXT-X-MAP": map = attributes["URI"]
            case "#EXT-X-PROGRAM-DATE-TIME": next.programDateTime = String(value)
            case "#EXT-X-DISCONTINUITY": next.isDiscontinuity = true
            case "#EXT-X-PART":
                guard let duration = Double(attributes["DURATION"] ?? ""),
                    let uri = attributes["URI"]
                else { throw Malformed(line: String(line)) }
                next.parts.append(
                    Part(
                        duration: duration,
                        uri: uri,
                        isIndependent: attributes["INDEPENDENT"] == "YES"
                    )
                )
            case "#EXTINF":
                guard let duration = Double(value.split(separator: ",")[0]) else {
                    throw Malformed(line: String(line))
                }
                next.duration = duration
            case "#EXT-X-PRELOAD-HINT":
                if attributes["TYPE"] == "PART" { hintedPart = attributes["URI"] }
            case "#EXT-X-RENDITION-REPORT": reports.append(attributes)
            case "#EXT-X-ENDLIST": isEnded = true
            case "", "#EXT-X-I-FRAMES-ONLY", "#EXT-X-BYTERANGE": break
            default:
                guard !line.hasPrefix("#") else { throw Malformed(line: String(line)) }
                next.uri = String(line)
                next.map = map
                next.mediaSequence = mediaSequence + (skippedSegments ?? 0) + segments.count
                segments.append(next)
                next.parts = []
                next.programDateTime = nil
                next.isDiscontinuity = false
            }
        }
        openParts = next.parts
    }

    /// The media sequence number of the segment that the next part belongs to.
    package var openMediaSequence: Int {
        mediaSequence + (skippedSegments ?? 0) + segments.count
    }

    package var allParts: [Part] { segments.flatMap(\.parts) + openParts }

    /// The full text of a delta update, put together from it and from an older full playlist: the
    /// skipped segments' lines come from the older one.
    ///
    /// Source: RFC 8216bis, 6.3.7.
    package func expanded(with older: MediaPlaylist) throws -> String {
        guard let skippedSegments else { return text }
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        guard let skip = lines.firstIndex(where: { $0.hasPrefix("#EXT-X-SKIP:") }) else {
            return text
        }
        let missing = try older.lines(
            from: mediaSequence,
            count: skippedSegments
        )
        return (lines[..<skip] + missing + lines[(skip + 1)...]).joined(separator: "\n")
    }

    /// The lines of some segments, without their parts' lines (parts of skipped segments are not
    /// carried over when they left the full playlist).
    private func lines(from first: Int, count: Int) throws -> [Substring] {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: true)
        var found: [Substring] = []
        var current: [Substring] = []
        var sequence = mediaSequence
        for line in lines {
            let (tag, _) = Self.split(line)
            switch tag {
            case "#EXT-X-PART": break
            case "#EXTINF", "#EXT-X-PROGRAM-DATE-TIME", "#EXT-X-DISCONTINUITY", "#EXT-X-MAP":
                current.append(line)
            default:
                guard !line.hasPrefix("#") else { continue }
                current.append(line)
                if sequence >= first, sequence < first + count { found += current }
                current = []
                sequence += 1
            }
        }
        guard sequence >= first + count, first >= mediaSequence else {
            throw Malformed(line: "the older playlist does not hold the skipped segments")
        }
        return found
    }

    private static func split(_ line: Substring) -> (tag: String, value: Substring) {
        guard line.hasPrefix("#") else { return ("-", line) }
        guard let colon = line.firstIndex(of: ":") else { return (String(line), "") }
        return (String(line[..<colon]), line[line.index(after: colon)...])
    }

    private static func integer(_ text: Substring) throws -> Int {
        guard let value = Int(text) else { throw Malformed(line: String(text)) }
        return value
    }

    /// An attribute list: names, and values with their quotes taken off.
    ///
    /// Source: RFC 8216bis, 4.2.
    package static func attributes(_ list: Substring) -> [String: String] {
        var attributes: [String: String] = [:]
        var rest = list
        while let equals = rest.firstIndex(of: "=") {
            let name = String(rest[..<equals])
            rest = rest[rest.index(after: equals)...]
            if rest.first == "\"" {
                rest = rest.dropFirst()
                let end = rest.firstIndex(of: "\"") ?? rest.endIndex
                attributes[name] = String(rest[..<end])
                rest = rest[end...].dropFirst()
            } else {
                let end = rest.firstIndex(of: ",") ?? rest.endIndex
                attributes[name] = String(rest[..<end])
                rest = rest[end...]
            }
            if rest.first == "," { rest = rest.dropFirst() }
        }
        return attributes
    }
}

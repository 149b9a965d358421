/// The name under which a stream is published and watched.
///
/// Shape: `[A-Za-z0-9][A-Za-z0-9_-]{0,63}`. A value of this type is safe in a URL path, in a file
///        name, in a log line and as a metric label; nothing else may be used for those.
package struct StreamName: Sendable, Hashable, Comparable, CustomStringConvertible {
    package static let maximumLength = 64

    package let description: String

    /// - Returns: `nil` when the text is not a stream name.
    package init?(_ text: some StringProtocol) {
        let bytes = text.utf8
        guard !bytes.isEmpty, bytes.count <= Self.maximumLength,
            let first = bytes.first, Self.isAlphanumeric(first),
            bytes.allSatisfy({ byte in
                Self.isAlphanumeric(byte) || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "-")
            })
        else { return nil }
        description = String(text)
    }

    package static func < (lhs: StreamName, rhs: StreamName) -> Bool {
        lhs.description < rhs.description
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"),
            UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "a")...UInt8(ascii: "z"):
            true
        default:
            false
        }
    }
}

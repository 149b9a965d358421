/// A stream name, or a pattern of names: `*` stands for any run of characters, `?` for any one.
package struct StreamPattern: Sendable, Equatable, CustomStringConvertible {
    package let description: String

    /// - Returns: `nil` when the text could match no stream name.
    package init?(_ text: String) {
        let isName = { (byte: UInt8) in
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"),
                UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "a")...UInt8(ascii: "z"),
                UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "*"), UInt8(ascii: "?"):
                true
            default:
                false
            }
        }
        guard !text.isEmpty, text.utf8.count <= StreamName.maximumLength,
            text.utf8.allSatisfy(isName)
        else { return nil }
        description = text
    }

    /// Takes at most pattern length times name length steps: after a mismatch only the last `*` seen
    /// takes one character more.
    package func matches(_ name: StreamName) -> Bool {
        let pattern = Array(description.utf8)
        let text = Array(name.description.utf8)
        var position = 0
        var index = 0
        var retry: (position: Int, index: Int)?
        while index < text.count {
            if position < pattern.count, pattern[position] == UInt8(ascii: "*") {
                retry = (position, index)
                position += 1
            } else if position < pattern.count,
                pattern[position] == UInt8(ascii: "?") || pattern[position] == text[index]
            {
                position += 1
                index += 1
            } else if let last = retry {
                retry = (last.position, last.index + 1)
                position = last.position + 1
                index = last.index + 1
            } else {
                return false
            }
        }
        return pattern[position...].allSatisfy { $0 == UInt8(ascii: "*") }
    }
}

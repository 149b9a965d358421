/// The part of a representation that a `Range` header asks for.
///
/// Anything that need not be understood is answered with the whole: another unit, several ranges, or a
/// malformed header.
/// Source: RFC 9110, 14.1.2 (byte ranges), 14.2 (Range).
package enum ByteRange: Sendable, Equatable {
    case whole
    /// Not empty, and within the representation.
    case part(Range<Int>)
    /// Well formed, but nothing of it lies within the representation: 416.
    case unsatisfiable

    package init(header: String?, length: Int) {
        self = header.flatMap { Self.parse($0, length: length) } ?? .whole
    }

    private static func parse(_ header: String, length: Int) -> ByteRange? {
        guard let equals = header.firstIndex(of: "="),
            header[..<equals].lowercased() == "bytes"
        else { return nil }
        let specification = header[header.index(after: equals)...].trimmingSpaces()
        guard let dash = specification.firstIndex(of: "-") else { return nil }
        let first = specification[..<dash]
        let last = specification[specification.index(after: dash)...]

        if first.isEmpty {
            guard let suffix = number(last) else { return nil }
            guard suffix > 0, length > 0 else { return .unsatisfiable }
            return .part(max(0, length - suffix)..<length)
        }
        guard let start = number(first) else { return nil }
        guard !last.isEmpty else {
            return start < length ? .part(start..<length) : .unsatisfiable
        }
        guard let end = number(last), start <= end else { return nil }
        return start < length ? .part(start..<min(end, length - 1) + 1) : .unsatisfiable
    }

    /// Digits only; a number too large for the machine is as good as the largest.
    private static func number(_ text: Substring) -> Int? {
        guard !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
            return nil
        }
        return Int(text) ?? .max
    }
}

extension Substring {
    /// Without the optional white space of RFC 9110, 5.6.3.
    func trimmingSpaces() -> Substring {
        let isSpace: (Character) -> Bool = { $0 == " " || $0 == "\t" }
        var text = drop(while: isSpace)
        while let last = text.last, isSpace(last) { text.removeLast() }
        return text
    }
}

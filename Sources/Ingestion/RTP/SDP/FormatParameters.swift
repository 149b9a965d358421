/// The parameters of an `a=fmtp:` line: `name=value` between semicolons, names in any case.
struct FormatParameters {
    private static let limit = 64

    private var values: [String: Substring] = [:]

    init(_ text: Substring) {
        for part in text.split(separator: ";", maxSplits: Self.limit) {
            let trimmed = part.trimmingSpaces
            let (name, value) = trimmed.cut(at: "=") ?? (trimmed, "")
            if !name.isEmpty { values[name.trimmingSpaces.lowercased()] = value.trimmingSpaces }
        }
    }

    subscript(name: String) -> Substring? { values[name] }

    /// A number that is not negative.
    ///
    /// - Returns: `nil` when there is none.
    func integer(_ name: String) throws(MalformedParameter) -> Int? {
        guard let text = values[name] else { return nil }
        guard let value = Int(text), (0...Int(Int32.max)).contains(value) else {
            throw MalformedParameter()
        }
        return value
    }

    /// Bytes as pairs of hexadecimal digits.
    func hexadecimal(_ name: String) throws(MalformedParameter) -> [UInt8]? {
        guard let text = values[name] else { return nil }
        let digits = text.filter { $0 != "\"" }.compactMap(\.hexDigitValue)
        // Some senders leave out the last digit, when only zero bits are missing.
        guard digits.count >= text.filter({ $0 != "\"" }).count else { throw MalformedParameter() }
        return stride(from: 0, to: digits.count, by: 2).map { index in
            let low = index + 1 < digits.count ? digits[index + 1] : 0
            return UInt8(truncatingIfNeeded: digits[index] << 4 | low)
        }
    }

    /// NAL units in Base64, between commas.
    func units(_ name: String) throws(MalformedParameter) -> [[UInt8]] {
        guard let text = values[name] else { return [] }
        var units: [[UInt8]] = []
        for part in text.split(separator: ",", maxSplits: Self.limit) {
            guard let unit = decodeBase64(part.trimmingSpaces) else { throw MalformedParameter() }
            if !unit.isEmpty { units.append(unit) }
        }
        return units
    }
}

/// A format parameter is not what its encoding asks for.
struct MalformedParameter: Error {
    var reason = SessionDescriptionError.Reason.malformedParameters
}

/// Decodes Base64 with or without its padding.
///
/// - Returns: `nil` when a character is none of the alphabet.
/// Source: RFC 4648, 4.
private func decodeBase64(_ text: Substring) -> [UInt8]? {
    var bytes: [UInt8] = []
    var bits: UInt32 = 0
    var bitCount = 0
    for character in text.utf8 where character != UInt8(ascii: "=") {
        let value: UInt8
        switch character {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): value = character - UInt8(ascii: "A")
        case UInt8(ascii: "a")...UInt8(ascii: "z"): value = character - UInt8(ascii: "a") + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): value = character - UInt8(ascii: "0") + 52
        case UInt8(ascii: "+"): value = 62
        case UInt8(ascii: "/"): value = 63
        default: return nil
        }
        bits = bits << 6 | UInt32(value)
        bitCount += 6
        if bitCount >= 8 {
            bitCount -= 8
            bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(bitCount)))
        }
    }
    return bytes
}

/// The last path component of a media URI: `{epoch}-init{v}.mp4`, `{epoch}-seg{msn}.m4s`,
/// `{epoch}-part{n}.m4s`.
///
/// A resource has exactly one name: numbers are decimal without leading zeros, and nothing else is
/// taken, so a name from the network is never more than a key.
package enum ResourceName: Sendable, Hashable {
    case initialization(UInt64)
    case segment(UInt64)
    case part(UInt64)

    /// `nil` when the text is not a name of this epoch.
    package init?(_ text: String, epoch: String) {
        guard text.hasPrefix(epoch) else { return nil }
        let name = text.utf8.dropFirst(epoch.utf8.count)
        if let number = Self.number(in: name, after: "-part", before: ".m4s") {
            self = .part(number)
        } else if let number = Self.number(in: name, after: "-seg", before: ".m4s") {
            self = .segment(number)
        } else if let number = Self.number(in: name, after: "-init", before: ".mp4") {
            self = .initialization(number)
        } else {
            return nil
        }
    }

    package func text(epoch: String) -> String {
        switch self {
        case .initialization(let version): "\(epoch)-init\(version).mp4"
        case .segment(let mediaSequence): "\(epoch)-seg\(mediaSequence).m4s"
        case .part(let number): "\(epoch)-part\(number).m4s"
        }
    }

    private static func number(
        in name: Substring.UTF8View,
        after prefix: StaticString,
        before suffix: StaticString
    ) -> UInt64? {
        let prefix = prefix.description.utf8
        let suffix = suffix.description.utf8
        let length = name.count - prefix.count - suffix.count
        guard length > 0, name.starts(with: prefix) else { return nil }
        let digits = name.dropFirst(prefix.count).prefix(length)
        guard name.dropFirst(prefix.count + length).elementsEqual(suffix),
            digits.count == 1 || digits.first != UInt8(ascii: "0")
        else { return nil }
        return UInt64(decimalDigits: digits)
    }
}

extension UInt64 {
    /// ASCII digits; `nil` for anything else, a sign or a space, and for numbers over 64 bits.
    init?(decimalDigits digits: some Collection<UInt8>) {
        guard !digits.isEmpty else { return nil }
        var value: UInt64 = 0
        for byte in digits {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
            let (tens, isTooLarge) = value.multipliedReportingOverflow(by: 10)
            let (sum, overflows) = tens.addingReportingOverflow(UInt64(byte - UInt8(ascii: "0")))
            guard !isTooLarge, !overflows else { return nil }
            value = sum
        }
        self = value
    }
}

import Media
import NIOCore

/// Bytes of elementary streams, written as text.
enum ElementaryStreamBytes {
    /// Two digits a byte; spaces do not count.
    static func hex(_ text: String) -> [UInt8] {
        let digits = text.filter { !$0.isWhitespace }.compactMap(\.hexDigitValue)
        return stride(from: 0, to: digits.count - 1, by: 2).map {
            UInt8(digits[$0] << 4 | digits[$0 + 1])
        }
    }

    /// One digit a bit, the last byte padded with zeros; spaces do not count.
    static func bits(_ text: String) -> [UInt8] {
        let digits = text.filter { !$0.isWhitespace }.compactMap(\.wholeNumberValue)
        return stride(from: 0, to: digits.count, by: 8).map { start in
            (0..<8).reduce(0) { byte, index in
                let digit = start + index < digits.count ? digits[start + index] : 0
                return byte << 1 | UInt8(digit)
            }
        }
    }

    /// `value` in `width` binary digits.
    static func binary(_ value: Int, _ width: Int) -> String {
        String((0..<width).map { value >> (width - 1 - $0) & 1 == 1 ? "1" : "0" })
    }

    /// NAL units, given in hexadecimal, behind start codes.
    static func annexB(_ units: String...) -> [UInt8] {
        units.flatMap { [0, 0, 0, 1] + hex($0) }
    }

    /// NAL units, given in hexadecimal, behind their lengths.
    static func lengthPrefixed(_ units: String...) -> [UInt8] {
        units.flatMap { unit in
            let bytes = hex(unit)
            return [0, 0, UInt8(bytes.count >> 8), UInt8(bytes.count & 0xFF)] + bytes
        }
    }
}

extension ByteBuffer {
    var bytes: [UInt8] { Array(readableBytesView) }
}

extension VideoBitstreamParser {
    mutating func parse(_ bytes: [UInt8]) -> [VideoUnit] {
        parse(bytes.span)
    }
}

extension AudioBitstreamParser {
    mutating func parse(_ bytes: [UInt8], at ticks: Int64?) -> [AudioUnit] {
        parse(bytes.span, pts: ticks.map { MediaTime(mpegTicks: $0) })
    }
}

/// The byte stream format of H.264 and HEVC: units between start codes `00 00 01`.
///
/// Source: ITU-T H.264 Annex B and 7.4.1 (emulation prevention); the same in ITU-T H.265.
enum AnnexB {
    /// Units in one access unit; what comes after is ignored.
    ///
    /// Real streams stay far below.
    static let unitLimit = 4096

    /// What is looked at as a whole for two zeros in a row.
    private static let blockByteCount = 256

    /// Finds the units of a byte stream.
    ///
    /// Bytes before the first start code are not part of any. `ranges` is cleared and filled with
    /// the place of each unit that is not empty; `trimmingZeros` leaves out `trailing_zero_8bits`
    /// (a NAL unit never ends in zero).
    static func split(
        _ bytes: Span<UInt8>,
        trimmingZeros: Bool = true,
        into ranges: inout [Range<Int>]
    ) {
        ranges.removeAll(keepingCapacity: true)
        bytes.withUnsafeBytes { bytes in
            var start: Int?
            while ranges.count < unitLimit,
                let zeros = firstZeros(before: 1, in: bytes, from: start ?? 0)
            {
                if let start { append(start..<zeros, of: bytes, trimmingZeros, to: &ranges) }
                start = zeros + 3
            }
            if let start, ranges.count < unitLimit {
                append(start..<bytes.count, of: bytes, trimmingZeros, to: &ranges)
            }
        }
    }

    /// Hands on the pieces of a unit between its emulation prevention bytes (the 3 of `00 00 03`).
    static func forEachUnescapedChunk(
        of bytes: Span<UInt8>,
        _ body: (UnsafeRawBufferPointer) -> Void
    ) {
        bytes.withUnsafeBytes { bytes in
            var start = 0
            while let zeros = firstZeros(before: 3, in: bytes, from: start) {
                body(UnsafeRawBufferPointer(rebasing: bytes[start..<zeros + 2]))
                start = zeros + 3
            }
            if start < bytes.count { body(UnsafeRawBufferPointer(rebasing: bytes[start...])) }
        }
    }

    /// With emulation prevention bytes: what begins behind two zeros is above 3.
    static func escaped(_ bytes: [UInt8]) -> [UInt8] {
        var escaped: [UInt8] = []
        for byte in bytes {
            if byte <= 3, escaped.suffix(2) == [0, 0] { escaped.append(3) }
            escaped.append(byte)
        }
        return escaped
    }

    private static func append(
        _ range: Range<Int>,
        of bytes: UnsafeRawBufferPointer,
        _ trimmingZeros: Bool,
        to ranges: inout [Range<Int>]
    ) {
        var end = range.upperBound
        while trimmingZeros, end > range.lowerBound, bytes[end - 1] == 0 { end -= 1 }
        if end > range.lowerBound { ranges.append(range.lowerBound..<end) }
    }

    /// The first place from `start` on of two zeros with `third` behind them.
    ///
    /// Blocks without two zeros in a row, nearly all of a stream, are passed eight bytes at a time. That
    /// is two and a half times as fast as `memchr`, which stops at every `third`.
    private static func firstZeros(
        before third: UInt8,
        in bytes: UnsafeRawBufferPointer,
        from start: Int
    ) -> Int? {
        guard let base = bytes.baseAddress else { return nil }
        var position = start
        // Of a block's last byte it is the next that tells.
        while position + blockByteCount < bytes.count {
            let end = position + blockByteCount
            if hasTwoZeros(base + position) {
                for zeros in position..<min(end, bytes.count - 2)
                where isMatch(at: zeros) { return zeros }
            }
            position = end
        }
        while position + 2 < bytes.count {
            if isMatch(at: position) { return position }
            position += 1
        }
        return nil

        func isMatch(at index: Int) -> Bool {
            bytes[index] == 0 && bytes[index + 1] == 0 && bytes[index + 2] == third
        }
    }

    /// Whether two zeros in a row begin in the block, which one more byte follows.
    private static func hasTwoZeros(_ block: UnsafeRawPointer) -> Bool {
        var borrows: UInt64 = 0
        for offset in stride(from: 0, to: blockByteCount, by: 8) {
            // A byte of it is zero where two in a row are; only such a byte, or one above it, borrows.
            let pairs =
                block.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
                | block.loadUnaligned(fromByteOffset: offset + 1, as: UInt64.self)
            borrows |= (pairs &- 0x0101_0101_0101_0101) & ~pairs
        }
        return borrows & 0x8080_8080_8080_8080 != 0
    }
}

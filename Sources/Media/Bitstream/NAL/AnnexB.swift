import Glibc

/// The byte stream format of H.264 and HEVC: units between start codes `00 00 01`.
///
/// Source: ITU-T H.264 Annex B and 7.4.1 (emulation prevention); the same in ITU-T H.265.
enum AnnexB {
    /// Units in one access unit; what comes after is ignored.
    ///
    /// Real streams stay far below.
    static let unitLimit = 4096

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
        bytes.withUnsafeBufferPointer { bytes in
            var start: Int?
            var search = 2
            while ranges.count < unitLimit, let one = firstIndex(of: 1, in: bytes, from: search) {
                search = one + 1
                guard bytes[one - 1] == 0, bytes[one - 2] == 0 else { continue }
                if let start {
                    append(start..<(one - 2), of: bytes, trimmingZeros, to: &ranges)
                }
                start = one + 1
                search = one + 3
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
        bytes.withUnsafeBufferPointer { bytes in
            let raw = UnsafeRawBufferPointer(bytes)
            var chunkStart = 0
            var search = 2
            while let three = firstIndex(of: 3, in: bytes, from: search) {
                search = three + 1
                guard bytes[three - 1] == 0, bytes[three - 2] == 0 else { continue }
                body(UnsafeRawBufferPointer(rebasing: raw[chunkStart..<three]))
                chunkStart = three + 1
                search = three + 3
            }
            if chunkStart < raw.count {
                body(UnsafeRawBufferPointer(rebasing: raw[chunkStart...]))
            }
        }
    }

    private static func append(
        _ range: Range<Int>,
        of bytes: UnsafeBufferPointer<UInt8>,
        _ trimmingZeros: Bool,
        to ranges: inout [Range<Int>]
    ) {
        var end = range.upperBound
        while trimmingZeros, end > range.lowerBound, bytes[end - 1] == 0 { end -= 1 }
        if end > range.lowerBound { ranges.append(range.lowerBound..<end) }
    }

    /// `memchr` finds a byte several times faster than a loop the compiler can make of this.
    private static func firstIndex(
        of byte: UInt8,
        in bytes: UnsafeBufferPointer<UInt8>,
        from start: Int
    ) -> Int? {
        guard start < bytes.count, let base = bytes.baseAddress,
            let found = memchr(base + start, Int32(byte), bytes.count - start)
        else { return nil }
        return UnsafeRawPointer(base).distance(to: UnsafeRawPointer(found))
    }
}

/// The checksum of sections, CRC-32/MPEG-2: 0 over a section with its own.
///
/// Shape: polynomial 0x04C11DB7, from all ones, most significant bit first, not inverted.
///
/// Source: ISO/IEC 13818-1, Annex A.
package enum CRC32MPEG2 {
    private static let table: [UInt32] = (0..<256).map { index in
        (0..<8).reduce(UInt32(index) << 24) { value, _ in
            value & 0x8000_0000 != 0 ? value << 1 ^ 0x04C1_1DB7 : value << 1
        }
    }

    package static func checksum(_ bytes: Span<UInt8>) -> UInt32 {
        var value: UInt32 = 0xFFFF_FFFF
        for index in bytes.indices {
            value = value << 8 ^ table[Int(UInt8(truncatingIfNeeded: value >> 24) ^ bytes[index])]
        }
        return value
    }
}

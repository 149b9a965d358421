import NIOCore

/// Writes big-endian bit fields; the last byte is padded with zero bits.
struct BitWriter {
    private(set) var bytes: [UInt8] = []
    private var bitsInLastByte = 8

    var buffer: ByteBuffer { ByteBuffer(bytes: bytes) }

    /// Writes the low `count` bits of `value`, 0 to 32.
    mutating func write(_ value: Int, bits count: Int) {
        for shift in stride(from: count - 1, through: 0, by: -1) {
            if bitsInLastByte == 8 {
                bytes.append(0)
                bitsInLastByte = 0
            }
            if value >> shift & 1 == 1 {
                bytes[bytes.count - 1] |= 0x80 >> UInt8(bitsInLastByte)
            }
            bitsInLastByte += 1
        }
    }

    mutating func write(_ flag: Bool) {
        write(flag ? 1 : 0, bits: 1)
    }

    mutating func alignToByte() {
        bitsInLastByte = 8
    }
}

import NIOCore

/// A box type, or any other four characters that ISO base media files know things by.
struct FourCC: Sendable, Hashable, ExpressibleByStringLiteral {
    let rawValue: UInt32

    /// The first four bytes of the literal, in the order they are read.
    init(stringLiteral literal: StaticString) {
        rawValue = literal.withUTF8Buffer { bytes in
            bytes.prefix(4).reduce(0) { $0 << 8 | UInt32($1) }
        }
    }
}

/// Writes boxes straight into one buffer; a box's size is filled in once its body is written.
///
/// Layout: 32-bit size, type, body; a full box has an 8-bit version and 24 flags before its body.
///         All integers are big-endian.
/// Source: ISO/IEC 14496-12, 4.2.
struct BoxWriter {
    private(set) var buffer: ByteBuffer

    /// - Parameter capacity: Reserved at once; writing no more than this never moves the bytes.
    init(capacity: Int) {
        buffer = ByteBufferAllocator().buffer(capacity: capacity)
    }

    var position: Int { buffer.writerIndex }

    mutating func box(_ type: FourCC, _ body: (inout BoxWriter) -> Void) {
        let start = position
        write(UInt32(0))
        write(type.rawValue)
        body(&self)
        patch(UInt32(clamping: position - start), at: start)
    }

    /// The start of a box whose body is elsewhere.
    mutating func header(_ type: FourCC, bodyByteCount: Int) {
        write(UInt32(clamping: 8 + bodyByteCount))
        write(type.rawValue)
    }

    mutating func fullBox(
        _ type: FourCC,
        version: UInt8 = 0,
        flags: UInt32 = 0,
        _ body: (inout BoxWriter) -> Void
    ) {
        box(type) { box in
            box.write(UInt32(version) << 24 | flags & 0xFF_FFFF)
            body(&box)
        }
    }

    mutating func write(_ value: some FixedWidthInteger) {
        buffer.writeInteger(value)
    }

    mutating func write(_ bytes: ByteBuffer) {
        buffer.writeImmutableBuffer(bytes)
    }

    mutating func writeZeros(_ count: Int) {
        buffer.writeRepeatingByte(0, count: count)
    }

    /// Overwrites four bytes that were written before.
    mutating func patch(_ value: UInt32, at position: Int) {
        buffer.setInteger(value, at: position)
    }
}

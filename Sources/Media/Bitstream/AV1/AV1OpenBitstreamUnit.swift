import NIOCore

/// Where one OBU lies, and what its header says.
///
/// Source: AV1 Bitstream & Decoding Process Specification, 5.3.
struct AV1OpenBitstreamUnit: Sendable {
    /// Source: 6.2.2.
    enum Kind {
        static let sequenceHeader: UInt8 = 1
        static let temporalDelimiter: UInt8 = 2
        static let frameHeader: UInt8 = 3
        static let metadata: UInt8 = 5
        static let frame: UInt8 = 6
        static let tileList: UInt8 = 8
        static let padding: UInt8 = 15
    }

    let kind: UInt8
    /// The header byte, and the one of its extension when there is one.
    let header: (first: UInt8, extension: UInt8?)
    let payload: Range<Int>

    /// Reads the OBU at the start of `range`.
    ///
    /// When `isWhole`, the range is exactly one OBU, which then need not tell its size.
    init(
        _ bytes: Span<UInt8>,
        in range: Range<Int>,
        isWhole: Bool
    ) throws(BitstreamError) {
        var position = range.lowerBound
        guard position < range.upperBound else { throw .truncated }
        let first = bytes[position]
        // obu_forbidden_bit
        guard first & 0x80 == 0 else { throw .invalid }
        position += 1
        kind = first >> 3 & 0xF
        if first & 4 != 0 {
            guard position < range.upperBound else { throw .truncated }
            header = (first, bytes[position])
            position += 1
        } else {
            header = (first, nil)
        }
        guard first & 2 != 0 else {
            guard isWhole else { throw .invalid }
            payload = position..<range.upperBound
            return
        }
        var size = 0
        for index in 0..<5 {
            guard position < range.upperBound else { throw .truncated }
            let byte = bytes[position]
            position += 1
            size |= Int(byte & 0x7F) << (7 * index)
            if byte & 0x80 == 0 { break }
        }
        guard size <= range.upperBound - position else { throw .truncated }
        payload = position..<(position + size)
    }

    /// The size with a size field, as `write` makes it.
    var encodedSize: Int {
        1 + (header.extension == nil ? 0 : 1) + Self.sizeFieldLength(payload.count) + payload.count
    }

    /// Writes the OBU with `obu_size`, in the fewest bytes.
    func write(from bytes: Span<UInt8>, to buffer: inout ByteBuffer) {
        buffer.writeInteger(header.first | 2)
        if let byte = header.extension { buffer.writeInteger(byte) }
        var size = payload.count
        while size > 0x7F {
            buffer.writeInteger(UInt8(size & 0x7F) | 0x80)
            size >>= 7
        }
        buffer.writeInteger(UInt8(size))
        buffer.writeBytes(bytes.extracting(payload).bytes)
    }

    private static func sizeFieldLength(_ size: Int) -> Int {
        var (length, left) = (1, size >> 7)
        while left > 0 {
            length += 1
            left >>= 7
        }
        return length
    }
}

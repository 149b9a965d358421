/// Access units of AAC in RTP packets of `mpeg4-generic`.
///
/// Shape: AU-headers-length (16 bits, in bits), AU-headers, padding to a byte, an auxiliary section
///        if there is one, access units. A packet has whole access units, or a fragment of one.
/// Source: RFC 3640, 3.2.1 to 3.2.3.
struct AACPayload: Sendable {
    enum Contents: Equatable {
        /// The places of the access units are in `units`.
        case units
        /// A piece of an access unit of `size` bytes.
        case fragment(bytes: Range<Int>, size: Int)
    }

    private let packing: RTPPayloadFormat.AACPacking
    /// Of one AU-header, when its flags are not set.
    private let hasHeaders: Bool
    /// The access units of the packet that was read last.
    private(set) var units: [Range<Int>] = []

    /// - Returns: `nil` for lengths of fields that cannot be.
    init?(_ packing: RTPPayloadFormat.AACPacking) {
        let lengths = [
            packing.sizeLength, packing.indexLength, packing.indexDeltaLength,
            packing.compositionDeltaLength, packing.decodingDeltaLength,
            packing.streamStateLength, packing.auxiliarySizeLength,
        ]
        guard lengths.allSatisfy((0...32).contains), (packing.constantSize ?? 1) > 0 else {
            return nil
        }
        self.packing = packing
        hasHeaders = packing.hasRandomAccessIndication || lengths.dropLast().contains { $0 > 0 }
    }

    mutating func read(_ payload: Span<UInt8>) throws(RTPPayloadError) -> Contents {
        units.removeAll(keepingCapacity: true)
        var reader = RTPBitReader(end: payload.count * 8)
        var sizes: [Int] = []
        if hasHeaders {
            let length = try reader.read(16, of: payload)
            guard length <= reader.end - reader.position else { throw .truncated }
            sizes = try readHeaders(payload, &reader, end: reader.position + length)
        }
        if packing.auxiliarySizeLength > 0 {
            let length = try reader.read(packing.auxiliarySizeLength, of: payload)
            guard length <= reader.end - reader.position else { throw .truncated }
            reader.position += length
            reader.alignToByte()
        }
        let start = reader.position / 8
        return try place(sizes, in: start..<payload.count)
    }

    /// - Returns: The size that each header tells.
    private func readHeaders(
        _ payload: Span<UInt8>,
        _ reader: inout RTPBitReader,
        end: Int
    ) throws(RTPPayloadError) -> [Int] {
        var headers = RTPBitReader(end: end, position: reader.position)
        var sizes: [Int] = []
        while headers.position < end {
            let isFirst = sizes.isEmpty
            sizes.append(
                packing.sizeLength > 0
                    ? try headers.read(packing.sizeLength, of: payload) : packing.constantSize ?? 0
            )
            let index = try headers.read(
                isFirst ? packing.indexLength : packing.indexDeltaLength,
                of: payload
            )
            guard isFirst || index == 0 else { throw .interleaved }
            for length in [packing.compositionDeltaLength, packing.decodingDeltaLength]
            where length > 0 {
                if try headers.read(1, of: payload) == 1 {
                    _ = try headers.read(length, of: payload)
                }
            }
            let stateLength =
                packing.streamStateLength + (packing.hasRandomAccessIndication ? 1 : 0)
            _ = try headers.read(min(stateLength, 32), of: payload)
            // Headers of no bits would never end.
            guard sizes.count <= payload.count else { throw .invalid }
        }
        reader.position = end
        reader.alignToByte()
        return sizes
    }

    private mutating func place(
        _ sizes: [Int],
        in range: Range<Int>
    ) throws(RTPPayloadError) -> Contents {
        guard !range.isEmpty else { throw .truncated }
        var position = range.lowerBound
        guard let first = sizes.first else {
            // No headers: units of a constant size, or the one that fills the packet.
            let size = packing.constantSize ?? range.count
            while range.upperBound - position >= size {
                units.append(position..<(position + size))
                position += size
            }
            return .units
        }
        if sizes.count == 1, first > range.count { return .fragment(bytes: range, size: first) }
        for size in sizes where size > 0 {
            guard range.upperBound - position >= size else { throw .truncated }
            units.append(position..<(position + size))
            position += size
        }
        return .units
    }
}

/// Reads bit fields of a payload.
private struct RTPBitReader {
    /// In bits.
    let end: Int
    var position = 0

    init(end: Int, position: Int = 0) {
        self.end = end
        self.position = position
    }

    /// The next `count` bits, 0 to 32.
    mutating func read(_ count: Int, of bytes: Span<UInt8>) throws(RTPPayloadError) -> Int {
        guard count <= end - position else { throw .truncated }
        var value = 0
        for _ in 0..<count {
            value = value << 1 | Int(bytes[position >> 3] >> UInt8(7 - position & 7) & 1)
            position += 1
        }
        return value
    }

    mutating func alignToByte() {
        position = min((position + 7) & ~7, end)
    }
}

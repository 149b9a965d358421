/// Why a header could not be read.
///
/// Damage is counted by the caller, never logged here.
enum BitstreamError: Error {
    /// The header goes on past the bytes at hand.
    case truncated
    /// A value lies outside what its specification allows.
    case invalid
}

/// Reads big-endian bit fields and Exp-Golomb codes from a header.
///
/// Bound: never reads past the bytes it was given; throws `truncated` instead.
/// Source: ITU-T H.264 7.2 and 9.1 (`u`, `ue`, `se`); AV1 Bitstream 4.10 (`f`, `uvlc`).
struct BitReader {
    private var bytes: [UInt8]
    /// Where reading ends, in bits.
    private var end: Int
    /// In bits, from the first byte.
    private(set) var position = 0

    init(_ bytes: Span<UInt8>) {
        self.bytes = [UInt8](copying: bytes)
        end = bytes.count * 8
    }

    /// A reader of the RBSP inside a NAL unit: emulation prevention bytes are left out.
    init(unescaping bytes: Span<UInt8>) {
        self.init()
        load(unescaping: bytes)
    }

    init() {
        bytes = []
        end = 0
    }

    /// Starts again on other bytes, at most `limit` of them, in the storage already there.
    mutating func load(unescaping source: Span<UInt8>, limit: Int = .max) {
        position = 0
        bytes.removeAll(keepingCapacity: true)
        let head = source.extracting(first: min(limit, source.count))
        AnnexB.forEachUnescapedChunk(of: head) { chunk in
            bytes.append(contentsOf: chunk)
        }
        end = bytes.count * 8
    }

    /// A reader whose first byte begins at this reader's next bit; at most `byteLimit` whole bytes.
    func realigned(byteLimit: Int) -> BitReader {
        var source = self
        var copy = BitReader()
        while copy.bytes.count < byteLimit, let byte = try? source.byte() {
            copy.bytes.append(byte)
        }
        copy.end = copy.bytes.count * 8
        return copy
    }

    /// The bytes read so far; the bits of the last one that were not read are 0.
    var bytesRead: [UInt8] {
        var head = [UInt8](bytes.prefix((position + 7) / 8))
        if position & 7 != 0, let last = head.indices.last {
            head[last] &= 0xFF << UInt8(8 - position & 7)
        }
        return head
    }

    /// Moves the end of reading forward, to at most this many bits from the first byte.
    mutating func limit(toBits count: Int) {
        end = max(position, min(end, count))
    }

    var bitsLeft: Int { end - position }

    mutating func flag() throws(BitstreamError) -> Bool {
        guard position < end else { throw .truncated }
        defer { position += 1 }
        return bytes[position >> 3] & (0x80 >> UInt8(position & 7)) != 0
    }

    /// The next `count` bits, 0 to 32.
    mutating func bits(_ count: Int) throws(BitstreamError) -> UInt32 {
        guard count <= bitsLeft else { throw .truncated }
        var value: UInt64 = 0
        var needed = count
        while needed > 0 {
            let offset = position & 7
            let taken = min(8 - offset, needed)
            let byte = UInt64(bytes[position >> 3])
            value =
                value << UInt64(taken) | (byte >> UInt64(8 - offset - taken))
                & (1 << UInt64(taken) - 1)
            position += taken
            needed -= taken
        }
        return UInt32(truncatingIfNeeded: value)
    }

    mutating func int(_ count: Int) throws(BitstreamError) -> Int {
        Int(try bits(count))
    }

    mutating func byte() throws(BitstreamError) -> UInt8 {
        UInt8(truncatingIfNeeded: try bits(8))
    }

    mutating func skip(_ count: Int) throws(BitstreamError) {
        guard count >= 0, count <= bitsLeft else { throw .truncated }
        position += count
    }

    mutating func alignToByte() {
        position = min((position + 7) & ~7, end)
    }

    /// An unsigned Exp-Golomb code (`ue(v)`, and AV1's `uvlc()`, which has the same shape).
    mutating func ue() throws(BitstreamError) -> UInt32 {
        var leadingZeros = 0
        while try !flag() {
            leadingZeros += 1
            guard leadingZeros < 32 else { throw .invalid }
        }
        return try bits(leadingZeros) &+ (1 << UInt32(leadingZeros) &- 1)
    }

    /// An unsigned Exp-Golomb code no greater than `limit`.
    mutating func ue(max limit: Int) throws(BitstreamError) -> Int {
        let value = Int(try ue())
        guard value <= limit else { throw .invalid }
        return value
    }

    mutating func se() throws(BitstreamError) -> Int {
        let code = Int(try ue())
        return code & 1 == 1 ? (code + 1) / 2 : -(code / 2)
    }
}

extension [UInt8] {
    init(copying bytes: Span<UInt8>) {
        self = bytes.withUnsafeBufferPointer { [UInt8]($0) }
    }
}

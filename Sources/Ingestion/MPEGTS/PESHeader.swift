/// The header of a PES packet.
///
/// Units: times are ticks of the 90 kHz clock, 33 bits, not unwrapped.
///
/// Source: ISO/IEC 13818-1, 2.4.3.6 and 2.4.3.7.
struct PESHeader {
    enum Malformation: Error {
        case startCode
        /// Padding, private_stream_2 and the like: no header with times follows.
        case streamID
        case scrambled
        case marker
        case length
    }

    /// Up to the end of the fixed fields; `PES_header_data_length` is the last.
    static let fixedByteCount = 9

    let pts: Int64?
    let dts: Int64?
    /// Where the payload begins, counted from the start code.
    let payloadStart: Int
    /// Where the PES packet ends; `nil` when its length is not given (0, for video only).
    let end: Int?

    /// The length of a header, from its first `fixedByteCount` bytes.
    static func byteCount(_ bytes: Span<UInt8>) -> Int {
        fixedByteCount + Int(bytes[8])
    }

    /// Whether the header has a PTS, from its first `fixedByteCount` bytes.
    static func isStamped(_ bytes: Span<UInt8>) -> Bool {
        bytes[7] & 0x80 != 0
    }

    /// Reads a header from its start code on; at least `byteCount(_:)` bytes are given.
    init(_ bytes: Span<UInt8>) throws(Malformation) {
        guard bytes[0] == 0, bytes[1] == 0, bytes[2] == 1 else { throw .startCode }
        switch bytes[3] {
        case 0xBC, 0xBE, 0xBF, 0xF0, 0xF1, 0xF2, 0xF8, 0xFF: throw .streamID
        default: break
        }
        guard bytes[6] & 0xC0 == 0x80 else { throw .marker }
        guard bytes[6] & 0x30 == 0 else { throw .scrambled }
        let payloadStart = Self.byteCount(bytes)
        let length = Int(bytes[4]) << 8 | Int(bytes[5])
        guard length == 0 || 6 + length >= payloadStart else { throw .length }
        self.payloadStart = payloadStart
        end = length == 0 ? nil : 6 + length
        let hasPTS = bytes[7] & 0x80 != 0
        let hasDTS = bytes[7] & 0xC0 == 0xC0
        guard payloadStart >= 9 + (hasPTS ? 5 : 0) + (hasDTS ? 5 : 0) else { throw .length }
        pts = hasPTS ? try Self.timestamp(bytes, at: 9) : nil
        dts = hasDTS ? try Self.timestamp(bytes, at: 14) : nil
    }

    /// 33 bits in 5 bytes, in three pieces with a marker bit behind each.
    private static func timestamp(
        _ bytes: Span<UInt8>,
        at offset: Int
    ) throws(Malformation) -> Int64 {
        guard bytes[offset] & bytes[offset + 2] & bytes[offset + 4] & 1 == 1 else { throw .marker }
        return Int64(bytes[offset] >> 1 & 0x07) << 30
            | Int64(bytes[offset + 1]) << 22
            | Int64(bytes[offset + 2] >> 1) << 15
            | Int64(bytes[offset + 3]) << 7
            | Int64(bytes[offset + 4] >> 1)
    }
}

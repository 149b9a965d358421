/// A packet that protects media packets: by the parity of them, any one that is missing is recovered.
///
/// Shape:  an RTP header, whose P, X, CC and M are the parity of those of the media packets; a header
///         of 16 bytes; the parity of all that follows the first 12 bytes of each.
/// Which:  `count` media packets from `base` on, `offset` apart: a column of a matrix of packets as
///         wide as `offset`, or a row, where `offset` is 1.
/// Errors: `nil` for other codes than parity, and for a matrix that nobody may send.
///
/// Source: SMPTE ST 2022-1; RFC 2733, 6.
struct RTPForwardErrorCorrectionPacket: Sendable {
    static let headerByteCount = RTPPacket.headerByteCount + 16
    /// Packets from the first that is protected to the last: columns and rows of 20 fit.
    static let spanLimit = 400

    let base: UInt16
    let offset: Int
    let count: Int
    /// Columns lie across rows: both protect a packet.
    let isRow: Bool
    /// The parity of the first two bytes of the media packets, without the version.
    let flags: UInt16
    let timestamp: UInt32
    /// The parity of how many bytes follow the first 12.
    let length: UInt16

    init?(_ datagram: Span<UInt8>) {
        guard datagram.count >= Self.headerByteCount, datagram[0] >> 6 == 2 else { return nil }
        // The extended header, of the code XOR.
        guard datagram[16] & 0x80 != 0, datagram[24] & 0x38 == 0 else { return nil }
        base = UInt16(truncatingIfNeeded: datagram.bigEndian(at: 12, byteCount: 2))
        length = UInt16(truncatingIfNeeded: datagram.bigEndian(at: 14, byteCount: 2))
        timestamp = datagram.bigEndian(at: 20, byteCount: 4)
        isRow = datagram[24] & 0x40 != 0
        offset = Int(datagram[25])
        count = Int(datagram[26])
        flags =
            UInt16(datagram[0] & 0x3F) << 8
            | UInt16(datagram[1] & 0x80) | UInt16(datagram[16] & 0x7F)
        guard offset > 0, count > 0, offset * count <= Self.spanLimit else { return nil }
    }
}

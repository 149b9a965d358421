/// Why a datagram is no RTP packet.
///
/// Damage is counted by the caller, never logged here.
package enum RTPError: Error, Equatable {
    /// The header, its CSRC list or its extension goes on past the datagram's end.
    case truncated
    /// Not version 2.
    case version
    /// The padding says that it is empty, or longer than what there is to pad.
    case padding
}

/// What the header of an RTP packet says; the bytes stay where they are.
///
/// Shape:  12 bytes, up to 15 CSRCs of 4 bytes, an extension of up to 65,535 words, the payload,
///         padding. CSRCs, extension and padding are left out of `payload`; nothing reads them.
/// Errors: `RTPError`. A payload type is not judged here, and a payload may be empty.
///
/// Source: RFC 3550, 5.1 and 5.3.1.
package struct RTPPacket: Sendable, Equatable {
    package static let headerByteCount = 12

    package let ssrc: UInt32
    /// In ticks of the payload's clock; wraps.
    package let timestamp: UInt32
    package let sequenceNumber: UInt16
    /// 0 to 127.
    package let payloadType: UInt8
    package let marker: Bool
    /// Where the payload lies in the datagram.
    package let payload: Range<Int>

    package init(
        marker: Bool,
        payloadType: UInt8,
        sequenceNumber: UInt16,
        timestamp: UInt32,
        ssrc: UInt32,
        payload: Range<Int>
    ) {
        self.marker = marker
        self.payloadType = payloadType
        self.sequenceNumber = sequenceNumber
        self.timestamp = timestamp
        self.ssrc = ssrc
        self.payload = payload
    }

    @inline(__always)
    package init(_ datagram: Span<UInt8>) throws(RTPError) {
        guard datagram.count >= Self.headerByteCount else { throw .truncated }
        let flags = datagram[0]
        guard flags >> 6 == 2 else { throw .version }
        // Nearly all packets: no padding, no extension, no CSRCs.
        payload =
            flags == 0x80
            ? Self.headerByteCount..<datagram.count
            : try Self.payload(of: datagram, flags: flags)
        marker = datagram[1] & 0x80 != 0
        payloadType = datagram[1] & 0x7F
        sequenceNumber = UInt16(truncatingIfNeeded: datagram.bigEndian(at: 2, byteCount: 2))
        timestamp = datagram.bigEndian(at: 4, byteCount: 4)
        ssrc = datagram.bigEndian(at: 8, byteCount: 4)
    }

    private static func payload(
        of datagram: Span<UInt8>,
        flags: UInt8
    ) throws(RTPError) -> Range<Int> {
        var start = headerByteCount + Int(flags & 0x0F) * 4
        if flags & 0x10 != 0 {
            guard start + 4 <= datagram.count else { throw .truncated }
            start += 4 + Int(datagram.bigEndian(at: start + 2, byteCount: 2)) * 4
        }
        guard start <= datagram.count else { throw .truncated }
        var end = datagram.count
        if flags & 0x20 != 0 {
            let padding = Int(datagram[end - 1])
            guard padding > 0, padding <= end - start else { throw .padding }
            end -= padding
        }
        return start..<end
    }
}

extension Span<UInt8> {
    /// The big-endian number of one to four bytes at an offset that the caller has checked.
    @inline(__always)
    func bigEndian(at offset: Int, byteCount: Int) -> UInt32 {
        var value: UInt32 = 0
        for index in offset..<offset + byteCount {
            value = value << 8 | UInt32(self[index])
        }
        return value
    }
}

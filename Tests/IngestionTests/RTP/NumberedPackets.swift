import Ingestion
import Media
import NIOCore

extension RTPPacket {
    /// A packet of which only its place in the sequence matters.
    static func numbered(
        _ number: Int,
        timestamp: UInt32 = 0,
        byteCount: Int = 20
    ) -> RTPPacket {
        RTPPacket(
            marker: false,
            payloadType: 96,
            sequenceNumber: UInt16(truncatingIfNeeded: number),
            timestamp: timestamp,
            ssrc: 0x1234_5678,
            payload: headerByteCount..<byteCount
        )
    }
}

// `#expect` cannot hold a `Span`.
extension RTPPacket {
    init(reading datagram: [UInt8]) throws(RTPError) {
        try self.init(datagram.span)
    }
}

extension RTCPPacket {
    static func parse(bytes: [UInt8]) -> [RTCPPacket] { parse(bytes.span) }

    static func isRTCP(bytes: [UInt8]) -> Bool { isRTCP(bytes.span) }
}

extension WallTime {
    /// So many milliseconds after an instant that means nothing.
    static func at(milliseconds: Double) -> WallTime {
        WallTime(microsecondsSinceEpoch: 1_800_000_000_000_000 + Int64(milliseconds * 1_000))
    }
}

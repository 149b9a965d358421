/// A packet that was sent again, in a stream of its own.
///
/// Shape:  the original's number in 2 bytes, then its payload; the rest of the header is the original's,
///         but for SSRC, number and payload type.
///
/// Source: RFC 4588, 4.
package enum RTPRetransmission {
    /// The packet that `packet` repeats.
    ///
    /// Its payload lies in the same datagram, 2 bytes on.
    ///
    /// - Parameters:
    ///   - packet: A packet of the retransmission stream.
    ///   - datagram: What `packet` was read from.
    ///   - payloadType: The original's (`apt` of the SDP).
    ///   - ssrc: The original's.
    /// - Returns: `nil` for a packet that repeats nothing, as they are sent to probe a path.
    package static func original(
        of packet: RTPPacket,
        in datagram: Span<UInt8>,
        payloadType: UInt8,
        ssrc: UInt32
    ) -> RTPPacket? {
        guard packet.payload.count > 2, packet.payload.upperBound <= datagram.count else {
            return nil
        }
        let start = packet.payload.lowerBound
        return RTPPacket(
            marker: packet.marker,
            payloadType: payloadType,
            sequenceNumber: UInt16(
                truncatingIfNeeded: datagram.bigEndian(at: start, byteCount: 2)
            ),
            timestamp: packet.timestamp,
            ssrc: ssrc,
            payload: start + 2..<packet.payload.upperBound
        )
    }
}

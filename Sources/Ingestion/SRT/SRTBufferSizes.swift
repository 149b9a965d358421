/// How much libsrt and the kernel may hold for one connection.
///
/// libsrt keeps each packet for the latency and, after a loss, for the round trips of its
/// retransmission. A buffer smaller than `rate x (latency + round trips)` loses packets that arrived.
package struct SRTBufferSizes: Sendable, Equatable {
    /// Payload bytes a packet of the receive buffer counts for: an MTU less the headers of IP and UDP.
    private static let packetBytes = 1472
    /// libsrt's own default: never less.
    private static let minimumPackets = 8192
    private static let maximumPackets = 262_144
    /// Assumed when no limit is configured.
    private static let assumedBitsPerSecond = 100_000_000
    /// Room for round trips, and for callers that negotiate a longer latency than ours: a receive
    /// buffer that was full once makes libsrt 1.5 take nothing more of that connection.
    private static let spareSeconds = 4.0

    /// Bytes of `SRTO_RCVBUF`.
    package let receiveBufferBytes: Int32
    /// Packets of `SRTO_FC`; at least as many as the receive buffer holds.
    package let flowWindowPackets: Int32
    /// Bytes of the UDP socket's buffer: senders burst a whole picture at once.
    package static let udpReceiveBufferBytes: Int32 = 8 << 20

    package init(bitsPerSecond: Int?, latency: Duration) {
        let rate = Double(max(bitsPerSecond ?? Self.assumedBitsPerSecond, 0))
        let seconds = max(latency / .seconds(1), 0) + Self.spareSeconds
        let needed = (rate / 8 * seconds / Double(Self.packetBytes)).rounded(.up)
        let packets = Int(
            min(max(needed, Double(Self.minimumPackets)), Double(Self.maximumPackets))
        )
        receiveBufferBytes = Int32(packets * Self.packetBytes)
        flowWindowPackets = Int32(max(packets, 25_600))
    }
}

import CNgtcp2
import NIOCore

/// Where the peer is, and how long a datagram the way there carries.
///
/// ngtcp2 tries out longer and longer datagrams, and never doubts again what has arrived once. A route that
/// changes, or a tunnel that comes into the way, may carry less from then on, and swallows the rest.
///
/// Source: RFC 8899, 4.3 and 5.1.
extension QUICConnection {
    /// Timeouts in a row from which on the longer datagrams are believed to vanish (MAX_PROBES).
    private static let suspiciousTimeouts = 3
    /// When longer ones are tried again (PMTU_RAISE_TIMER), in nanoseconds.
    private static let narrowDuration: UInt64 = 600 * 1_000_000_000

    /// Of a datagram; ngtcp2 keeps to less where it has not seen as much arrive.
    func maxDatagramBytes(now: UInt64) -> Int {
        now < narrowUntil ? DatagramBurst.leastMaxDatagramBytes : DatagramBurst.maxDatagramBytes
    }

    /// Goes back to what every path carries when nothing comes back of what is longer.
    func doubtPath(now: UInt64) {
        guard now >= narrowUntil, mirror_quic_probe_timeouts(quic) >= Self.suspiciousTimeouts,
            ngtcp2_conn_get_path_max_tx_udp_payload_size(quic)
                > DatagramBurst.leastMaxDatagramBytes
        else { return }
        narrowUntil = now + Self.narrowDuration
        endpoint.statistics.narrowedPaths += 1
    }

    /// The peer is validated at another address.
    func pathValidated(_ path: ngtcp2_path) {
        guard let address = SocketAddress(path.remote), address != remoteAddress else { return }
        remoteAddress = address
        narrowUntil = 0
        endpoint.statistics.migrations += 1
    }
}

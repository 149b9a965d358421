import CNghttp3
import CNgtcp2
import NIOCore

/// One connection of a viewer over QUIC, with the HTTP/3 on it.
///
/// ngtcp2 has the transport, nghttp3 the frames, GnuTLS the handshake; this feeds them datagrams and
/// time, and takes datagrams and requests out of them. None of them does I/O or reads a clock.
///
/// Phases: handshake → open → draining → closing (we said why) or left (the peer did, or vanished) →
///         gone. `endpoint` forgets it when it is gone.
/// Bound: `HTTP3Limits`.
/// Threads: the event loop of `endpoint`. C calls back only while one of the `QUICConnection+…` methods
///          that call it runs; what must not be done from inside a callback waits in `ready` and
///          `failure` until it has returned.
final class QUICConnection {
    enum Phase {
        case handshake
        case open
        /// GOAWAY was sent; closed when the last request has ended.
        case draining
        /// Until `until`, packets are answered with `packet`, more and more seldom.
        case closing(packet: [UInt8], until: NIODeadline)
        /// Nothing is sent any more.
        case left(until: NIODeadline)
        case gone
    }

    /// Forgets this before it goes itself.
    let endpoint: QUICEndpoint
    let handle: QUICHandle
    var http: HTTP3Handle?
    /// Tells connections apart, whatever address they are at.
    let number: Int
    var phase = Phase.handshake
    /// Under which `endpoint` finds it.
    var ids: Set<ConnectionID> = []
    var streams: [Int64: HTTP3Stream] = [:]
    /// Streams whose header section became whole during the present call of C.
    var ready: [HTTP3Stream] = []
    /// What a callback found wrong during the present call of C.
    var failure: QUICFailure?
    /// Whether it is on the list of those that have something to send.
    var isDirty = false
    /// After GOAWAY and a round trip: requests that come now are refused.
    var isRefusing = false
    /// Where `QUICTimers` has it; nil when it waits for no time.
    var timerPlace: Int?
    var rates: HTTP3Rates
    /// Since when no request has been under way.
    var idleSince = NIODeadline.now()
    /// Packets that came while closing.
    var lateDatagrams = 0
    /// Where the peer is, as far as it is validated.
    var remoteAddress: SocketAddress
    let sentPath: QUICPath
    /// Until then, on the clock of `endpoint`, long datagrams are believed to vanish.
    var narrowUntil: UInt64 = 0

    init(
        handle: QUICHandle,
        endpoint: QUICEndpoint,
        number: Int,
        remoteAddress: SocketAddress
    ) {
        self.handle = handle
        self.endpoint = endpoint
        self.number = number
        self.remoteAddress = remoteAddress
        rates = HTTP3Rates(endpoint.door.http3)
        sentPath = QUICPath(remoteAddress)
        handle.bind(self)
    }

    var quic: OpaquePointer { handle.pointer }

    var isAlive: Bool {
        switch phase {
        case .handshake, .open, .draining: true
        case .closing, .left, .gone: false
        }
    }

    // MARK: In

    /// A datagram for this connection.
    func read(
        _ datagram: UnsafeRawBufferPointer,
        from remote: SocketAddress,
        on socket: QUICSocket,
        congestion: UInt32
    ) {
        guard isAlive else {
            answerLate()
            return
        }
        guard let base = datagram.baseAddress?.assumingMemoryBound(to: UInt8.self) else { return }
        let result = remote.withSockAddr { address, count in
            var path = ngtcp2_path(
                local: socket.local,
                remote: ngtcp2_addr(
                    addr: UnsafeMutablePointer(mutating: address),
                    addrlen: ngtcp2_socklen(count)
                ),
                user_data: nil
            )
            var info = ngtcp2_pkt_info(ecn: congestion)
            return mirror_quic_read(quic, &path, &info, base, datagram.count, endpoint.clock())
        }
        handle(result)
    }

    /// The result of a call that may have called back.
    func handle(_ result: CInt) {
        switch result {
        case 0:
            answerReady()
            endpoint.hasSomethingToSend(self)
        case NGTCP2_ERR_DRAINING:
            leave()
        case NGTCP2_ERR_DROP_CONN, NGTCP2_ERR_IDLE_CLOSE, NGTCP2_ERR_HANDSHAKE_TIMEOUT,
            NGTCP2_ERR_RETRY:
            endpoint.remove(self)
        case NGTCP2_ERR_CRYPTO:
            close(.tlsAlert(ngtcp2_conn_get_tls_alert(quic)))
        default:
            close(failure ?? .library(result))
        }
    }

    private func answerReady() {
        while !ready.isEmpty {
            let batch = ready
            ready.removeAll(keepingCapacity: true)
            for stream in batch { begin(stream) }
        }
    }

    // MARK: Time

    /// Sees to it that `timerFired` runs when there is something to do.
    func arm() { endpoint.wake(self, at: nextDeadline) }

    private var nextDeadline: NIODeadline {
        switch phase {
        case .closing(_, let until), .left(let until): return until
        case .gone: return .distantFuture
        case .handshake, .open, .draining:
            let expiry = ngtcp2_conn_get_expiry(quic)
            return expiry < UInt64(Int64.max)
                ? .uptimeNanoseconds(expiry) : .distantFuture
        }
    }

    func timerFired() {
        let now = endpoint.clock()
        guard isAlive else {
            if nextDeadline <= .uptimeNanoseconds(now) { endpoint.remove(self) } else { arm() }
            return
        }
        guard ngtcp2_conn_get_expiry(quic) <= now else {
            arm()
            return
        }
        let result = ngtcp2_conn_handle_expiry(quic, now)
        doubtPath(now: now)
        handle(result)
    }
}

import CNghttp3
import CNgtcp2
import NIOCore

/// The ways out of a connection.
///
/// Source: RFC 9000, 10; RFC 9114, 5.2.
extension QUICConnection {
    /// Says why, and goes.
    ///
    /// Stays for three probe timeouts, so that packets under way find somebody who says it again. Not to
    /// be called from inside a callback.
    func close(_ reason: QUICFailure) {
        guard isAlive else { return }
        if reason.isProtocolError { endpoint.statistics.protocolErrors += 1 }
        let scratch = endpoint.scratch
        scratch.clearPath()
        var error = reason.c
        var packet: [UInt8] = []
        _ = endpoint.burst.withSpace { space, capacity in
            let count = mirror_quic_write_close(
                quic,
                &scratch.path.pointee.path,
                scratch.packet,
                space,
                capacity,
                &error,
                endpoint.clock()
            )
            if count > 0 { packet = Array(UnsafeBufferPointer(start: space, count: count)) }
            return 0
        }
        end(as: .closing(packet: packet, until: lastMoment))
        send(packet)
    }

    /// The peer has closed the connection: nothing is to be sent any more.
    func leave() {
        guard isAlive else { return }
        end(as: .left(until: lastMoment))
    }

    /// For `QUICEndpoint.remove`: nothing may be left that knows this.
    func forget() {
        end(as: .gone)
    }

    private var lastMoment: NIODeadline {
        let probeTimeout = min(ngtcp2_conn_get_pto(quic), UInt64(Int32.max))
        return .now() + .nanoseconds(Int64(probeTimeout) * 3)
    }

    private func end(as phase: Phase) {
        endpoint.ended(self)
        self.phase = phase
        ready.removeAll()
        let streams = streams
        self.streams.removeAll()
        // More than is on its way cannot arrive any more; what is may have, before the peer went.
        let arriving = Int(clamping: mirror_quic_bytes_in_flight(quic))
        for stream in streams.values {
            ended(stream, isGivenUp: stream.isReset || stream.chunks.unacknowledgedBytes > arriving)
        }
        arm()
    }

    /// The 1st, 2nd, 4th, 8th … packet after the end is told of it again.
    func answerLate() {
        guard case .closing(let packet, _) = phase else { return }
        lateDatagrams += 1
        guard lateDatagrams & (lateDatagrams - 1) == 0 else { return }
        send(packet)
    }

    private func send(_ packet: [UInt8]) {
        guard !packet.isEmpty else { return }
        endpoint.send(packet, to: remoteAddress)
    }

    // MARK: Shutting down

    /// No more requests; those that wait are answered that the server stops, transfers end.
    func drain() {
        guard case .open = phase, let http else {
            if case .handshake = phase { close(.transport(UInt64(NGTCP2_CONNECTION_REFUSED))) }
            return
        }
        phase = .draining
        nghttp3_conn_submit_shutdown_notice(http.pointer)
        for stream in streams.values { stream.presence.serverStops() }
        endpoint.hasSomethingToSend(self)
        // A round trip later the peer knows, and requests that crossed the notice are here.
        let roundTrip = min(mirror_quic_smoothed_round_trip(quic), 500_000_000)
        let wait = TimeAmount.nanoseconds(Int64(roundTrip) * 2) + .milliseconds(10)
        endpoint.eventLoop.assumeIsolated().scheduleTask(in: wait) {
            guard self.isAlive else { return }
            nghttp3_conn_shutdown(http.pointer)
            self.endpoint.hasSomethingToSend(self)
            self.isRefusing = true
            self.closeIfDone()
        }
    }

    /// Closes a draining connection whose last request has ended, if it is one.
    ///
    /// Not to be called from inside a callback.
    func closeIfDone() {
        guard case .draining = phase, isRefusing, streams.isEmpty else { return }
        close(.application(UInt64(NGHTTP3_H3_NO_ERROR)))
    }

    // MARK: Looking after

    /// Once a second: cuts off those who take nothing, and those who only hold a place.
    func sweep(now: NIODeadline, limits: RequestLimits) {
        guard isAlive else { return }
        let stalled = streams.values.filter { stream in
            !stream.isReset && stream.chunks.unacknowledgedBytes > 0
                && stream.lastProgress + TimeAmount(limits.stallTimeout) <= now
        }
        for stream in stalled {
            endpoint.door.statistics.viewerStalled()
            reset(stream)
        }
        let late = streams.values.filter { stream in
            stream.isReceivingHead && stream.lastProgress + TimeAmount(limits.idleTimeout) <= now
        }
        for stream in late { reset(stream) }
        if case .open = phase, streams.isEmpty, idleSince + TimeAmount(limits.idleTimeout) <= now {
            endpoint.door.statistics.connectionSilent()
            drain()
        }
        closeIfDone()
    }
}

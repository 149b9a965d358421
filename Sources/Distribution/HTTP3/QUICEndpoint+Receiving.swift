import CNgtcp2
import NIOCore

/// Where a datagram belongs.
///
/// Source: RFC 9000, 5.2.
extension QUICEndpoint {
    typealias Datagram = AddressedEnvelope<ByteBuffer>

    /// Takes one datagram in; one that is `isHandedOver` came from another loop, that had it for this
    /// one, and is not handed on again.
    func receive(_ datagram: Datagram, on socket: QUICSocket, isHandedOver: Bool = false) {
        statistics.packetsReceived += 1
        statistics.bytesReceived += UInt64(datagram.data.readableBytes)
        // Nobody can answer port 0, and who tries has an error for it.
        guard datagram.remoteAddress.port != 0 else {
            statistics.dropped += 1
            return
        }
        if datagram.metadata?.ecnState == .congestionExperienced {
            statistics.congestionMarks += 1
        }
        datagram.data.withUnsafeReadableBytes { bytes in
            guard let base = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self) else { return }
            var header = ngtcp2_version_cid()
            let result = ngtcp2_pkt_decode_version_cid(
                &header,
                base,
                bytes.count,
                ConnectionID.ownLength
            )
            // The library would speak drafts, too.
            let isKnown = header.version == 0 || header.version == NGTCP2_PROTO_VER_V1
            if result == NGTCP2_ERR_VERSION_NEGOTIATION || result == 0 && !isKnown {
                negotiateVersion(header, answering: datagram)
                return
            }
            let identifier = UnsafeRawBufferPointer(start: header.dcid, count: header.dcidlen)
            guard result == 0, let identifier = ConnectionID(identifier) else {
                statistics.dropped += 1
                return
            }
            if let connection = connections[identifier] {
                connection.read(
                    bytes,
                    from: datagram.remoteAddress,
                    on: socket,
                    congestion: datagram.metadata?.ecnState.c ?? 0
                )
                return
            }
            var packet = ngtcp2_pkt_hd()
            if header.version != 0, ngtcp2_accept(&packet, base, bytes.count) == 0 {
                accept(packet, bytes, of: datagram, on: socket)
            } else if !isHandedOver, hand(datagram, to: identifier.loop, isIPv6: socket.isIPv6) {
                statistics.handedOver += 1
            } else if header.version == 0 {
                reset(identifier, answering: datagram)
            } else {
                statistics.dropped += 1
            }
        }
    }

    /// - Returns: False when the datagram is not for another loop.
    private func hand(_ datagram: Datagram, to loop: Int, isIPv6: Bool) -> Bool {
        guard loop != Int(index), siblings.indices.contains(loop) else { return false }
        let sibling = siblings[loop]
        sibling.eventLoop.execute {
            let endpoint = sibling.value
            guard let socket = endpoint.sockets.first(where: { $0.isIPv6 == isIPv6 }) else {
                return
            }
            endpoint.receive(datagram, on: socket, isHandedOver: true)
        }
        return true
    }

    /// The first packet of a newcomer.
    ///
    /// Source: RFC 9000, 8.1.
    private func accept(
        _ packet: ngtcp2_pkt_hd,
        _ bytes: UnsafeRawBufferPointer,
        of datagram: Datagram,
        on socket: QUICSocket
    ) {
        guard !isStopping else {
            refuse(packet, UInt64(NGTCP2_CONNECTION_REFUSED), answering: datagram)
            return
        }
        let origin: TokenCheck
        switch check(packet, from: datagram.remoteAddress) {
        case .invalidRetry:
            refuse(packet, UInt64(NGTCP2_INVALID_TOKEN), answering: datagram)
            return
        case .none where halfOpenCount >= door.http3.halfOpenConnectionsBeforeRetry:
            askAgain(packet, answering: datagram)
            return
        case let valid:
            origin = valid
        }
        guard halfOpenCount < door.http3.halfOpenConnections else {
            statistics.dropped += 1
            return
        }
        guard door.statistics.admitConnection(limit: door.limits.maxConnections) else {
            refuse(packet, UInt64(NGTCP2_CONNECTION_REFUSED), answering: datagram)
            return
        }
        do {
            let connection = try makeConnection(packet, origin, datagram, socket)
            connection.read(
                bytes,
                from: datagram.remoteAddress,
                on: socket,
                congestion: datagram.metadata?.ecnState.c ?? 0
            )
        } catch {
            door.statistics.connectionClosed()
            statistics.failedHandshakes += 1
        }
    }

    private func makeConnection(
        _ packet: ngtcp2_pkt_hd,
        _ origin: TokenCheck,
        _ datagram: Datagram,
        _ socket: QUICSocket
    ) throws -> QUICConnection {
        let own = makeConnectionID()
        var parameters = transportParameters(originalID: packet.dcid)
        if case .retry(let originalID) = origin {
            parameters.original_dcid = originalID
            parameters.retry_scid = packet.dcid
            parameters.retry_scid_present = 1
        }
        _ = withUnsafeMutableBytes(of: &parameters.stateless_reset_token) { token in
            token.baseAddress.map {
                door.secrets.resetToken(for: own.c, into: $0.assumingMemoryBound(to: UInt8.self))
            }
        }
        parameters.stateless_reset_token_present = 1
        let handle = try datagram.remoteAddress.withSockAddr { address, count in
            let remote = ngtcp2_addr(
                addr: UnsafeMutablePointer(mutating: address),
                addrlen: ngtcp2_socklen(count)
            )
            return try QUICHandle(
                credentials: door.credentials.gnuTLS(),
                peerID: packet.scid,
                ownID: own.c,
                path: ngtcp2_path(local: socket.local, remote: remote, user_data: nil),
                version: packet.version,
                settings: settings(token: origin.isValid ? packet.token : ngtcp2_vec()),
                parameters: parameters
            )
        }
        let connection = QUICConnection(
            handle: handle,
            endpoint: self,
            number: own.hashValue,
            remoteAddress: datagram.remoteAddress
        )
        all[ObjectIdentifier(connection)] = connection
        register(own, for: connection)
        // Until it knows ours, the client uses the one that it made up.
        register(ConnectionID(packet.dcid), for: connection)
        halfOpenCount += 1
        aliveCount += 1
        return connection
    }

    private func settings(token: ngtcp2_vec) -> ngtcp2_settings {
        var settings = ngtcp2_settings()
        mirror_quic_settings_default(&settings)
        settings.initial_ts = clock()
        settings.cc_algo = door.congestionControl.c
        settings.token = token
        settings.handshake_timeout = UInt64(TimeAmount(door.limits.handshakeTimeout).nanoseconds)
        settings.max_tx_udp_payload_size = DatagramBurst.maxDatagramBytes
        return settings
    }

    private func transportParameters(originalID: ngtcp2_cid) -> ngtcp2_transport_params {
        let limits = door.http3
        var parameters = ngtcp2_transport_params()
        mirror_quic_transport_params_default(&parameters)
        parameters.original_dcid = originalID
        parameters.initial_max_streams_bidi = UInt64(limits.concurrentRequests)
        // Control, QPACK encoder and decoder, and some to try the server's patience with (RFC 9114, 6.2.3).
        parameters.initial_max_streams_uni = 8
        parameters.initial_max_stream_data_bidi_remote = UInt64(limits.streamWindow)
        parameters.initial_max_stream_data_uni = UInt64(limits.streamWindow)
        parameters.initial_max_data = UInt64(limits.connectionWindow)
        parameters.max_idle_timeout = UInt64(TimeAmount(door.limits.idleTimeout).nanoseconds)
        parameters.max_udp_payload_size = UInt64(QUICSocketHandler.maxDatagramBytes)
        parameters.active_connection_id_limit = 7
        return parameters
    }
}

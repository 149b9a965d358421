import CNgtcp2
import Media
import NIOCore

/// What is said to packets that belong to no connection, from their bytes alone.
extension QUICEndpoint {
    /// What the token of a first packet proves.
    enum TokenCheck {
        case none
        /// A Retry of ours was answered; the connection ID that the client began with.
        case retry(originalID: ngtcp2_cid)
        /// From a NEW_TOKEN frame of an earlier connection.
        case known
        case invalidRetry

        var isValid: Bool {
            switch self {
            case .retry, .known: true
            case .none, .invalidRetry: false
            }
        }
    }

    private static let retryLifetime: UInt64 = 10_000_000_000
    private static let tokenLifetime: UInt64 = 24 * 3_600 * 1_000_000_000

    func check(_ packet: ngtcp2_pkt_hd, from address: SocketAddress) -> TokenCheck {
        guard packet.token.len > 0, let token = packet.token.base else { return .none }
        let secret = door.secrets.token
        let now = Self.wallClock()
        return address.withSockAddr { address, count in
            let length = ngtcp2_socklen(count)
            switch Int32(token[0]) {
            case NGTCP2_CRYPTO_TOKEN_MAGIC_RETRY:
                var (original, destination) = (ngtcp2_cid(), packet.dcid)
                let result = ngtcp2_crypto_verify_retry_token(
                    &original,
                    token,
                    packet.token.len,
                    secret,
                    secret.count,
                    packet.version,
                    address,
                    length,
                    &destination,
                    Self.retryLifetime,
                    now
                )
                return result == 0 ? .retry(originalID: original) : .invalidRetry
            case NGTCP2_CRYPTO_TOKEN_MAGIC_REGULAR:
                let result = ngtcp2_crypto_verify_regular_token(
                    token,
                    packet.token.len,
                    secret,
                    secret.count,
                    address,
                    length,
                    Self.tokenLifetime,
                    now
                )
                return result == 0 ? .known : .none
            default: return .none
            }
        }
    }

    /// Spares the peer the round trip of a Retry when it comes again (RFC 9000, 8.1.3).
    func giveToken(to connection: QUICConnection) {
        var token = [UInt8](repeating: 0, count: 128)
        let secret = door.secrets.token
        let count = connection.remoteAddress.withSockAddr { address, length in
            ngtcp2_crypto_generate_regular_token(
                &token,
                secret,
                secret.count,
                address,
                ngtcp2_socklen(length),
                Self.wallClock()
            )
        }
        guard count > 0, count <= token.count else { return }
        ngtcp2_conn_submit_new_token(connection.quic, token, count)
    }

    /// Asks a newcomer to prove its address (Retry): nothing is kept of it until it has.
    ///
    /// Source: RFC 9000, 8.1.2.
    func askAgain(_ packet: ngtcp2_pkt_hd, answering datagram: Datagram) {
        guard statelessAnswers.take(now: clock()) else { return }
        let secret = door.secrets.token
        var (peer, original, own) = (packet.scid, packet.dcid, makeConnectionID().c)
        var token = [UInt8](repeating: 0, count: 256)
        let length = datagram.remoteAddress.withSockAddr { address, count in
            ngtcp2_crypto_generate_retry_token(
                &token,
                secret,
                secret.count,
                packet.version,
                address,
                ngtcp2_socklen(count),
                &own,
                &original,
                Self.wallClock()
            )
        }
        guard length > 0, length <= token.count else { return }
        answer(datagram) { space, capacity in
            ngtcp2_crypto_write_retry(
                space,
                capacity,
                packet.version,
                &peer,
                &own,
                &original,
                token,
                length
            )
        }
        statistics.retries += 1
    }

    /// Says no to a first packet, without keeping anything of it.
    func refuse(_ packet: ngtcp2_pkt_hd, _ code: UInt64, answering datagram: Datagram) {
        guard statelessAnswers.take(now: clock()) else { return }
        var (peer, own) = (packet.scid, packet.dcid)
        answer(datagram) { space, capacity in
            ngtcp2_crypto_write_connection_close(
                space,
                capacity,
                packet.version,
                &peer,
                &own,
                code,
                nil,
                0
            )
        }
    }

    /// Source: RFC 9000, 6.1; the reserved version keeps clients from counting on the list.
    func negotiateVersion(_ header: ngtcp2_version_cid, answering datagram: Datagram) {
        guard datagram.data.readableBytes >= Int(NGTCP2_MAX_UDP_PAYLOAD_SIZE),
            statelessAnswers.take(now: clock())
        else {
            statistics.dropped += 1
            return
        }
        let versions: [UInt32] = [0x1a2a_3a4a, 0x0000_0001]
        answer(datagram) { space, capacity in
            ngtcp2_pkt_write_version_negotiation(
                space,
                capacity,
                .random(in: 0...255),
                header.scid,
                header.scidlen,
                header.dcid,
                header.dcidlen,
                versions,
                versions.count
            )
        }
        statistics.versionNegotiations += 1
    }

    /// Tells a peer that its connection is gone: after a restart, for example.
    ///
    /// Smaller than what it answers, so that two ends that know nothing come to an end.
    /// Source: RFC 9000, 10.3.
    func reset(_ identifier: ConnectionID, answering datagram: Datagram) {
        let shortest = 1 + ConnectionID.ownLength + 22
        guard datagram.data.readableBytes > shortest, statelessAnswers.take(now: clock()) else {
            statistics.dropped += 1
            return
        }
        var token = [UInt8](repeating: 0, count: Int(NGTCP2_STATELESS_RESET_TOKENLEN))
        let isMade = token.withUnsafeMutableBufferPointer { token in
            token.baseAddress.map { door.secrets.resetToken(for: identifier.c, into: $0) } ?? false
        }
        guard isMade else { return }
        let length = min(datagram.data.readableBytes - 1, 43 + Int.random(in: 0..<16))
        let randomCount = length - token.count
        let random = (0..<randomCount).map { _ in UInt8.random(in: 0...255) }
        answer(datagram) { space, _ in
            ngtcp2_pkt_write_stateless_reset(space, length, token, random, random.count)
        }
        statistics.statelessResets += 1
    }

    private func answer(
        _ datagram: Datagram,
        _ write: (UnsafeMutablePointer<UInt8>, Int) -> ngtcp2_ssize
    ) {
        var packet = [UInt8](repeating: 0, count: DatagramBurst.maxDatagramBytes)
        let count = packet.withUnsafeMutableBufferPointer { space in
            space.baseAddress.map { write($0, space.count) } ?? 0
        }
        guard count > 0 else { return }
        send(Array(packet.prefix(count)), to: datagram.remoteAddress)
    }

    /// Nanoseconds since 1970: tokens outlive the process.
    private static func wallClock() -> UInt64 {
        UInt64(clamping: WallTime.now.microsecondsSinceEpoch) * 1_000
    }
}

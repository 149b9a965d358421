import CNghttp3
import CNgtcp2
import NIOCore

/// What leaves: datagrams out of ngtcp2, with what nghttp3 wants sent.
///
/// The loop runs once for each datagram: it touches pointers and numbers, and no object that counts its
/// references.
extension QUICConnection {
    /// What the loop needs, looked up once for each burst.
    private struct Pointers {
        let quic: OpaquePointer
        let http: OpaquePointer?
        let path: UnsafeMutablePointer<ngtcp2_path_storage>
        let packet: UnsafeMutablePointer<ngtcp2_pkt_info>
        let httpVectors: UnsafeMutablePointer<nghttp3_vec>
        let quicVectors: UnsafeMutablePointer<ngtcp2_vec>
        let now: UInt64

        /// Of what nghttp3 gives.
        func byteCount(of vectors: Int) -> Int {
            (0..<vectors).reduce(0) { $0 + httpVectors[$1].len }
        }
    }

    /// Writes datagrams until there are no more to write now, the pacer says enough, or `burst` is full.
    ///
    /// - Returns: Whether it stopped because `burst` is full.
    func write(into burst: DatagramBurst, scratch: QUICScratch) -> Bool {
        guard isAlive else { return false }
        scratch.clearPath()
        let pointers = Pointers(
            quic: quic,
            http: http?.pointer,
            path: scratch.path,
            packet: scratch.packet,
            httpVectors: scratch.httpVectors,
            quicVectors: scratch.quicVectors,
            now: endpoint.clock()
        )
        let quantum = max(
            ngtcp2_conn_get_send_quantum(pointers.quic),
            DatagramBurst.maxDatagramBytes
        )
        let maxBytes = maxDatagramBytes(now: pointers.now)
        burst.aim(at: sentPath)
        var (bytes, packets, markable) = (0, 0, 0)
        var result = 0
        while bytes < quantum, !burst.isFull {
            result = burst.withSpace(maxBytes) { space, capacity in
                writeDatagram(into: space, capacity, pointers)
            }
            guard result > 0 else { break }
            if sentPath.update(&scratch.path.pointee.path) { burst.aim(at: sentPath) }
            let congestion = scratch.packet.pointee.ecn
            burst.append(result, congestion: congestion)
            markable += congestion == UInt32(NGTCP2_ECN_NOT_ECT) ? 0 : 1
            bytes += result
            packets += 1
        }
        endpoint.statistics.packetsSent += UInt64(packets)
        endpoint.statistics.markablePacketsSent += UInt64(markable)
        endpoint.statistics.bytesSent += UInt64(bytes)
        guard result >= 0 else {
            close(failure ?? .library(CInt(result)))
            return false
        }
        ngtcp2_conn_update_pkt_tx_time(pointers.quic, pointers.now)
        arm()
        return bytes < quantum && burst.isFull
    }

    /// - Returns: The bytes of a datagram; 0 when there is none to send now; less when ngtcp2 or
    ///   nghttp3 have given up.
    private func writeDatagram(
        into space: UnsafeMutablePointer<UInt8>,
        _ capacity: Int,
        _ pointers: Pointers
    ) -> Int {
        while true {
            var stream: Int64 = -1
            var isLast: CInt = 0
            var vectors = 0
            if let http = pointers.http, ngtcp2_conn_get_max_data_left(pointers.quic) > 0 {
                vectors = nghttp3_conn_writev_stream(
                    http,
                    &stream,
                    &isLast,
                    pointers.httpVectors,
                    QUICScratch.vectorCount
                )
                guard vectors >= 0 else {
                    failure = .http(CInt(vectors))
                    return vectors
                }
            }
            var taken: ngtcp2_ssize = -1
            let flags =
                NGTCP2_WRITE_STREAM_FLAG_MORE | (isLast != 0 ? NGTCP2_WRITE_STREAM_FLAG_FIN : 0)
            let result = mirror_quic_write(
                pointers.quic,
                &pointers.path.pointee.path,
                pointers.packet,
                space,
                capacity,
                &taken,
                flags,
                stream,
                pointers.quicVectors,
                vectors,
                pointers.now
            )
            if taken >= 0, stream >= 0, let http = pointers.http {
                nghttp3_conn_add_write_offset(http, stream, taken)
                if isLast != 0, taken == pointers.byteCount(of: vectors) {
                    streams[stream].map(endpoint.wrote)
                }
            }
            switch CInt(result) {
            case NGTCP2_ERR_WRITE_MORE: continue
            case NGTCP2_ERR_STREAM_DATA_BLOCKED:
                if let http = pointers.http { nghttp3_conn_block_stream(http, stream) }
            case NGTCP2_ERR_STREAM_SHUT_WR, NGTCP2_ERR_STREAM_NOT_FOUND:
                if let http = pointers.http { nghttp3_conn_shutdown_stream_write(http, stream) }
            default: return result
            }
        }
    }
}

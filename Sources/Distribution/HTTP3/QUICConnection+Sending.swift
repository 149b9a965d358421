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
        let now: UInt64
    }

    /// What leaves at once; 32 datagrams, so that two bursts fit the receive buffer that a socket of Linux has by
    /// default.
    private static let maxBurstBytes = 45_000

    /// How much may leave now: what ngtcp2 says, or what is due until the pacer's alarm can ring again.
    ///
    /// For BBR ngtcp2 says a round trip's worth at its rate: on a path of 50 µs, an alarm for every ten datagrams.
    private var quantum: Int {
        let due = mirror_quic_pacing_rate(quic) * Double(QUICEndpoint.timerGranularity.nanoseconds)
        return max(
            DatagramBurst.maxDatagramBytes,
            min(
                Self.maxBurstBytes,
                max(ngtcp2_conn_get_send_quantum(quic), Int(min(due, Double(Self.maxBurstBytes))))
            )
        )
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
            now: endpoint.clock()
        )
        let quantum = quantum
        let maxBytes = maxDatagramBytes(now: pointers.now)
        burst.aim(at: sentPath)
        var run = StreamRun(scratch)
        var (bytes, packets, markable) = (0, 0, 0)
        var result = 0
        while bytes < quantum, !burst.isFull {
            result = burst.withSpace(maxBytes) { space, capacity in
                writeDatagram(into: space, capacity, pointers, scratch, &run)
            }
            guard result > 0 else { break }
            if sentPath.update(&scratch.path.pointee.path) { burst.aim(at: sentPath) }
            let congestion = scratch.packet.pointee.ecn
            burst.append(result, congestion: congestion)
            markable += congestion == UInt32(NGTCP2_ECN_NOT_ECT) ? 0 : 1
            bytes += result
            packets += 1
        }
        if let http = pointers.http { run.end(http) }
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
        _ pointers: Pointers,
        _ scratch: QUICScratch,
        _ run: inout StreamRun
    ) -> Int {
        while true {
            let isOpen = ngtcp2_conn_get_max_data_left(pointers.quic) > 0
            if isOpen, run.isOver, let http = pointers.http {
                run.end(http)
                let result = run.begin(http, scratch)
                guard result >= 0 else {
                    failure = .http(CInt(result))
                    return result
                }
            }
            let stream = isOpen ? run.stream : -1
            var taken: ngtcp2_ssize = -1
            let result = mirror_quic_write(
                pointers.quic,
                &pointers.path.pointee.path,
                pointers.packet,
                space,
                capacity,
                &taken,
                NGTCP2_WRITE_STREAM_FLAG_MORE | (run.isLast ? NGTCP2_WRITE_STREAM_FLAG_FIN : 0),
                stream,
                run.vectors,
                run.vectorCount,
                pointers.now
            )
            if taken >= 0, stream >= 0 {
                run.take(taken)
                if run.isLast, run.isTaken { streams[stream].map(endpoint.wrote) }
            }
            switch CInt(result) {
            case NGTCP2_ERR_WRITE_MORE: continue
            case NGTCP2_ERR_STREAM_DATA_BLOCKED:
                guard let http = pointers.http else { return result }
                run.end(http)
                nghttp3_conn_block_stream(http, stream)
            case NGTCP2_ERR_STREAM_SHUT_WR, NGTCP2_ERR_STREAM_NOT_FOUND:
                guard let http = pointers.http else { return result }
                run.end(http)
                nghttp3_conn_shutdown_stream_write(http, stream)
            default: return result
            }
        }
    }
}

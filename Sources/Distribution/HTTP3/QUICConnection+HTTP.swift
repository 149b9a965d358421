import CNghttp3
import CNgtcp2
import HTTPTypes
import NIOCore

/// HTTP/3 on the connection: its own streams, requests in, answers out.
///
/// Source: RFC 9114, 6.2 (streams of the server), 4.1 (requests).
extension QUICConnection {
    /// Once answers can be encrypted: the control stream and those of QPACK.
    ///
    /// - Returns: 0, or a failure of the callback it is called from.
    func openHTTP() -> CInt {
        guard http == nil else { return 0 }
        let limits = endpoint.door.http3
        do {
            let http = try HTTP3Handle(
                self,
                limits: limits,
                maxHeaderBytes: endpoint.door.limits.maxHeaderBytes
            )
            self.http = http
            nghttp3_conn_set_max_client_streams_bidi(
                http.pointer,
                UInt64(limits.concurrentRequests)
            )
            var streams: [Int64] = []
            for _ in 0..<3 {
                var stream: Int64 = -1
                guard ngtcp2_conn_open_uni_stream(quic, &stream, nil) == 0 else {
                    // A peer that allows fewer cannot do HTTP/3 (RFC 9114, 6.2).
                    failure = .application(UInt64(NGHTTP3_H3_GENERAL_PROTOCOL_ERROR))
                    return NGTCP2_ERR_CALLBACK_FAILURE
                }
                streams.append(stream)
            }
            let result = nghttp3_conn_bind_control_stream(http.pointer, streams[0])
            guard result == 0 else { return check(result) }
            return check(nghttp3_conn_bind_qpack_streams(http.pointer, streams[1], streams[2]))
        } catch {
            failure = .transport(UInt64(NGTCP2_INTERNAL_ERROR))
            return NGTCP2_ERR_CALLBACK_FAILURE
        }
    }

    func handshakeCompleted() -> CInt {
        endpoint.handshakeCompleted(by: self)
        return 0
    }

    // MARK: Requests

    func receive(_ bytes: UnsafeBufferPointer<UInt8>, isLast: Bool, on stream: Int64) -> CInt {
        guard let http else { return NGTCP2_ERR_CALLBACK_FAILURE }
        if ngtcp2_is_bidi_stream(stream) == 0, !rates.controlStreamBytes(bytes.count) {
            failure = .application(UInt64(NGHTTP3_H3_EXCESSIVE_LOAD))
            return NGTCP2_ERR_CALLBACK_FAILURE
        }
        let consumed = nghttp3_conn_read_stream(
            http.pointer,
            stream,
            bytes.baseAddress,
            bytes.count,
            isLast ? 1 : 0
        )
        guard consumed >= 0 else { return check(CInt(consumed)) }
        extendWindows(consumed, of: stream)
        return 0
    }

    func requestBegins(on stream: Int64) {
        guard streams[stream] == nil else { return }
        streams[stream] = HTTP3Stream(id: stream, connection: self, limits: endpoint.door.limits)
        endpoint.statistics.streams += 1
    }

    /// Outside of any callback.
    func begin(_ stream: HTTP3Stream) {
        guard let head = stream.endOfHead() else { return }
        switch head.outcome {
        case .request(let request):
            if !head.hasPriority { prioritise(stream, RouteClass(path: request.path ?? "")) }
            stream.answer(request, in: endpoint)
        case .tooLarge:
            stream.refuse(HTTPResponse(status: .requestHeaderFieldsTooLarge))
        case .malformed:
            reset(stream, code: NGHTTP3_H3_MESSAGE_ERROR)
        }
    }

    /// What a player needs to go on comes before what it stores; several of one kind share the line, so
    /// that sound does not queue behind the picture.
    ///
    /// Source: RFC 9218, 4 and 10.
    private func prioritise(_ stream: HTTP3Stream, _ route: RouteClass) {
        guard let http else { return }
        var priority = nghttp3_pri()
        switch route {
        case .multivariantPlaylist, .mediaPlaylist, .initialization:
            (priority.urgency, priority.inc) = (1, 0)
        case .part: (priority.urgency, priority.inc) = (2, 1)
        case .segment: (priority.urgency, priority.inc) = (4, 1)
        case .api, .health, .metrics, .page, .other: return
        }
        nghttp3_conn_set_stream_priority(http.pointer, stream.id, &priority)
    }

    /// The responder has taken `count` bytes of a request's body.
    func consumed(_ count: Int, of stream: Int64) {
        guard isAlive else { return }
        extendWindows(count, of: stream)
        endpoint.hasSomethingToSend(self)
    }

    func extendWindows(_ count: Int, of stream: Int64) {
        guard count > 0 else { return }
        ngtcp2_conn_extend_max_stream_offset(quic, stream, UInt64(count))
        ngtcp2_conn_extend_max_offset(quic, UInt64(count))
    }

    // MARK: Answers

    func submit(_ head: HTTPResponse, hasBody: Bool, on stream: HTTP3Stream) throws {
        guard isAlive, let http else { throw ViewerLeft() }
        let result = HTTP3FieldSection(head).withFields { fields in
            var reader = Self.bodyReader
            return withUnsafePointer(to: &reader) {
                nghttp3_conn_submit_response(
                    http.pointer,
                    stream.id,
                    fields.baseAddress,
                    fields.count,
                    hasBody ? $0 : nil
                )
            }
        }
        guard result == 0 else { throw QUICError(operation: "submit an answer", code: result) }
        endpoint.hasSomethingToSend(self)
    }

    /// There is more of the body, or its end.
    func resume(_ stream: HTTP3Stream) {
        guard isAlive, let http else { return }
        nghttp3_conn_resume_stream(http.pointer, stream.id)
        endpoint.hasSomethingToSend(self)
    }

    func stopReading(_ stream: HTTP3Stream) {
        guard isAlive else { return }
        ngtcp2_conn_shutdown_stream_read(quic, stream.id, UInt64(NGHTTP3_H3_NO_ERROR))
        endpoint.hasSomethingToSend(self)
    }

    /// Gives up on a request.
    func reset(_ stream: HTTP3Stream, code: CInt = NGHTTP3_H3_REQUEST_CANCELLED) {
        guard isAlive, !stream.isReset, let http else { return }
        stream.giveUp()
        nghttp3_conn_shutdown_stream_write(http.pointer, stream.id)
        ngtcp2_conn_shutdown_stream(quic, stream.id, UInt64(code))
        endpoint.hasSomethingToSend(self)
    }

    // MARK: Ends of streams, from inside callbacks

    func stoppedReading(_ stream: Int64, isReset: Bool) -> CInt {
        guard let http else { return 0 }
        if isReset { streams[stream]?.presence.leave() }
        let result = nghttp3_conn_shutdown_stream_read(http.pointer, stream)
        return result == NGHTTP3_ERR_STREAM_NOT_FOUND ? 0 : check(result)
    }

    /// A stream has ended: with a `code` when either side gave it up.
    func streamClosed(_ stream: Int64, code: UInt64?) -> CInt {
        let noError = UInt64(NGHTTP3_H3_NO_ERROR)
        let isRequest = ngtcp2_is_bidi_stream(stream) != 0
        if isRequest {
            ngtcp2_conn_extend_max_streams_bidi(quic, 1)
        } else if ngtcp2_conn_is_local_stream(quic, stream) == 0 {
            ngtcp2_conn_extend_max_streams_uni(quic, 1)
        }
        let isWithinRate = endOfStream(stream, isGivenUp: code ?? noError != noError)
        if let http {
            let result = nghttp3_conn_close_stream(http.pointer, stream, code ?? noError)
            guard result == 0 || result == NGHTTP3_ERR_STREAM_NOT_FOUND else {
                return check(result)
            }
        }
        guard isWithinRate else {
            failure = .application(UInt64(NGHTTP3_H3_EXCESSIVE_LOAD))
            return NGTCP2_ERR_CALLBACK_FAILURE
        }
        return 0
    }

    /// - Returns: Whether the peer gives up no more requests than it may.
    private func endOfStream(_ number: Int64, isGivenUp: Bool) -> Bool {
        guard let stream = streams.removeValue(forKey: number) else { return true }
        idleSince = .now()
        ngtcp2_conn_extend_max_offset(quic, UInt64(stream.unreadBytes))
        return !ended(stream, isGivenUp: isGivenUp) || rates.requestAbandoned()
    }

    /// Counts a request that is over, with its stream or with the connection, and lets go of it.
    ///
    /// - Returns: Whether it was abandoned: nobody has its whole answer.
    @discardableResult func ended(_ stream: HTTP3Stream, isGivenUp: Bool) -> Bool {
        let lost = ngtcp2_conn_get_stream_loss_count(quic, stream.id)
        endpoint.statistics.packetsLost += UInt64(lost)
        endpoint.statistics.roundTrip.record(
            .nanoseconds(Int64(clamping: mirror_quic_smoothed_round_trip(quic)))
        )
        let isAbandoned = isGivenUp || !stream.isAnswered
        if isAbandoned { endpoint.statistics.abandonedStreams += 1 }
        stream.close()
        return isAbandoned
    }
}

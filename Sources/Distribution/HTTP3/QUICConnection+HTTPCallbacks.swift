import CNghttp3
import CNgtcp2

/// What nghttp3 tells and asks.
///
/// A callback returns 0, or `NGHTTP3_ERR_CALLBACK_FAILURE` after it has set `failure`.
extension QUICConnection {
    /// The connection, and the request on one of its streams.
    private static func of(
        _ userData: UnsafeMutableRawPointer?,
        _ stream: Int64
    ) -> (connection: QUICConnection, stream: HTTP3Stream)? {
        guard let userData else { return nil }
        let connection = Unmanaged<QUICConnection>.fromOpaque(userData).takeUnretainedValue()
        return connection.streams[stream].map { (connection, $0) }
    }

    static var http3Callbacks: nghttp3_callbacks {
        var callbacks = nghttp3_callbacks()
        setRequest(&callbacks)
        callbacks.acked_stream_data = { _, stream, count, userData, _ in
            QUICConnection.of(userData, stream)?.stream.acknowledge(Int(clamping: count))
            return 0
        }
        callbacks.deferred_consume = { _, stream, count, userData, _ in
            QUICConnection.of(userData, stream)?.connection.extendWindows(count, of: stream)
            return 0
        }
        callbacks.stop_sending = { _, stream, code, userData, _ in
            guard let userData else { return 0 }
            let connection = Unmanaged<QUICConnection>.fromOpaque(userData).takeUnretainedValue()
            return ngtcp2_conn_shutdown_stream_read(connection.quic, stream, code) == 0
                ? 0 : NGHTTP3_ERR_CALLBACK_FAILURE
        }
        callbacks.reset_stream = { _, stream, code, userData, _ in
            guard let userData else { return 0 }
            let connection = Unmanaged<QUICConnection>.fromOpaque(userData).takeUnretainedValue()
            return ngtcp2_conn_shutdown_stream_write(connection.quic, stream, code) == 0
                ? 0 : NGHTTP3_ERR_CALLBACK_FAILURE
        }
        return callbacks
    }

    private static func setRequest(_ callbacks: inout nghttp3_callbacks) {
        callbacks.begin_headers = { _, stream, userData, _ in
            guard let userData else { return 0 }
            let connection = Unmanaged<QUICConnection>.fromOpaque(userData).takeUnretainedValue()
            connection.requestBegins(on: stream)
            return 0
        }
        callbacks.recv_header = { _, stream, _, name, value, _, userData, _ in
            guard let request = QUICConnection.of(userData, stream)?.stream else { return 0 }
            let (name, value) = (nghttp3_rcbuf_get_buf(name), nghttp3_rcbuf_get_buf(value))
            request.add(
                name: UnsafeBufferPointer(start: name.base, count: name.len),
                value: UnsafeBufferPointer(start: value.base, count: value.len)
            )
            return 0
        }
        callbacks.end_headers = { _, stream, isLast, userData, _ in
            guard let found = QUICConnection.of(userData, stream) else { return 0 }
            if isLast != 0 { found.stream.endOfRequest() }
            found.connection.ready.append(found.stream)
            return 0
        }
        callbacks.recv_data = { _, stream, bytes, count, userData, _ in
            guard let found = QUICConnection.of(userData, stream) else { return 0 }
            found.stream.receiveBody(UnsafeBufferPointer(start: bytes, count: count))
            return 0
        }
        callbacks.end_stream = { _, stream, userData, _ in
            QUICConnection.of(userData, stream)?.stream.endOfRequest()
            return 0
        }
    }

    /// Where nghttp3 gets the body of an answer from.
    static var bodyReader: nghttp3_data_reader {
        nghttp3_data_reader { _, stream, vectors, capacity, flags, userData, _ in
            guard let request = QUICConnection.of(userData, stream)?.stream, let vectors, let flags
            else { return Int(NGHTTP3_ERR_CALLBACK_FAILURE) }
            let given = request.chunks.give(vectors, capacity: capacity)
            if given.isEnd {
                flags.pointee |= UInt32(NGHTTP3_DATA_FLAG_EOF)
                return given.count
            }
            return given.count == 0 ? Int(NGHTTP3_ERR_WOULDBLOCK) : given.count
        }
    }
}

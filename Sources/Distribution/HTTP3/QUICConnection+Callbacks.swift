import CNghttp3
import CNgtcp2
import NIOCore

/// What ngtcp2 tells and asks.
///
/// A callback returns 0, or `NGTCP2_ERR_CALLBACK_FAILURE` after it has set `failure`.
extension QUICConnection {
    /// The connection behind C's word of memory; alive, as it is what called C.
    static func of(_ userData: UnsafeMutablePointer<ngtcp2_crypto_conn_ref>?) -> QUICConnection? {
        userData?.pointee.user_data.map {
            Unmanaged<QUICConnection>.fromOpaque($0).takeUnretainedValue()
        }
    }

    private static func of(_ userData: UnsafeMutableRawPointer?) -> QUICConnection? {
        of(userData?.assumingMemoryBound(to: ngtcp2_crypto_conn_ref.self))
    }

    static var callbacks: ngtcp2_callbacks {
        var callbacks = ngtcp2_callbacks()
        setCryptography(&callbacks)
        setConnectionIDs(&callbacks)
        setStreams(&callbacks)
        callbacks.handshake_completed = { _, userData in
            QUICConnection.of(userData)?.handshakeCompleted() ?? 0
        }
        callbacks.recv_tx_key = { _, level, userData in
            guard level == NGTCP2_CRYPTO_LEVEL_APPLICATION else { return 0 }
            return QUICConnection.of(userData)?.openHTTP() ?? NGTCP2_ERR_CALLBACK_FAILURE
        }
        callbacks.path_validation = { _, _, path, result, userData in
            if let path, result == NGTCP2_PATH_VALIDATION_RESULT_SUCCESS {
                QUICConnection.of(userData)?.pathValidated(path.pointee)
            }
            return 0
        }
        return callbacks
    }

    /// The library's own, on GnuTLS.
    private static func setCryptography(_ callbacks: inout ngtcp2_callbacks) {
        callbacks.recv_client_initial = ngtcp2_crypto_recv_client_initial_cb
        callbacks.recv_crypto_data = ngtcp2_crypto_recv_crypto_data_cb
        callbacks.encrypt = ngtcp2_crypto_encrypt_cb
        callbacks.decrypt = ngtcp2_crypto_decrypt_cb
        callbacks.hp_mask = ngtcp2_crypto_hp_mask_cb
        callbacks.update_key = ngtcp2_crypto_update_key_cb
        callbacks.delete_crypto_aead_ctx = ngtcp2_crypto_delete_crypto_aead_ctx_cb
        callbacks.delete_crypto_cipher_ctx = ngtcp2_crypto_delete_crypto_cipher_ctx_cb
        callbacks.get_path_challenge_data = ngtcp2_crypto_get_path_challenge_data_cb
        callbacks.version_negotiation = ngtcp2_crypto_version_negotiation_cb
        callbacks.rand = { bytes, count, _ in
            var generator = SystemRandomNumberGenerator()
            for index in 0..<count { bytes?[index] = generator.next() }
        }
    }

    private static func setConnectionIDs(_ callbacks: inout ngtcp2_callbacks) {
        callbacks.get_new_connection_id = { _, identifier, token, count, userData in
            guard let identifier, let token, count == ConnectionID.ownLength,
                let connection = QUICConnection.of(userData)
            else { return NGTCP2_ERR_CALLBACK_FAILURE }
            let fresh = connection.endpoint.makeConnectionID()
            identifier.pointee = fresh.c
            guard connection.endpoint.door.secrets.resetToken(for: fresh.c, into: token) else {
                return NGTCP2_ERR_CALLBACK_FAILURE
            }
            connection.endpoint.register(fresh, for: connection)
            return 0
        }
        callbacks.remove_connection_id = { _, identifier, userData in
            if let identifier, let connection = QUICConnection.of(userData) {
                connection.endpoint.unregister(ConnectionID(identifier.pointee), of: connection)
            }
            return 0
        }
    }

    private static func setStreams(_ callbacks: inout ngtcp2_callbacks) {
        callbacks.recv_stream_data = { _, flags, stream, _, bytes, count, userData, _ in
            let isLast = flags & UInt32(NGTCP2_STREAM_DATA_FLAG_FIN) != 0
            let data = UnsafeBufferPointer(start: bytes, count: count)
            return QUICConnection.of(userData)?.receive(data, isLast: isLast, on: stream)
                ?? NGTCP2_ERR_CALLBACK_FAILURE
        }
        callbacks.acked_stream_data_offset = { _, stream, _, count, userData, _ in
            guard let connection = QUICConnection.of(userData), let http = connection.http else {
                return 0
            }
            return connection.check(
                nghttp3_conn_add_ack_offset(http.pointer, stream, count)
            )
        }
        callbacks.stream_close = { _, flags, stream, code, userData, _ in
            let isSet = flags & UInt32(NGTCP2_STREAM_CLOSE_FLAG_APP_ERROR_CODE_SET) != 0
            return QUICConnection.of(userData)?.streamClosed(stream, code: isSet ? code : nil) ?? 0
        }
        callbacks.stream_reset = { _, stream, _, _, userData, _ in
            QUICConnection.of(userData)?.stoppedReading(stream, isReset: true) ?? 0
        }
        callbacks.stream_stop_sending = { _, stream, _, userData, _ in
            QUICConnection.of(userData)?.stoppedReading(stream, isReset: false) ?? 0
        }
        callbacks.extend_max_stream_data = { _, stream, _, userData, _ in
            guard let connection = QUICConnection.of(userData), let http = connection.http else {
                return 0
            }
            return connection.check(nghttp3_conn_unblock_stream(http.pointer, stream))
        }
        callbacks.extend_max_remote_streams_bidi = { _, count, userData in
            if let http = QUICConnection.of(userData)?.http {
                nghttp3_conn_set_max_client_streams_bidi(http.pointer, count)
            }
            return 0
        }
    }

    /// Of a result of nghttp3, within a callback of ngtcp2.
    func check(_ result: CInt) -> CInt {
        guard result != 0 else { return 0 }
        failure = .http(result)
        return NGTCP2_ERR_CALLBACK_FAILURE
    }
}

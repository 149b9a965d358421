import CNghttp3
import CNgtcp2

/// Owns an `ngtcp2_conn`, its TLS session, and the word of memory by which C finds the connection.
///
/// Threads: the connection's event loop.
final class QUICHandle {
    let pointer: OpaquePointer
    private let reference: UnsafeMutablePointer<ngtcp2_crypto_conn_ref>
    private let session: GnuTLSSession

    /// - Parameters are those of `ngtcp2_conn_server_new`; `path` is copied.
    init(
        credentials: GnuTLSCredentials,
        peerID: ngtcp2_cid,
        ownID: ngtcp2_cid,
        path: ngtcp2_path,
        version: UInt32,
        settings: ngtcp2_settings,
        parameters: ngtcp2_transport_params
    ) throws {
        reference = .allocate(capacity: 1)
        reference.initialize(to: ngtcp2_crypto_conn_ref())
        do {
            session = try GnuTLSSession(credentials, connection: reference)
        } catch {
            reference.deallocate()
            throw error
        }
        var connection: OpaquePointer?
        var (peerID, ownID, path) = (peerID, ownID, path)
        var (settings, parameters, callbacks) = (settings, parameters, QUICConnection.callbacks)
        let result = mirror_quic_server_new(
            &connection,
            &peerID,
            &ownID,
            &path,
            version,
            &callbacks,
            &settings,
            &parameters,
            reference
        )
        guard result == 0, let connection else {
            reference.deallocate()
            throw QUICError(operation: "make a connection", code: result)
        }
        pointer = connection
        ngtcp2_conn_set_tls_native_handle(connection, UnsafeMutableRawPointer(session.handle))
    }

    deinit {
        ngtcp2_conn_del(pointer)
        reference.deallocate()
    }

    /// From here on C finds `connection`, which must outlive this.
    func bind(_ connection: QUICConnection) {
        reference.pointee.user_data = Unmanaged.passUnretained(connection).toOpaque()
        reference.pointee.get_conn = { reference in
            QUICConnection.of(reference)?.handle.pointer
        }
    }
}

/// Owns an `nghttp3_conn`.
final class HTTP3Handle {
    let pointer: OpaquePointer

    init(_ connection: QUICConnection, limits: HTTP3Limits, maxHeaderBytes: Int) throws {
        var settings = nghttp3_settings()
        mirror_http3_settings_default(&settings)
        settings.max_field_section_size = UInt64(maxHeaderBytes)
        settings.qpack_max_dtable_capacity = limits.qpackTableBytes
        settings.qpack_encoder_max_dtable_capacity = limits.qpackTableBytes
        settings.qpack_blocked_streams = limits.qpackBlockedStreams
        var callbacks = QUICConnection.http3Callbacks
        var pointer: OpaquePointer?
        let result = mirror_http3_server_new(
            &pointer,
            &callbacks,
            &settings,
            Unmanaged.passUnretained(connection).toOpaque()
        )
        guard result == 0, let pointer else {
            throw QUICError(operation: "make an HTTP/3 connection", code: result)
        }
        self.pointer = pointer
    }

    deinit {
        nghttp3_conn_del(pointer)
    }
}

/// What ngtcp2 or nghttp3 did not do, and why.
struct QUICError: Error, CustomStringConvertible {
    let description: String

    init(operation: String, code: CInt) {
        let reason = code <= -200 || code == 0 ? ngtcp2_strerror(code) : nghttp3_strerror(code)
        description = "QUIC: \(operation): \(reason.map { String(cString: $0) } ?? "\(code)")"
    }
}

import CGnuTLS
import CNgtcp2

/// The TLS handshake of one connection over QUIC.
///
/// GnuTLS keeps a pointer to the connection's reference: it must outlive this.
/// Threads: the connection's event loop.
final class GnuTLSSession {
    let handle: gnutls_session_t
    /// Alive for as long as the session, which points into it.
    private let credentials: GnuTLSCredentials

    /// Begins a handshake.
    ///
    /// No early data: an answer must not depend on a request that somebody may have played back
    /// (RFC 9001, 9.2). No tickets, as without early data they spare no round trip.
    init(
        _ credentials: GnuTLSCredentials,
        connection: UnsafeMutablePointer<ngtcp2_crypto_conn_ref>
    ) throws(GnuTLSError) {
        self.credentials = credentials
        var session: gnutls_session_t?
        let flags = [
            GNUTLS_SERVER, GNUTLS_NO_TICKETS, GNUTLS_NO_AUTO_SEND_TICKET,
            GNUTLS_NO_END_OF_EARLY_DATA,
        ].reduce(0) { $0 | $1.rawValue }
        try GnuTLSError.check(gnutls_init(&session, flags), "begin a session")
        guard let session else { throw GnuTLSError("begin a session") }
        handle = session
        // From here on `deinit` frees the session.
        try credentials.apply(to: session)
        try GnuTLSError.check(
            ngtcp2_crypto_gnutls_configure_server_session(session),
            "configure for QUIC"
        )
        gnutls_session_set_ptr(session, connection)
        var name = Array("h3".utf8)
        let result = name.withUnsafeMutableBufferPointer { name in
            var datum = gnutls_datum_t(name)
            return gnutls_alpn_set_protocols(
                session,
                &datum,
                1,
                UInt32(GNUTLS_ALPN_MANDATORY.rawValue)
            )
        }
        try GnuTLSError.check(result, "set ALPN")
    }

    deinit {
        gnutls_deinit(handle)
    }
}

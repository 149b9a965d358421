import CGnuTLS

/// A certificate with its key and the rules of TLS for QUIC, as GnuTLS wants them.
///
/// Freed when the last session that began with it has ended.
/// Threads: any; GnuTLS allows sessions of several threads to share what is not changed any more.
///
/// Source: RFC 9001, 4.2 (TLS 1.3), 8.1 (ALPN), 8.4 (no compatibility mode).
final class GnuTLSCredentials: Sendable {
    /// Addresses as numbers, as a pointer may not be shared between threads whatever is behind it.
    private let certificate: UInt
    private let priority: UInt

    init(certificatePEM: [UInt8], keyPEM: [UInt8]) throws(GnuTLSError) {
        var certificate: gnutls_certificate_credentials_t?
        try GnuTLSError.check(
            gnutls_certificate_allocate_credentials(&certificate),
            "allocate credentials"
        )
        guard let certificate else { throw GnuTLSError("allocate credentials") }
        var priority: gnutls_priority_t?
        do throws(GnuTLSError) {
            try Self.load(certificatePEM, keyPEM, into: certificate)
            try GnuTLSError.check(
                gnutls_priority_init(
                    &priority,
                    "NORMAL:-VERS-ALL:+VERS-TLS1.3:%DISABLE_TLS13_COMPAT_MODE",
                    nil
                ),
                "set priorities"
            )
        } catch {
            gnutls_certificate_free_credentials(certificate)
            throw error
        }
        guard let priority else { throw GnuTLSError("set priorities") }
        self.certificate = UInt(bitPattern: certificate)
        self.priority = UInt(bitPattern: priority)
    }

    deinit {
        gnutls_certificate_free_credentials(OpaquePointer(bitPattern: certificate))
        gnutls_priority_deinit(OpaquePointer(bitPattern: priority))
    }

    /// Applies them to a session, which must keep this alive for as long as it lives.
    func apply(to session: gnutls_session_t) throws(GnuTLSError) {
        try GnuTLSError.check(
            gnutls_priority_set(session, OpaquePointer(bitPattern: priority)),
            "set priorities"
        )
        try GnuTLSError.check(
            gnutls_credentials_set(
                session,
                GNUTLS_CRD_CERTIFICATE,
                UnsafeMutableRawPointer(bitPattern: certificate)
            ),
            "set credentials"
        )
    }

    private static func load(
        _ certificatePEM: [UInt8],
        _ keyPEM: [UInt8],
        into credentials: gnutls_certificate_credentials_t
    ) throws(GnuTLSError) {
        var (certificates, key) = (certificatePEM, keyPEM)
        let result = certificates.withUnsafeMutableBufferPointer { certificates in
            key.withUnsafeMutableBufferPointer { key in
                var (chain, secret) = (gnutls_datum_t(certificates), gnutls_datum_t(key))
                return gnutls_certificate_set_x509_key_mem(
                    credentials,
                    &chain,
                    &secret,
                    GNUTLS_X509_FMT_PEM
                )
            }
        }
        try GnuTLSError.check(result, "read certificate and key")
    }
}

/// What GnuTLS did not do, and why.
struct GnuTLSError: Error, CustomStringConvertible {
    let description: String

    init(_ operation: String, code: CInt = GNUTLS_E_MEMORY_ERROR) {
        description = "GnuTLS: \(operation): \(String(cString: gnutls_strerror(code)))"
    }

    static func check(_ code: CInt, _ operation: String) throws(GnuTLSError) {
        guard code >= 0 else { throw GnuTLSError(operation, code: code) }
    }
}

extension gnutls_datum_t {
    init(_ bytes: UnsafeMutableBufferPointer<UInt8>) {
        self.init(data: bytes.baseAddress, size: UInt32(clamping: bytes.count))
    }
}

/// Why a certificate and its key cannot be used, in words that name the file and the cure.
package struct TLSCredentialsError: Error, Sendable, Equatable, CustomStringConvertible {
    package enum Code: String, Sendable, CaseIterable {
        case unreadable
        case notACertificate = "not_a_certificate"
        case notAKey = "not_a_key"
        case keyDoesNotMatch = "key_does_not_match"
        case expired
        case notYetValid = "not_yet_valid"
        case notForHTTP3 = "not_for_http3"
    }

    package let code: Code
    package let path: String
    /// What the library says, where the code does not say it all.
    private let reason: String

    init(_ code: Code, path: String, reason: String = "") {
        self.code = code
        self.path = path
        self.reason = reason
    }

    package var description: String {
        switch code {
        case .unreadable:
            "\(path) cannot be read. Run `mirror certs` to make a local certificate and key, or set "
                + "server.tls_cert_file and server.tls_key_file to files this user may read."
        case .notACertificate:
            "\(path) holds no PEM certificate. It must begin with -----BEGIN CERTIFICATE-----, the "
                + "server's own first; `mirror certs` makes one."
        case .notAKey:
            "\(path) holds no PEM private key without a passphrase; `mirror certs` makes one."
        case .keyDoesNotMatch:
            "The key in \(path) does not belong to the certificate. Put the two files of one issue in "
                + "place, or run `mirror certs` for a new pair."
        case .expired:
            "The certificate in \(path) has expired. Renew it, or delete the files and run "
                + "`mirror certs`."
        case .notYetValid:
            "The certificate in \(path) is not valid yet. Check this machine's clock, or run "
                + "`mirror certs` for a new one."
        case .notForHTTP3:
            "The certificate in \(path) and its key cannot be used for HTTP/3 (\(reason)). Use an RSA or "
                + "ECDSA pair, or set server.http3.enabled to false."
        }
    }
}

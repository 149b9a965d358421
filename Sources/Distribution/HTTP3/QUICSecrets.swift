import CNgtcp2
import Crypto
package import Foundation

/// What this server proves to itself that it said something earlier, perhaps before a restart.
///
/// Both come out of the private key of the certificate (HKDF-SHA256): they outlive the process, are
/// the same on every machine that serves the name, and there is nothing to keep or to protect beside
/// the key. A new key makes new ones: what was said with the old is not known again, and old
/// connections end by their idle timeout instead of a reset.
///
/// Source: RFC 9000, 10.3.2 and 8.1.4.
package struct QUICSecrets: Sendable, Equatable {
    let reset: [UInt8]
    let token: [UInt8]

    /// - Parameter privateKey: Its DER bytes.
    package init(privateKey: some ContiguousBytes & DataProtocol) {
        func secret(_ purpose: String) -> [UInt8] {
            HKDF<SHA256>.deriveKey(
                inputKeyMaterial: SymmetricKey(data: privateKey),
                info: Data("mirror quic \(purpose)".utf8),
                outputByteCount: 32
            ).withUnsafeBytes { [UInt8]($0) }
        }
        reset = secret("stateless reset")
        token = secret("address token")
    }

    /// What tells the peer of `identifier` that the connection is gone, and nobody else can say.
    func resetToken(
        for identifier: ngtcp2_cid,
        into token: UnsafeMutablePointer<UInt8>
    ) -> Bool {
        withUnsafePointer(to: identifier) {
            ngtcp2_crypto_generate_stateless_reset_token(token, reset, reset.count, $0) == 0
        }
    }
}

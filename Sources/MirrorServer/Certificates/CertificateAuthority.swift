import Crypto
import Foundation
import SwiftASN1
import X509

/// A certificate authority of this machine's own, for trying Mirror without a public one.
struct CertificateAuthority {
    let certificate: Certificate
    let key: P256.Signing.PrivateKey

    private static let day: TimeInterval = 86_400
    /// Clocks of viewers may be behind.
    private static let backdating: TimeInterval = 3_600
    private static let authorityDays: TimeInterval = 3_650
    /// Browsers take at most 398 days (CA/Browser Forum, Baseline Requirements, 6.3.2).
    private static let certificateDays: TimeInterval = 396

    init(now: Date) throws {
        let key = P256.Signing.PrivateKey()
        let publicKey = Certificate.PublicKey(key.publicKey)
        // A part of the key makes the name unique: trust stores tell authorities apart by name.
        let mark = SHA256.hash(data: key.publicKey.rawRepresentation).prefix(4)
            .map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        let name = try DistinguishedName {
            OrganizationName("Mirror")
            CommonName("Mirror local authority \(mark)")
        }
        certificate = try Certificate(
            version: .v3,
            serialNumber: Certificate.SerialNumber(),
            publicKey: publicKey,
            notValidBefore: now - Self.backdating,
            notValidAfter: now + Self.authorityDays * Self.day,
            issuer: name,
            subject: name,
            signatureAlgorithm: .ecdsaWithSHA256,
            extensions: try Certificate.Extensions {
                Critical(BasicConstraints.isCertificateAuthority(maxPathLength: 0))
                Critical(KeyUsage(keyCertSign: true, cRLSign: true))
                SubjectKeyIdentifier(hash: publicKey)
            },
            issuerPrivateKey: Certificate.PrivateKey(key)
        )
        self.key = key
    }

    init(certificatePEM: String, keyPEM: String) throws {
        certificate = try Certificate(pemEncoded: certificatePEM)
        key = try P256.Signing.PrivateKey(pemRepresentation: keyPEM)
    }

    /// Whether the key is the certificate's, and the certificate is valid for as long as one it signs.
    func canSign(now: Date) -> Bool {
        certificate.publicKey == Certificate.PublicKey(key.publicKey)
            && certificate.notValidAfter > now + Self.certificateDays * Self.day
    }

    /// Signs a server's certificate for a new key.
    func issue(
        for hosts: [CertificateHost],
        now: Date
    ) throws -> (certificate: Certificate, key: P256.Signing.PrivateKey) {
        let key = P256.Signing.PrivateKey()
        let publicKey = Certificate.PublicKey(key.publicKey)
        let authorityKey = SubjectKeyIdentifier(hash: certificate.publicKey)
        let issued = try Certificate(
            version: .v3,
            serialNumber: Certificate.SerialNumber(),
            publicKey: publicKey,
            notValidBefore: now - Self.backdating,
            notValidAfter: now + Self.certificateDays * Self.day,
            issuer: certificate.subject,
            subject: try DistinguishedName {
                OrganizationName("Mirror")
                CommonName("Mirror server")
            },
            signatureAlgorithm: .ecdsaWithSHA256,
            extensions: try Certificate.Extensions {
                Critical(BasicConstraints.notCertificateAuthority)
                Critical(KeyUsage(digitalSignature: true))
                try ExtendedKeyUsage([.serverAuth])
                SubjectAlternativeNames(hosts.map(\.generalName))
                SubjectKeyIdentifier(hash: publicKey)
                AuthorityKeyIdentifier(keyIdentifier: authorityKey.keyIdentifier)
            },
            issuerPrivateKey: Certificate.PrivateKey(self.key)
        )
        return (issued, key)
    }
}

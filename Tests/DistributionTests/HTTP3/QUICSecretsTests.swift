import Distribution
import Foundation
import Testing

@Suite struct QUICSecretsTests {
    @Test func theSameKeyGivesTheSameSecretsAndAnotherKeyOthers() async throws {
        let files = try await CertificateFixture()
        let first = try TLSCredentials(certificatePath: files.certificate, keyPath: files.key)
        let again = try TLSCredentials(certificatePath: files.certificate, keyPath: files.key)
        #expect(first.quicSecrets == again.quicSecrets)
        try await files.issue(commonName: "second")
        let other = try TLSCredentials(certificatePath: files.certificate, keyPath: files.key)
        #expect(first.quicSecrets != other.quicSecrets)
    }

    @Test func secretsOfARunningServerOutliveANewKey() async throws {
        let files = try await CertificateFixture()
        let credentials = try TLSCredentials(certificatePath: files.certificate, keyPath: files.key)
        let before = credentials.quicSecrets
        try await files.issue(commonName: "second")
        try credentials.reload()
        #expect(credentials.quicSecrets == before)
    }

    @Test func theBytesOfTheKeyAreNotTheSecret() {
        let key = Data(repeating: 1, count: 64)
        #expect(QUICSecrets(privateKey: key) == QUICSecrets(privateKey: key))
        #expect(QUICSecrets(privateKey: key) != QUICSecrets(privateKey: key.dropLast()))
    }
}

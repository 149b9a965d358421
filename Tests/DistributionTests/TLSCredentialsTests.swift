import Distribution
import Foundation
import Testing

@Suite(.timeLimit(.minutes(1))) struct TLSCredentialsTests {
    private func load(
        _ certificate: String,
        _ key: String,
        now: Date = Date()
    ) throws(TLSCredentialsError) -> TLSCredentials {
        try TLSCredentials(certificatePath: certificate, keyPath: key, now: now)
    }

    @Test func filesThatCannotServeAreNamedWithTheCure() async throws {
        let (first, second) = (try await CertificateFixture(), try await CertificateFixture())
        let missing = first.folder.appending(path: "none.pem").path()
        let garbage = first.folder.appending(path: "garbage.pem").path()
        try Data("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n".utf8)
            .write(to: URL(filePath: garbage))
        let day: TimeInterval = 86_400
        let cases: [(String, String, Date, TLSCredentialsError.Code, String)] = [
            (missing, first.key, Date(), .unreadable, missing),
            (first.certificate, missing, Date(), .unreadable, missing),
            (garbage, first.key, Date(), .notACertificate, garbage),
            (first.certificate, garbage, Date(), .notAKey, garbage),
            (first.certificate, second.key, Date(), .keyDoesNotMatch, second.key),
            (first.certificate, first.key, Date() + 3 * day, .expired, first.certificate),
            (first.certificate, first.key, Date() - day, .notYetValid, first.certificate),
        ]
        for (certificate, key, now, code, path) in cases {
            let error = #expect(throws: TLSCredentialsError.self) {
                try load(certificate, key, now: now)
            }
            #expect(error?.code == code)
            #expect(error?.path == path)
            #expect(error?.description.contains(path) == true)
            #expect(error?.description.contains("mirror certs") == true)
        }
    }

    @Test func aReloadThatFailsChangesNothing() async throws {
        let files = try await CertificateFixture()
        let credentials = try load(files.certificate, files.key)
        let before = credentials.certificate
        try Data().write(to: URL(filePath: files.certificate))
        #expect(throws: TLSCredentialsError.self) { try credentials.reload() }
        #expect(credentials.certificate == before)
    }

    @Test func newConnectionsGetTheNewCertificateAndOldOnesGoOn() async throws {
        let files = try await CertificateFixture(commonName: "first")
        let credentials = try load(files.certificate, files.key)
        let fixture = try #require(LiveFixture())
        fixture.publish(parts: 0..<3)
        try await withDoor(.tls(credentials), to: fixture) { port, _ in
            let request = "GET /live/cam/video/playlist.m3u8 HTTP/1.1\r\nHost: localhost\r\n\r\n"
            let old = try Command([
                "openssl", "s_client", "-connect", "127.0.0.1:\(port)", "-ign_eof",
            ])
            try old.write(request)
            #expect(try await eventually { old.output.contains("#EXTM3U") })
            #expect(old.output.contains("CN = first"))

            try await files.issue(commonName: "second")
            try credentials.reload()

            let new = try Command(["openssl", "s_client", "-connect", "127.0.0.1:\(port)"])
            #expect(try await eventually { new.output.contains("CN = second") })
            try old.write(request)
            #expect(
                try await eventually { old.output.components(separatedBy: "#EXTM3U").count == 3 }
            )
            old.kill()
            new.kill()
        }
    }
}

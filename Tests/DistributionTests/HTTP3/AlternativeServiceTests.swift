import Distribution
import Testing

@Suite(.timeLimit(.minutes(1))) struct AlternativeServiceTests {
    @Test func nothingIsToldBeforeTheDoorIsOpen() {
        let service = AlternativeService()
        #expect(service.headerValue == nil)
        service.opened(port: 8444)
        #expect(service.headerValue == "h3=\":8444\"; ma=86400")
    }

    @Test(arguments: ["--http1.1", "--http2"])
    func answersOverTLSNameThePort(version: String) async throws {
        let fixture = try #require(LiveFixture())
        fixture.publish(parts: 0..<3)
        let files = try await CertificateFixture()
        let credentials = try TLSCredentials(certificatePath: files.certificate, keyPath: files.key)
        let service = AlternativeService()
        service.opened(port: 8444)
        try await withDoor(.tls(credentials), to: fixture, alternative: service) { port, _ in
            let answer = try await Command.run(
                "curl",
                "-sk",
                "-D-",
                version,
                "https://127.0.0.1:\(port)/live/cam/video/playlist.m3u8"
            )
            #expect(answer.output.lowercased().contains("alt-svc: h3=\":8444\"; ma=86400"))
        }
    }

    @Test func answersInClearDoNot() async throws {
        let fixture = try #require(LiveFixture())
        let service = AlternativeService()
        service.opened(port: 8444)
        try await withDoor(.plain, to: fixture, alternative: service) { port, _ in
            let answer = try await Command.run("curl", "-s", "-D-", "http://127.0.0.1:\(port)/")
            #expect(answer.output.contains("404"))
            #expect(!answer.output.lowercased().contains("alt-svc"))
        }
    }
}

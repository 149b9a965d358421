import Distribution
import Foundation
import NIOCore
import NIOPosix
import Packaging
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(1))) struct FrontDoorTests {
    private let fixture: LiveFixture
    private let certificate: CertificateFixture
    private let credentials: TLSCredentials

    init() async throws {
        fixture = try #require(LiveFixture())
        fixture.publish(parts: 0..<13)
        certificate = try await CertificateFixture()
        credentials = try TLSCredentials(
            certificatePath: certificate.certificate,
            keyPath: certificate.key
        )
    }

    @Test(arguments: [("--http1.1", "1.1"), ("--http2", "2")])
    func bothProtocolsGiveTheSameAnswer(flag: String, version: String) async throws {
        try await withDoor(.tls(credentials), to: fixture) { port, _ in
            let url = "https://127.0.0.1:\(port)/live/cam/video/e1-seg2.m4s"
            let result = try await Command.run(
                "curl",
                "-ksi",
                flag,
                "--compressed",
                "-w",
                "\n%{http_version} %{size_download}",
                url
            )
            #expect(result.status == 0)
            let text = result.output.lowercased()
            #expect(text.hasSuffix("\n\(version) 3000"))
            #expect(text.contains("200"))
            for field in [
                "content-length: 3000", "content-type: video/mp4", "strict-transport-security:",
                "date: ",
            ] {
                #expect(text.contains(field), "\(field)")
            }
            let head = try await Command.run("curl", "-ksI", flag, url)
            #expect(head.output.lowercased().contains("content-length: 3000"))
        }
        #expect(try await eventually { fixture.statistics.snapshot.openConnections == 0 })
        let snapshot = fixture.statistics.snapshot
        #expect(snapshot.requests[.segment]?.byStatus[.success] == 2)
        #expect(snapshot.requests[.segment]?.bytesSent == 3000)
        #expect(snapshot.connections[version == "2" ? .http2 : .http1]?.total == 2)
        #expect(snapshot.requestsInProgress == 0)
    }

    @Test func thePlainDoorAnswersWithoutAPromiseOfTLS() async throws {
        try await withDoor(.plain, to: fixture) { port, _ in
            let url = "http://127.0.0.1:\(port)/live/cam/video/playlist.m3u8"
            let result = try await Command.run("curl", "-si", url)
            #expect(result.output.contains("200 OK"))
            #expect(!result.output.lowercased().contains("strict-transport-security"))
            #expect(fixture.statistics.viewers(of: fixture.name) == 1)
        }
    }

    @Test func olderTLSIsRefused() async throws {
        try await withDoor(.tls(credentials), to: fixture) { port, _ in
            let old = try await Command.run(
                "curl",
                "-ks",
                "--tls-max",
                "1.2",
                "https://127.0.0.1:\(port)/live/cam/playlist.m3u8"
            )
            #expect(old.status == 35)
            #expect(try await eventually { fixture.statistics.snapshot.failedHandshakes == 1 })
        }
    }

    @Test func aConnectionServesOnAfterARequestThatWaited() async throws {
        try await withDoor(.tls(credentials), to: fixture) { port, _ in
            let base = "https://127.0.0.1:\(port)/live/cam/video/playlist.m3u8"
            let curl = try Command([
                "curl", "-ks", "--http1.1", "-o", "/dev/null", "-o", "/dev/null", "-w",
                "%{http_code} %{num_connects};", base + "?_HLS_msn=4&_HLS_part=1", base,
            ])
            #expect(try await eventually { fixture.store.statistics.waiters == 1 })
            fixture.publish(parts: 13..<14)
            #expect(await curl.status() == 0)
            #expect(curl.output == "200 1;200 0;")
        }
    }

    @Test(arguments: ["--http1.1", "--http2"])
    func aViewerWhoGoesAwayWhileWaitingIsFreedAtOnce(flag: String) async throws {
        try await withDoor(.tls(credentials), to: fixture) { port, _ in
            try await expectWaiterFreed("https://127.0.0.1:\(port)", flag)
        }
    }

    @Test func aViewerWhoGoesAwayFromThePlainDoorIsFreedAtOnce() async throws {
        try await withDoor(.plain, to: fixture) { port, _ in
            try await expectWaiterFreed("http://127.0.0.1:\(port)", "--http1.1")
        }
    }

    private func expectWaiterFreed(_ origin: String, _ flag: String) async throws {
        let path = "/live/cam/video/playlist.m3u8?_HLS_msn=4&_HLS_part=1"
        let curl = try Command(["curl", "-ks", flag, origin + path])
        #expect(try await eventually { fixture.store.statistics.waiters == 1 })
        curl.kill()
        // The store itself would hold the wait for six seconds.
        #expect(try await eventually(within: .seconds(3)) { fixture.store.statistics.waiters == 0 })
        #expect(
            try await eventually {
                fixture.statistics.snapshot.requests[.mediaPlaylist]?.abandoned == 1
            }
        )
        #expect(fixture.statistics.snapshot.requestsInProgress == 0)
    }

    @Test func waitingViewersAreAnsweredWhenTheServerStops() async throws {
        try await withDoor(.tls(credentials), to: fixture) { port, shutDown in
            let curl = try Command([
                "curl", "-ksi", "--http2",
                "https://127.0.0.1:\(port)/live/cam/video/playlist.m3u8?_HLS_msn=4&_HLS_part=1",
            ])
            #expect(try await eventually { fixture.store.statistics.waiters == 1 })
            await shutDown()
            #expect(await curl.status() == 0)
            #expect(curl.output.contains("HTTP/2 503"))
            #expect(curl.output.contains("retry-after: 1"))
            #expect(curl.output.contains("urn:mirror:problem:shutting_down"))
        }
    }

    @Test(arguments: ["--http1.1", "--http2"])
    func aServerThatIsCancelledClosesWhateverIsOpen(flag: String) async throws {
        struct Stop: Error {}
        let curl = Mutex<Command?>(nil)
        await #expect(throws: Stop.self) {
            try await withDoor(.tls(credentials), to: fixture) { port, _ in
                let url =
                    "https://127.0.0.1:\(port)/live/cam/video/playlist.m3u8?_HLS_msn=4&_HLS_part=1"
                let command = try Command(["curl", "-ks", flag, url])
                curl.withLock { $0 = command }
                #expect(try await eventually { fixture.store.statistics.waiters == 1 })
                throw Stop()
            }
        }
        #expect(await curl.withLock { $0 }?.status() != 0)
        #expect(try await eventually { fixture.statistics.snapshot.openConnections == 0 })
        #expect(fixture.store.statistics.waiters == 0)
    }

    @Test func connectionsBeyondTheLimitAreRefused() async throws {
        var limits = RequestLimits()
        limits.maxConnections = 1
        try await withDoor(.plain, to: fixture, limits: limits) { port, _ in
            let url = "http://127.0.0.1:\(port)/live/cam/video/playlist.m3u8"
            let waiting = try Command(["curl", "-s", url + "?_HLS_msn=4&_HLS_part=1"])
            #expect(try await eventually { fixture.store.statistics.waiters == 1 })
            #expect(try await Command.run("curl", "-s", url).status != 0)
            #expect(fixture.statistics.snapshot.refusedConnections == 1)
            fixture.publish(parts: 13..<14)
            #expect(await waiting.status() == 0)
            #expect(try await eventually { fixture.statistics.snapshot.openConnections == 0 })
            #expect(try await Command.run("curl", "-s", url).status == 0)
        }
    }

    @Test func headersThatAreTooLongAreNotRead() async throws {
        try await withDoor(.plain, to: fixture) { port, _ in
            let url = "http://127.0.0.1:\(port)/live/cam/playlist.m3u8"
            let long = String(repeating: "a", count: 40_000)
            let result = try await Command.run("curl", "-si", "-H", "X-Long: \(long)", url)
            #expect(!result.output.contains("200 OK"))
            #expect(fixture.statistics.snapshot.unreadableRequests == 1)
            #expect(try await Command.run("curl", "-sf", url).status == 0)
            #expect(fixture.statistics.snapshot.unreadableRequests == 1)
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func aViewerWhoDoesNotReadIsCutOff() async throws {
        let large = try #require(LiveFixture(partBytes: 16 << 20))
        large.publish(parts: 0..<4)
        var limits = RequestLimits()
        limits.stallTimeout = .milliseconds(300)
        try await withDoor(.plain, to: large, limits: limits) { port, _ in
            let viewer = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .channelOption(.autoRead, value: false)
                .connect(host: "127.0.0.1", port: port).get()
            let request = "GET /live/cam/video/e1-seg0.m4s HTTP/1.1\r\nHost: a\r\n\r\n"
            try await viewer.writeAndFlush(ByteBuffer(string: request))
            #expect(try await eventually { large.statistics.snapshot.stalledViewers == 1 })
            #expect(try await eventually { large.statistics.snapshot.openConnections == 0 })
            // Counted by the request's own task, which ends after its connection.
            #expect(
                try await eventually {
                    large.statistics.snapshot.requests[.segment]?.abandoned == 1
                }
            )
            try await viewer.close()
        }
    }

    @Test func aConnectionThatSaysNothingIsClosed() async throws {
        var limits = RequestLimits()
        limits.idleTimeout = .milliseconds(100)
        limits.handshakeTimeout = .milliseconds(100)
        for security in [HTTPFrontDoor.Security.plain, .tls(credentials)] {
            try await withDoor(security, to: fixture, limits: limits) { port, _ in
                let viewer = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                    .connect(host: "127.0.0.1", port: port).get()
                try await viewer.writeAndFlush(ByteBuffer(string: "GET /live"))
                try await viewer.closeFuture.get()
            }
        }
    }

    @Test func aConnectionOnWhichNothingMovesIsClosedThoughItWaits() async throws {
        var limits = RequestLimits()
        limits.idleTimeout = .milliseconds(200)
        try await withDoor(.plain, to: fixture, limits: limits) { port, _ in
            let path = "/live/cam/video/playlist.m3u8?_HLS_msn=4&_HLS_part=1"
            let curl = try Command(["curl", "-s", "http://127.0.0.1:\(port)\(path)"])
            #expect(try await eventually { fixture.statistics.snapshot.silentConnections == 1 })
            #expect(await curl.status() != 0)
            // The store itself would hold the wait for six seconds.
            #expect(try await eventually { fixture.store.statistics.waiters == 0 })
        }
    }

    @Test func bytesThatAreNoRequestHarmNobody() async throws {
        for (security, url) in [
            (HTTPFrontDoor.Security.plain, "http://127.0.0.1"),
            (.tls(credentials), "https://127.0.0.1"),
        ] {
            try await withDoor(security, to: fixture) { port, _ in
                var random = SeededGenerator(state: 42)
                for count in 1..<100 {
                    let viewer = try await ClientBootstrap(
                        group: MultiThreadedEventLoopGroup.singleton
                    )
                    .connect(host: "127.0.0.1", port: port).get()
                    let bytes = (0..<count * 7).map { _ in UInt8.random(in: 0...255, using: &random)
                    }
                    // The door may have shut before all is written.
                    try? await viewer.writeAndFlush(ByteBuffer(bytes: bytes))
                    try? await viewer.close()
                }
                let good = "\(url):\(port)/live/cam/playlist.m3u8"
                #expect(try await Command.run("curl", "-ksf", good).status == 0)
                #expect(try await eventually { fixture.statistics.snapshot.openConnections == 0 })
            }
        }
    }

    @Test func aPortThatIsTakenIsNamedWithTheCure() async throws {
        try await withDoor(.plain, to: fixture) { port, _ in
            let second = HTTPFrontDoor(
                address: "127.0.0.1",
                port: port,
                security: .plain,
                responder: fixture.responder(),
                statistics: fixture.statistics,
                logger: LiveFixture.logger
            )
            let error = await #expect(throws: FrontDoorError.self) { try await second.run() }
            #expect(error?.description.contains("port \(port)") == true)
            #expect(error?.description.contains("Another process") == true)
        }
    }
}

/// SplitMix64: the same bytes in every run.
private struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}

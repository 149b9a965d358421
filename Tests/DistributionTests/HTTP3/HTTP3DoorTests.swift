import Distribution
import Foundation
import NIOCore
import Packaging
import Testing

/// The door against viewers that we did not write: aioquic, and ngtcp2's gtlsclient.
@Suite(.timeLimit(.minutes(2))) struct HTTP3DoorTests {
    private static let playlist = "/live/cam/video/playlist.m3u8"
    private static let blocked = playlist + "?_HLS_msn=4&_HLS_part=1"
    private static let part = "/live/cam/video/e1-part12.m4s"

    private func live(partBytes: Int = 1000) throws -> LiveFixture {
        let fixture = try #require(LiveFixture(partBytes: partBytes))
        fixture.publish(parts: 0..<13)
        return fixture
    }

    // MARK: Requests and answers

    @Test func aPlaylistAndWhatItNamesAreServed() async throws {
        let fixture = try live(partBytes: 300_000)
        try await withHTTP3Door(to: fixture) { port, _ in
            let playlist = try await AioquicViewer.run(port: port, "get", Self.playlist)
            #expect(playlist.first?.status == 200)
            #expect(playlist.first?.head?["content-type"] == "application/vnd.apple.mpegurl")
            #expect(playlist.first?.head?["alt-svc"] == nil)
            let text = try #require(playlist.first?.text)
            let name = try #require(text.firstMatch(of: /URI="([^"]*part[^"]*)"/)?.1)
            let waiting = try AioquicViewer(port: port, "get", ["/live/cam/video/\(name)"])
            fixture.publish(parts: 13..<15)
            #expect(await waiting.command.status() == 0)
            #expect(waiting.lines.first?.status == 200)
            #expect(waiting.lines.first?.bytes == 300_000)

            let rest = try await AioquicViewer.run(port: port, "get", "/live/no/video/x", "/large")
            #expect(rest.first?.status == 404)
            #expect(rest.first?.head?["content-type"] == "application/problem+json")
            #expect(rest.last?.bytes == 8_000_000)
        }
    }

    @Test func anAnswerToHEADHasNoBody() async throws {
        try await withHTTP3Door(to: live()) { port, _ in
            let answer = try await gtlsclient(port, "/large", "--http-method=HEAD")
            #expect(answer.output.contains("[:status: 200]"))
            #expect(answer.output.contains("[content-length: 8000000]"))
            #expect(!answer.output.contains(" body "))
        }
    }

    @Test func moreRequestsThanAreAllowedAtOnceAreAnsweredOneAfterTheOther() async throws {
        try await withHTTP3Door(to: live()) { port, _ in
            let lines = try await AioquicViewer.run(port: port, "many", Self.playlist, "350")
            #expect(lines.first?.answered == 350)
        }
    }

    @Test func aLargeRequestBodyIsReadAsTheResponderReads() async throws {
        try await withHTTP3Door(to: live()) { port, _ in
            let lines = try await AioquicViewer.run(port: port, "post", "/echo", "3000000")
            #expect(lines.first?.text == "3000000")
        }
    }

    @Test func aHeaderSectionBeyondTheLimitIsRefusedAndTheConnectionServesOn() async throws {
        try await withHTTP3Door(to: live()) { port, _ in
            let lines = try await AioquicViewer.run(port: port, "large-head", Self.playlist)
            #expect(lines.map(\.status) == [431, 200])
        }
    }

    @Test func anAuthorityThatContradictsHostIsMalformed() async throws {
        try await withHTTP3Door(to: live()) { port, _ in
            let lines = try await AioquicViewer.run(port: port, "two-hosts", Self.playlist)
            #expect(lines.map(\.reset) == [0x10e, nil])
            #expect(lines.last?.status == 200)
        }
    }

    @Test func whatAPlayerNeedsToGoOnComesBeforeWhatItStores() async throws {
        let fixture = try live(partBytes: 300_000)
        try await withHTTP3Door(to: fixture) { port, _ in
            let page = try await AioquicViewer.run(port: port, "get", Self.playlist)
            let names = try #require(page.first?.text).matches(of: /URI="([^"]*)"|(e1-seg\S*)/)
                .compactMap { ($0.1 ?? $0.2).map(String.init) }
            let part = try #require(names.last { $0.contains("part12") })
            let segment = try #require(names.first { $0.contains("seg") })
            let lines = try await AioquicViewer.run(
                port: port,
                "order",
                "/large",
                "/live/cam/video/\(segment)",
                "/live/cam/video/\(part)",
                Self.playlist
            )
            let playlist = try #require(page.first?.bytes)
            #expect(lines.map(\.bytes) == [playlist, 300_000, 8_000_000, 900_000])
        }
    }

    // MARK: Waiting

    @Test func aViewerWhoGivesUpIsFreedAndTheConnectionServesOn() async throws {
        let fixture = try live()
        try await withHTTP3Door(to: fixture) { port, _ in
            let viewer = try AioquicViewer(port: port, "leave", [Self.blocked, Self.playlist])
            #expect(try await eventually { fixture.store.statistics.waiters == 1 })
            try viewer.command.write("leave\n")
            #expect(try await eventually { fixture.store.statistics.waiters == 0 })
            #expect(try await eventually { viewer.lines.first?.status == 200 })
            #expect(fixture.statistics.snapshot.connections[.http3]?.open == 1)
            try viewer.command.write("end\n")
            #expect(await viewer.command.status() == 0)
            #expect(
                try await eventually { fixture.statistics.snapshot.openConnections == 0 }
            )
        }
    }

    @Test func requestsGivenUpAtAnyMomentLeaveNothingBehind() async throws {
        let fixture = try live(partBytes: 300_000)
        let count = 10_000
        var limits = HTTP3Limits()
        limits.abandonedRequests = count
        try await withHTTP3Door(to: fixture, http3Limits: limits) { port, _ in
            let paths = [Self.playlist, Self.blocked, Self.part, "/large"]
            let viewers = try (0..<2).map {
                try AioquicViewer(port: port, "cancel", ["\($0)", "\(count / 2)"] + paths)
            }
            for viewer in viewers {
                let isDone = try await eventually(within: .seconds(60)) { !viewer.lines.isEmpty }
                try #require(isDone, "\(viewer.command.output)")
                #expect(viewer.lines.first?.free == 100)
            }
            // The viewers are still there.
            #expect(fixture.statistics.snapshot.connections[.http3]?.open == 2)
            #expect(try await eventually { fixture.store.statistics.waiters == 0 })
            #expect(try await eventually { fixture.statistics.snapshot.requestsInProgress == 0 })
            // Some were given up before their first byte was on its way.
            #expect(
                try await eventually {
                    fixture.statistics.snapshot.http3.abandonedStreams > UInt64(count / 2)
                }
            )
            #expect(fixture.statistics.snapshot.http3.protocolErrors == 0)
            for viewer in viewers { try viewer.command.write("end\n") }
        }
    }

    @Test(arguments: ["close", "vanish"])
    func requestsUnderWayAreAbandonedWithTheConnection(how: String) async throws {
        let fixture = try live()
        var limits = RequestLimits()
        limits.idleTimeout = .seconds(2)
        try await withHTTP3Door(to: fixture, limits: limits) { port, _ in
            let paths = Array(repeating: Self.blocked, count: 3)
            let viewer = try AioquicViewer(port: port, "go", [how] + paths)
            #expect(try await eventually { fixture.store.statistics.waiters == 3 })
            try viewer.command.write("go\n")
            #expect(
                try await eventually { fixture.statistics.snapshot.http3.abandonedStreams == 3 }
            )
            #expect(try await eventually { fixture.store.statistics.waiters == 0 })
            #expect(try await eventually { fixture.statistics.snapshot.requestsInProgress == 0 })
        }
    }

    @Test func anAnswerThatCannotHaveArrivedIsAbandonedAndOneThatMayHaveIsNot() async throws {
        let fixture = try live(partBytes: 300_000)
        try await withHTTP3Door(to: fixture) { port, _ in
            _ = try await AioquicViewer.run(port: port, "get", Self.playlist, "/large")
            _ = try await AioquicViewer.run(port: port, "take-some", Self.part)
            #expect(try await eventually { fixture.statistics.snapshot.http3.streams == 3 })
            #expect(
                try await eventually { fixture.statistics.snapshot.http3.abandonedStreams == 1 }
            )
        }
    }

    @Test func aStoppingServerAnswersWhoWaitsAndSaysGoodbye() async throws {
        let fixture = try live()
        try await withHTTP3Door(to: fixture) { port, shutDown in
            let viewer = try AioquicViewer(port: port, "wait", [Self.blocked])
            #expect(try await eventually { fixture.store.statistics.waiters == 1 })
            await shutDown()
            #expect(await viewer.command.status() == 0)
            #expect(viewer.lines.map(\.status) == [nil, 503, nil])
            #expect(viewer.lines.last?.closed == 0x100)
        }
    }

    @Test func aViewerWhoTakesNothingIsCutOff() async throws {
        let fixture = try live()
        var limits = RequestLimits()
        limits.stallTimeout = .milliseconds(400)
        try await withHTTP3Door(to: fixture, limits: limits) { port, _ in
            let lines = try await AioquicViewer.run(port: port, "take-nothing", "/large")
            #expect(lines.first?.reset == 0x10c)
            #expect(fixture.statistics.snapshot.stalledViewers == 1)
        }
    }

    // MARK: Connections

    @Test func aViewerMayChangeItsAddressUnderWay() async throws {
        let fixture = try live()
        try await withHTTP3Door(to: fixture) { port, _ in
            let lines = try await AioquicViewer.run(port: port, "rebind", "/large")
            #expect(lines.map(\.bytes) == [8_000_000, 8_000_000, 8_000_000])
            #expect(Set(lines.map(\.sha256)).count == 1)
            #expect(fixture.statistics.snapshot.connections[.http3]?.total == 1)
            #expect(try await eventually { fixture.statistics.snapshot.http3.migrations == 2 })
        }
    }

    @Test func keysAreUpdatedUnderWay() async throws {
        try await withHTTP3Door(to: live()) { port, _ in
            let lines = try await AioquicViewer.run(port: port, "update-keys", "/large")
            #expect(lines.map(\.bytes) == Array(repeating: 8_000_000, count: 4))
        }
    }

    @Test(arguments: CongestionControl.allCases)
    func everyCongestionControlDelivers(_ congestionControl: CongestionControl) async throws {
        try await withHTTP3Door(to: live(), congestionControl: congestionControl) { port, _ in
            let lines = try await AioquicViewer.run(port: port, "get", "/large")
            #expect(lines.first?.bytes == 8_000_000)
        }
    }

    @Test func aNewCertificateIsForConnectionsThatBeginAfterIt() async throws {
        let files = try await CertificateFixture()
        let credentials = try TLSCredentials(certificatePath: files.certificate, keyPath: files.key)
        try await withHTTP3Door(to: live(), credentials: credentials) { port, _ in
            let standing = try AioquicViewer(port: port, "subject-twice", [Self.playlist])
            #expect(try await eventually { standing.lines.count == 1 })
            try await files.issue(commonName: "second")
            try credentials.reload()
            try standing.command.write("go on\n")
            #expect(await standing.command.status() == 0)
            #expect(standing.lines.map(\.subject) == ["first", "first"])
            let next = try await AioquicViewer.run(port: port, "subject", Self.playlist)
            #expect(next.first?.subject == "second")
        }
    }

    @Test func bothFamiliesOfAddressesAreServed() async throws {
        try await withHTTP3Door(to: live()) { port, _ in
            for host in ["127.0.0.1", "::1"] {
                let answer = try await gtlsclient(port, Self.playlist, host: host)
                #expect(answer.output.contains("[:status: 200]"), "\(host)")
            }
        }
    }

    @Test func aPortThatAnotherServerHasIsNotShared() async throws {
        try await withHTTP3Door(to: live()) { port, _ in
            _ = await #expect(throws: FrontDoorError.self) {
                _ = try await withHTTP3Door(to: live(), port: port) { _, _ in true }
            }
        }
    }

    // MARK: Strangers

    @Test func beyondTheLimitNewcomersProveTheirAddressOnce() async throws {
        let fixture = try live()
        var limits = HTTP3Limits()
        limits.halfOpenConnectionsBeforeRetry = 0
        try await withHTTP3Door(to: fixture, http3Limits: limits) { port, _ in
            let lines = try await AioquicViewer.run(port: port, "retried", Self.playlist)
            // The second time it has a token from the first.
            #expect(lines.map(\.retried) == [true, false])
            #expect(lines.map(\.status) == [200, 200])
            #expect(try await eventually { fixture.statistics.snapshot.http3.retries == 1 })
        }
    }

    @Test func anUnknownVersionIsToldOfTheOneThatIsSpoken() async throws {
        try await withHTTP3Door(to: live()) { port, _ in
            let lines = try await AioquicViewer.run(port: port, "unknown-version")
            #expect(lines.first?.offered?.contains("00000001") == true)
        }
    }

    @Test func aPacketOfALostConnectionIsAnsweredWithASmallerReset() async throws {
        try await withHTTP3Door(to: live()) { port, _ in
            let lines = try await AioquicViewer.run(port: port, "unknown-connection")
            #expect(try #require(lines.first?.received) < 200)
            #expect(lines.last?.same == true)
        }
    }

    @Test(arguments: [
        ("data-before-head", 0x105), ("settings-on-request", 0x105),
        ("second-control-stream", 0x103), ("closed-control-stream", 0x104),
        ("bad-qpack", 0x200), ("control-flood", 0x107),
    ])
    func whoBreaksTheRulesIsToldWhich(kind: String, code: Int) async throws {
        let fixture = try live()
        try await withHTTP3Door(to: fixture) { port, _ in
            let lines = try await AioquicViewer.run(port: port, "break-rules", kind)
            #expect(lines.first?.closed == code)
            #expect(
                try await eventually { fixture.statistics.snapshot.http3.protocolErrors == 1 }
            )
        }
    }

    @Test func whoGivesUpRequestAfterRequestIsClosed() async throws {
        let fixture = try live()
        try await withHTTP3Door(to: fixture) { port, _ in
            let lines = try await AioquicViewer.run(port: port, "give-up", Self.blocked, "600")
            #expect(lines.first?.closed == 0x107)
            #expect(try await eventually { fixture.store.statistics.waiters == 0 })
        }
    }

    @Test func damagedAndRandomDatagramsLeaveNothingBehind() async throws {
        let fixture = try live()
        var limits = RequestLimits()
        limits.handshakeTimeout = .milliseconds(500)
        try await withHTTP3Door(to: fixture, limits: limits) { port, _ in
            let lines = try await AioquicViewer.run(port: port, "garbage", "1", "10000")
            #expect(lines.first?.sent == 10_000)
            let answer = try await AioquicViewer.run(port: port, "get", Self.playlist)
            #expect(answer.first?.status == 200)
            #expect(
                try await eventually { fixture.statistics.snapshot.openConnections == 0 }
            )
        }
    }

    private func gtlsclient(
        _ port: Int,
        _ path: String,
        _ options: String...,
        host: String = "127.0.0.1"
    ) async throws -> Command.Result {
        let command = try Command(
            ["gtlsclient", "--no-quic-dump", "--exit-on-all-streams-close"] + options + [
                host, "\(port)", "https://localhost:\(port)\(path)",
            ]
        )
        return Command.Result(status: await command.status(), output: command.output)
    }
}

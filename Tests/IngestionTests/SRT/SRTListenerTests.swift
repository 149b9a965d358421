import Glibc
import Ingestion
import Logging
import Media
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(1)))
struct SRTListenerTests {
    private let logs = LogCollector()

    /// Runs a listener on a free port for as long as the test needs it.
    private func withListener(
        _ admission: RecordingAdmission,
        bindAddress: String = "127.0.0.1",
        receivers: Int = 2,
        maxConnections: Int = 100,
        peerIdleTimeout: Duration = .seconds(2),
        _ body: (SRTListener, Int) async throws -> Void
    ) async throws {
        var configuration = SRTListener.Configuration()
        configuration.bindAddress = bindAddress
        configuration.port = 0
        configuration.receivers = receivers
        configuration.maxConnections = maxConnections
        configuration.peerIdleTimeout = peerIdleTimeout
        let listener = SRTListener(
            configuration: configuration,
            admission: admission,
            logger: logs.logger
        )
        let port = try listener.start()
        let serving = Task { try await listener.run() }
        defer { serving.cancel() }
        try await body(listener, port)
        serving.cancel()
        try await serving.value
        #expect(listener.statistics.connections == 0)
    }

    @Test func aPublisherIsTakenInAndItsNameIsFreeAtOnceWhenItCloses() async throws {
        let admission = RecordingAdmission()
        let name = try #require(StreamName("cam"))
        let units = admission.stream(name).subscribe(
            as: "test",
            limit: LiveStreamSubscription.Limit(accessUnits: 1000, bytes: 1 << 24)
        )
        try await withListener(admission) { listener, port in
            let ffmpeg = try SRTTestPublisher.ffmpeg(port: port, "streamid=cam", seconds: 2)
            let publication = try #require(await admission.nextPublication())
            #expect(publication.request.name == name)
            #expect(publication.request.sourceAddress == "127.0.0.1")
            #expect(publication.request.transport == .srtListener)
            for await case .accessUnit(let unit) in units {
                #expect(unit.arrival.microsecondsSinceEpoch > 1_600_000_000_000_000)
                break
            }
            #expect(listener.statistics.connections == 1)
            let end = try #require(await admission.nextEnd())
            #expect(end.publication === publication)
            #expect(end.reason == .disconnected)
            _ = await ffmpeg.wait()

            let statistics = publication.statistics
            #expect(statistics.receivedBytes > 1000)
            #expect(publication.lastArrival > publication.startedAt)
            #expect(statistics.transportStream.packets > 5)
            let srt = try #require(statistics.srt)
            #expect(srt.receivedPackets > 1)
            #expect(srt.latencyMilliseconds == 120)
            #expect(srt.encryptionKeyBytes == 0)
            #expect((srt.kernelBufferBytes ?? 0) > 100_000)
            #expect(srt.peerVersion.hasPrefix("1."))

            let again = try SRTTestPublisher.ffmpeg(
                port: port,
                "streamid=#!::r=cam,m=publish,u=eve"
            )
            #expect(try #require(await admission.nextPublication()).request.user == "eve")
            again.signal(SIGKILL)
        }
    }

    @Test func aCallerThatCameBeforeTheListenerRanIsTakenIn() async throws {
        let admission = RecordingAdmission()
        var configuration = SRTListener.Configuration()
        configuration.bindAddress = "127.0.0.1"
        configuration.port = 0
        configuration.receivers = 1
        let listener = SRTListener(
            configuration: configuration,
            admission: admission,
            logger: logs.logger
        )
        let port = try listener.start()
        let ffmpeg = try SRTTestPublisher.ffmpeg(port: port, "streamid=cam")
        await admission.nextAdmission()
        let serving = Task { try await listener.run() }
        #expect(await admission.nextPublication() != nil)
        ffmpeg.signal(SIGKILL)
        serving.cancel()
        try await serving.value
    }

    @Test func manyPublishersShareTheReceiversOfOnePort() async throws {
        let admission = RecordingAdmission()
        try await withListener(admission, receivers: 3) { listener, port in
            let publishers = try (0..<6).map {
                try SRTTestPublisher.ffmpeg(port: port, "streamid=cam\($0)")
            }
            var names: Set<String> = []
            for _ in publishers {
                let line = try #require(await logs.next("SRT publisher connected"))
                names.insert(try #require(line["stream"]))
            }
            #expect(names.count == 6)
            #expect(listener.statistics.connections == 6)
            for publisher in publishers { publisher.signal(SIGKILL) }
        }
    }

    @Test func anIPv6SocketTakesIPv4CallersToo() async throws {
        let admission = RecordingAdmission()
        try await withListener(admission, bindAddress: "::") { _, port in
            let over4 = try SRTTestPublisher.ffmpeg(port: port, "streamid=four")
            let first = try #require(await admission.nextPublication())
            #expect(first.request.sourceAddress == "127.0.0.1")
            let over6 = try SRTTestPublisher.ffmpeg(port: port, "streamid=six", host: "[::1]")
            let second = try #require(await admission.nextPublication())
            #expect(second.request.sourceAddress == "::1")
            over4.signal(SIGKILL)
            over6.signal(SIGKILL)
        }
    }

    @Test func theRightPassphraseEncryptsWithTheCallersKeyLength() async throws {
        let admission = RecordingAdmission(passphrase: "correct-horse")
        try await withListener(admission) { _, port in
            let ffmpeg = try SRTTestPublisher.ffmpeg(
                port: port,
                "streamid=cam&passphrase=correct-horse&pbkeylen=32"
            )
            let publication = try #require(await admission.nextPublication())
            while publication.statistics.srt == nil {
                try await Task.sleep(for: .milliseconds(20))
            }
            #expect(publication.statistics.srt?.encryptionKeyBytes == 32)
            #expect(publication.statistics.srt?.undecryptedPackets == 0)
            ffmpeg.signal(SIGKILL)
        }
    }

    @Test(arguments: [
        ("streamid=cam&passphrase=battery-staple", PublishRefusal.wrongPassphrase),
        ("streamid=cam", .passphraseRequired),
    ])
    func whoLacksThePassphraseIsRefused(query: String, refusal: PublishRefusal) async throws {
        let admission = RecordingAdmission(passphrase: "correct-horse")
        try await withListener(admission) { listener, port in
            let result = try await SRTTestPublisher.connect(port: port, query)
            #expect(result.errors.contains("REJECT"))
            let line = try #require(await logs.next("SRT publisher refused"))
            #expect(line["reason"] == refusal.rawValue)
            #expect(line["stream"] == "cam")
            #expect(line["cure"] == refusal.cure)
            #expect(Set(listener.statistics.refusals.keys) == [refusal])
            #expect(listener.statistics.acceptedConnections == 0)
        }
    }

    @Test(arguments: [
        ("streamid=../etc", PublishRefusal.badName),
        ("latency=120", .badName),
        ("streamid=#!::r=cam,m=request", .modeNotSupported),
        ("streamid=cam&passphrase=correct-horse", .passphraseNotExpected),
    ])
    func whatIsAskedWronglyIsRefused(query: String, refusal: PublishRefusal) async throws {
        try await withListener(RecordingAdmission()) { listener, port in
            let result = try await SRTTestPublisher.connect(port: port, query)
            #expect(result.errors.contains("REJECT"))
            let line = try #require(await logs.next("SRT publisher refused"))
            #expect(line["reason"] == refusal.rawValue)
            #expect(Set(listener.statistics.refusals.keys) == [refusal])
        }
    }

    @Test func aTakenNameIsRefusedAndTheFirstPublisherGoesOn() async throws {
        let admission = RecordingAdmission()
        try await withListener(admission) { listener, port in
            let first = try SRTTestPublisher.ffmpeg(port: port, "streamid=cam")
            _ = try #require(await logs.next("SRT publisher connected"))
            let result = try await SRTTestPublisher.connect(port: port, "streamid=cam")
            #expect(result.errors.contains("REJECT"))
            #expect(Set(listener.statistics.refusals.keys) == [.nameTaken])
            #expect(listener.statistics.connections == 1)
            first.signal(SIGKILL)
        }
    }

    @Test func aTakeoverDisconnectsThePublisherBefore() async throws {
        let admission = RecordingAdmission(allowsTakeover: true)
        try await withListener(admission) { listener, port in
            let first = try SRTTestPublisher.ffmpeg(port: port, "streamid=cam")
            let before = try #require(await admission.nextPublication())
            let second = try SRTTestPublisher.ffmpeg(port: port, "streamid=cam")
            let end = try #require(await admission.nextEnd())
            #expect(end.publication === before)
            #expect(end.reason == .takenOver)
            // ffmpeg ends by itself once its connection is closed.
            _ = await first.wait(atMost: .seconds(10))
            let line = try #require(await logs.next("SRT publisher disconnected"))
            #expect(line["reason"] == "revoked")
            #expect(listener.statistics.connections == 1)
            second.signal(SIGKILL)
        }
    }

    @Test func aKilledPublisherIsGoneAfterTheIdleTimeout() async throws {
        let admission = RecordingAdmission()
        let name = try #require(StreamName("cam"))
        let units = admission.stream(name).subscribe(
            as: "test",
            limit: LiveStreamSubscription.Limit(accessUnits: 1000, bytes: 1 << 24)
        )
        try await withListener(admission, peerIdleTimeout: .milliseconds(500)) { _, port in
            let ffmpeg = try SRTTestPublisher.ffmpeg(port: port, "streamid=cam")
            for await case .accessUnit in units { break }
            ffmpeg.signal(SIGKILL)
            let killed = ContinuousClock.now
            #expect(try #require(await admission.nextEnd()).reason == .idle)
            #expect(killed.duration(to: .now) < .seconds(3))
        }
    }

    @Test func aFullListenerRefuses() async throws {
        let admission = RecordingAdmission()
        try await withListener(admission, maxConnections: 1) { listener, port in
            let first = try SRTTestPublisher.ffmpeg(port: port, "streamid=one")
            _ = try #require(await logs.next("SRT publisher connected"))
            _ = try await SRTTestPublisher.connect(port: port, "streamid=two")
            #expect(Set(listener.statistics.refusals.keys) == [.full])
            first.signal(SIGKILL)
        }
    }

    @Test func aPublisherAboveItsBitrateIsCutOff() async throws {
        let admission = RecordingAdmission(maxBitrateBitsPerSecond: 1000)
        try await withListener(admission) { listener, port in
            let ffmpeg = try SRTTestPublisher.ffmpeg(port: port, "streamid=cam")
            #expect(try #require(await admission.nextEnd()).reason == .refused)
            #expect(try #require(await logs.next("SRT publisher refused"))["stream"] == "cam")
            #expect(Set(listener.statistics.refusals.keys) == [.bitrateExceeded])
            ffmpeg.signal(SIGKILL)
        }
    }

    @Test func shutdownEndsEveryPublication() async throws {
        let admission = RecordingAdmission()
        var ffmpeg: ExternalProcess?
        try await withListener(admission) { _, port in
            ffmpeg = try SRTTestPublisher.ffmpeg(port: port, "streamid=cam")
            _ = try #require(await logs.next("SRT publisher connected"))
        }
        #expect(try #require(await admission.nextEnd()).reason == .shutdown)
        ffmpeg?.signal(SIGKILL)
    }

    @Test func aPortThatIsTakenIsAnErrorThatNamesIt() async throws {
        try await withListener(RecordingAdmission()) { _, port in
            var configuration = SRTListener.Configuration()
            configuration.bindAddress = "127.0.0.1"
            configuration.port = port
            let second = SRTListener(
                configuration: configuration,
                admission: RecordingAdmission(),
                logger: logs.logger
            )
            let error = #expect(throws: SRTError.self) { try second.start() }
            #expect(error?.code == .addressInUse)
            #expect(error?.operation.contains("127.0.0.1:\(port)") == true)
        }
    }

    @Test func anAddressThatIsNoneIsAnError() {
        var configuration = SRTListener.Configuration()
        configuration.bindAddress = "300.0.0.1"
        let listener = SRTListener(
            configuration: configuration,
            admission: RecordingAdmission(),
            logger: logs.logger
        )
        let error = #expect(throws: SRTError.self) { try listener.start() }
        #expect(error?.code == .badAddress)
    }
}

import Ingestion
import Logging
import Media
import MirrorServer
import NIOCore
import Packaging
import Synchronization
import TestSupport
import Testing

@Suite struct StreamRegistryTests {
    /// A registry whose wall clock is moved by hand.
    final class Bench: Sendable {
        let directory = StreamDirectory()
        private let microseconds = Mutex(Int64(1_000_000_000))
        private let pipelines = Mutex<[StreamPipeline]>([])
        private let registryBox = Mutex<StreamRegistry?>(nil)

        init(
            logger: Logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }),
            _ change: (inout ServerConfiguration) -> Void = { _ in }
        ) {
            var configuration = ServerConfiguration()
            change(&configuration)
            let registry = StreamRegistry(
                rules: StreamRules(configuration),
                packaging: configuration.packaging,
                directory: directory,
                logger: logger,
                now: { [weak self] in
                    WallTime(microsecondsSinceEpoch: self?.microseconds.withLock { $0 } ?? 0)
                },
                onStart: { [weak self] pipeline in
                    self?.pipelines.withLock { $0.append(pipeline) }
                }
            )
            registryBox.withLock { $0 = registry }
        }

        var registry: StreamRegistry {
            get throws { try #require(registryBox.withLock { $0 }) }
        }

        var started: Int { pipelines.withLock { $0.count } }
        var pipeline: StreamPipeline? { pipelines.withLock { $0.first } }

        func pass(_ duration: Duration) {
            microseconds.withLock { $0 += Int64(duration / .microseconds(1)) }
        }

        func publish(
            _ name: String = "news",
            from source: String = "192.0.2.1",
            over transport: PublishRequest.Transport = .srtListener,
            disconnect: @escaping @Sendable () -> Void = {}
        ) throws -> Publication {
            try registry.publish(
                PublishRequest(
                    name: try #require(StreamName(name)),
                    sourceAddress: source,
                    sourcePort: 9_000,
                    transport: transport
                ),
                disconnect: disconnect
            )
        }
    }

    private static let name = StreamName("news")

    private static func entry(_ bench: Bench) throws -> StreamRegistry.Entry? {
        try bench.registry[try #require(name)]
    }

    @Test func aFirstPublisherStartsAStreamThatCanBeFound() throws {
        let bench = Bench()
        let publication = try bench.publish()
        let entry = try #require(try Self.entry(bench))
        #expect(entry.phase == .live && entry.publication === publication)
        #expect(bench.started == 1)
        #expect(bench.directory[entry.name] === entry.pipeline.store)
    }

    @Test func aSecondPublisherIsRefusedWhileTheFirstSends() throws {
        let bench = Bench()
        let first = try bench.publish()
        bench.pass(.milliseconds(1_500))
        first.noteReceived(bytes: 1_316, at: WallTime(microsecondsSinceEpoch: 1_001_000_000))
        #expect(throws: PublishRefusal.nameTaken) { try bench.publish(from: "192.0.2.2") }
        #expect(try Self.entry(bench)?.publication === first)
    }

    @Test func aSilentPublisherLosesItsNameToTheNext() throws {
        let bench = Bench()
        let disconnected = Mutex(0)
        let first = try bench.publish(disconnect: { disconnected.withLock { $0 += 1 } })
        bench.pass(.milliseconds(999))
        #expect(throws: PublishRefusal.nameTaken) { try bench.publish(from: "192.0.2.2") }
        bench.pass(.milliseconds(1))
        let second = try bench.publish(from: "192.0.2.2")
        #expect(disconnected.withLock { $0 } == 1)
        first.end(.idle)
        let entry = try #require(try Self.entry(bench))
        #expect(entry.publication === second && entry.phase == .live)
        #expect(entry.pipeline === bench.pipeline && bench.started == 1)
    }

    /// An encoder that died and was started again at once must not have to try twice.
    @Test func aPublisherThatCallsAgainFromItsAddressNeedNotWaitAsLong() throws {
        let bench = Bench()
        let first = try bench.publish()
        bench.pass(.milliseconds(499))
        #expect(throws: PublishRefusal.nameTaken) { try bench.publish() }
        bench.pass(.milliseconds(1))
        // Over RTP many senders share an address: nobody calls.
        #expect(throws: PublishRefusal.nameTaken) { try bench.publish(over: .rtp) }
        let second = try bench.publish()
        #expect(try Self.entry(bench)?.publication === second && second !== first)
    }

    @Test func takeoverDisconnectsThePublisherOnAir() throws {
        let bench = Bench { $0.publishing.onSecondPublisher = .takeover }
        let disconnected = Mutex(0)
        _ = try bench.publish(disconnect: { disconnected.withLock { $0 += 1 } })
        let second = try bench.publish()
        #expect(disconnected.withLock { $0 } == 1)
        #expect(try Self.entry(bench)?.publication === second)
    }

    @Test func aNameIsFreeAtOnceWhenItsPublisherLeaves() throws {
        let bench = Bench()
        try bench.publish().end(.disconnected)
        #expect(try Self.entry(bench)?.phase == .interrupted)
        _ = try bench.publish()
        #expect(try Self.entry(bench)?.phase == .live)
        #expect(bench.started == 1)
    }

    @Test func consumersMeetAnEndAndThenADiscontinuityWhenAPublisherReturns() async throws {
        let bench = Bench()
        let first = try bench.publish()
        let entry = try #require(try Self.entry(bench))
        let events = entry.pipeline.live.subscribe(
            as: "test",
            limit: .init(accessUnits: 10, bytes: 1_000)
        )
        first.send([.tracks(TrackList([]))])
        first.end(.disconnected)
        first.send([.tracks(TrackList([]))])
        try bench.publish().send([.tracks(TrackList([]))])
        entry.pipeline.live.close()
        var words: [String] = []
        for await event in events {
            switch event {
            case .tracks: words.append("tracks")
            case .discontinuity(let reason): words.append(reason.rawValue)
            case .end(let reason): words.append(reason.rawValue)
            case .accessUnit: words.append("unit")
            }
        }
        #expect(words == ["tracks", "disconnected", "publisher_change", "tracks"])
    }

    /// Publishes a second of sound and waits until it can be listened to.
    private static func publishSound(_ bench: Bench) async throws -> Publication {
        let publication = try bench.publish()
        let pipeline = try #require(try entry(bench)).pipeline
        let track = Track(
            id: Track.ID(257),
            format: .audio(.sample)
        )
        publication.send([.tracks(TrackList([track]))])
        for frame in 0..<47 {
            let time = MediaTime(mpegTicks: Int64(frame) * 1_920)
            publication.send([
                .accessUnit(
                    AccessUnit(
                        track: track.id,
                        pts: time,
                        dts: time,
                        payload: ByteBuffer(repeating: 0, count: 100),
                        randomAccess: .closed,
                        arrival: WallTime(microsecondsSinceEpoch: 0)
                    )
                )
            ])
        }
        let run = Task { await pipeline.run() }
        while pipeline.firstPartAt == nil { await Task.yield() }
        run.cancel()
        await run.value
        return publication
    }

    @Test func aNameThatWasNeverWatchableIsGivenUpAtOnce() throws {
        let bench = Bench()
        try bench.publish().end(.disconnected)
        try bench.registry.expire()
        #expect(try Self.entry(bench)?.phase == .ended)
    }

    @Test func anInterruptedStreamEndsAfterItsGraceAndIsForgottenLater() async throws {
        let bench = Bench { $0.publishing.grace = .seconds(10) }
        try await Self.publishSound(bench).end(.disconnected)
        bench.pass(.seconds(9))
        try bench.registry.expire()
        #expect(try Self.entry(bench)?.phase == .interrupted)
        bench.pass(.seconds(1))
        try bench.registry.expire()
        #expect(try Self.entry(bench)?.phase == .ended)
        #expect(bench.directory[try #require(Self.name)] != nil)
        bench.pass(.seconds(60))
        try bench.registry.expire()
        #expect(try Self.entry(bench) == nil)
        #expect(bench.directory[try #require(Self.name)] == nil)
    }

    @Test func anEndedNameStartsANewStream() throws {
        let bench = Bench { $0.publishing.grace = .seconds(10) }
        try bench.publish().end(.disconnected)
        bench.pass(.seconds(10))
        try bench.registry.expire()
        let old = try #require(try Self.entry(bench)).pipeline
        _ = try bench.publish()
        let new = try #require(try Self.entry(bench)).pipeline
        #expect(new !== old && bench.started == 2)
        bench.pass(.seconds(60))
        try bench.registry.expire()
        #expect(bench.directory[try #require(Self.name)] === new.store)
    }

    @Test func sourcesOutsideARuleAreTurnedAway() throws {
        let bench = Bench { configuration in
            var rule = StreamRule()
            rule.match = StreamPattern("news*")
            rule.allowedSources = [AddressRange("192.0.2.0/24")].compactMap { $0 }
            configuration.streams = [rule]
        }
        #expect(throws: PublishRefusal.sourceNotAllowed) {
            try bench.publish(from: "198.51.100.1")
        }
        _ = try bench.publish(from: "192.0.2.77")
    }

    @Test func oneStreamMoreThanTheLimitIsRefused() throws {
        let bench = Bench { $0.publishing.maxStreams = 2 }
        _ = try bench.publish("a")
        _ = try bench.publish("b")
        #expect(throws: PublishRefusal.full) { try bench.publish("c") }
    }

    @Test func shutdownDisconnectsEveryPublisherAndAdmitsNoMore() throws {
        let bench = Bench()
        let disconnected = Mutex(0)
        for name in ["a", "b"] {
            _ = try bench.publish(name, disconnect: { disconnected.withLock { $0 += 1 } })
        }
        try bench.registry.shutDown()
        #expect(disconnected.withLock { $0 } == 2)
        #expect(throws: PublishRefusal.shuttingDown) { try bench.publish("c") }
    }

    @Test func whetherAPassphraseIsRequiredFollowsTheRules() throws {
        let bench = Bench()
        #expect(try !bench.registry.isPassphraseRequired)
        var configuration = ServerConfiguration()
        configuration.srt.passphrase = Secret("correct-horse")
        try bench.registry.update(rules: StreamRules(configuration))
        #expect(try bench.registry.isPassphraseRequired)
    }

    // MARK: Advice

    /// A picture of which no keyframe comes is no track, and so nothing that the packager sees.
    @Test func aPictureWithoutKeyframesIsInTheLogOnce() throws {
        let log = LogLines()
        let bench = Bench(logger: log.logger)
        let publication = try bench.publish()
        publication.update { $0.transportStream.undecodableAccessUnits = 1 }
        // It may have come in the middle of a group of pictures.
        bench.pass(.milliseconds(2_999))
        try bench.registry.advise()
        #expect(log["encoder advice", "code"] == [])
        bench.pass(.milliseconds(1))
        try bench.registry.advise()
        try bench.registry.advise()
        #expect(log["encoder advice", "code"] == ["no_keyframe"])
        #expect(log["encoder advice", "stream"] == ["news"])
    }

    @Test func damageOnTheWayIsOnTheAPIWhileItLastsAndInTheLogOnce() throws {
        let log = LogLines()
        let bench = Bench(logger: log.logger)
        let publication = try bench.publish()
        for _ in 0..<20 {
            bench.pass(.seconds(1))
            publication.update { $0.transportStream.continuityErrors += 1 }
            try bench.registry.advise()
        }
        #expect(try Self.entry(bench)?.packaging.advice.map(\.code) == [.damagedBeforeArrival])
        #expect(log["encoder advice", "code"] == ["damaged_before_arrival"])
        publication.end(.disconnected)
        #expect(try Self.entry(bench)?.packaging.advice == [])
        // The figures of another publisher begin anew.
        _ = try bench.publish()
        bench.pass(.seconds(1))
        try bench.registry.advise()
        #expect(try Self.entry(bench)?.packaging.advice == [])
    }

    @Test(.timeLimit(.minutes(1)))
    func aTrackThatIsNotPackagedIsInTheLogOnce() async throws {
        let log = LogLines()
        let bench = Bench(logger: log.logger)
        let publication = try bench.publish()
        let pipeline = try #require(bench.pipeline)
        let running = Task { await pipeline.run() }
        let format = VideoFormat(
            codec: .jpegXS,
            codecString: "jxs1",
            profile: "",
            level: "",
            width: 1_920,
            height: 1_080,
            decoderConfiguration: ByteBuffer()
        )
        publication.send([.tracks(TrackList([Track(id: Track.ID(1), format: .video(format))]))])
        pipeline.live.close()
        await running.value
        bench.pass(.seconds(3))
        try bench.registry.advise()
        try bench.registry.advise()
        #expect(log["encoder advice", "code"] == ["format_not_packaged"])
    }
}

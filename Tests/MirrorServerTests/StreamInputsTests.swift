import Ingestion
import Media
import MirrorServer
import NIOCore
import Packaging
import Synchronization
import TestSupport
import Testing

@Suite struct StreamInputsTests {
    private typealias Bench = StreamRegistryTests.Bench

    /// A registry in which `main-a` and `main-b` feed `main`.
    private func bench(
        _ change: @escaping (inout ServerConfiguration) -> Void = { _ in }
    ) throws -> Bench {
        let names = try ["main-a", "main-b"].map { try #require(StreamName($0)) }
        return Bench { configuration in
            configuration.streams = [Self.rule("main", names)]
            change(&configuration)
        }
    }

    private static func rule(_ match: String, _ names: [StreamName]) -> StreamRule {
        var rule = StreamRule()
        rule.match = StreamPattern(match)
        var inputs = StreamInputs()
        inputs.names = names
        rule.inputs = inputs
        return rule
    }

    private func entry(_ bench: Bench, _ name: String = "main") throws -> StreamRegistry.Entry? {
        try bench.registry[try #require(StreamName(name))]
    }

    private func states(_ bench: Bench, at seconds: Int64 = 1) throws -> [InputSwitch.State]? {
        let now = WallTime(microsecondsSinceEpoch: seconds * 1_000_000)
        return try entry(bench)?.inputStatus(now: now).inputs.map(\.state)
    }

    /// A keyframe, which arrives a number of seconds after the epoch.
    private func sendKeyframe(_ publication: Publication, at seconds: Int64, width: Int = 1_280) {
        let track = Track(
            id: Track.ID(1),
            format: .video(.sample(width: width))
        )
        let time = MediaTime(mpegTicks: seconds * 90_000)
        let unit = AccessUnit(
            track: track.id,
            pts: time,
            dts: time,
            payload: ByteBuffer(string: "\(publication.request.name)"),
            randomAccess: .closed,
            arrival: WallTime(microsecondsSinceEpoch: seconds * 1_000_000)
        )
        publication.send([.tracks(TrackList([track])), .accessUnit(unit)])
    }

    @Test func whatIsPublishedToAnInputIsInTheStreamItFeeds() throws {
        let bench = try bench()
        let first = try bench.publish("main-b")
        #expect(try entry(bench, "main-b") == nil)
        #expect(try entry(bench)?.publication === first)
        let second = try bench.publish("main-a")
        #expect(bench.started == 1)
        sendKeyframe(first, at: 1)
        sendKeyframe(second, at: 1)
        #expect(try entry(bench)?.publication === first)
        #expect(try states(bench) == [.standby, .onAir])
    }

    @Test func theStreamsOwnNameIsNoInputUnlessItIsListed() throws {
        let bench = try bench()
        #expect(throws: PublishRefusal.hasInputs) { try bench.publish("main") }
        let names = try ["main", "spare"].map { try #require(StreamName($0)) }
        let other = Bench { $0.streams = [Self.rule("main", names)] }
        let publication = try other.publish("main")
        #expect(try entry(other)?.publication === publication)
        _ = try other.publish("spare")
        #expect(other.started == 1)
    }

    @Test func eachInputHasOnePublisher() throws {
        let bench = try bench()
        _ = try bench.publish("main-a")
        _ = try bench.publish("main-b")
        #expect(throws: PublishRefusal.nameTaken) { try bench.publish("main-a") }
        #expect(throws: PublishRefusal.nameTaken) { try bench.publish("main-b") }
        bench.pass(.seconds(1))
        _ = try bench.publish("main-a")
    }

    @Test func theStreamIsLiveWhileAnyInputIs() throws {
        let bench = try bench()
        let first = try bench.publish("main-a")
        let second = try bench.publish("main-b")
        sendKeyframe(first, at: 1)
        sendKeyframe(second, at: 1)
        first.end(.disconnected)
        #expect(try entry(bench)?.phase == .live)
        #expect(try entry(bench)?.publication === second)
        #expect(try states(bench) == [.missing, .onAir])
        second.end(.disconnected)
        #expect(try entry(bench)?.phase == .interrupted)
        _ = try bench.publish("main-a")
        #expect(try entry(bench)?.phase == .live)
        #expect(bench.started == 1)
    }

    @Test func aBackupThatComesOrGoesChangesNothingOfTheStream() throws {
        let bench = try bench()
        sendKeyframe(try bench.publish("main-a"), at: 1)
        let since = try #require(try entry(bench)).phaseSince
        bench.pass(.seconds(5))
        try bench.publish("main-b").end(.disconnected)
        let entry = try #require(try entry(bench))
        #expect(entry.phase == .live && entry.phaseSince == since)
    }

    @Test func inputsCountAsTheOneStreamTheyFeed() throws {
        let bench = try bench { $0.publishing.maxStreams = 1 }
        _ = try bench.publish("main-a")
        _ = try bench.publish("main-b")
        #expect(throws: PublishRefusal.full) { try bench.publish("other") }
    }

    @Test func shutdownDisconnectsEveryInput() throws {
        let bench = try bench()
        let disconnected = Mutex(0)
        for name in ["main-a", "main-b"] {
            _ = try bench.publish(name, disconnect: { disconnected.withLock { $0 += 1 } })
        }
        try bench.registry.shutDown()
        #expect(disconnected.withLock { $0 } == 2)
    }

    // MARK: Terms

    @Test func theRuleOfAStreamHoldsForItsInputsUnlessOneOfTheirOwnIsFirst() throws {
        let names = try ["main-a", "main-b"].map { try #require(StreamName($0)) }
        var configuration = ServerConfiguration()
        var own = StreamRule()
        own.match = StreamPattern("main-b")
        own.passphrase = Secret("of-the-backup")
        var rule = Self.rule("main", names)
        rule.passphrase = Secret("of-the-stream")
        configuration.streams = [own, rule]
        let rules = StreamRules(configuration)
        #expect(rules.terms(for: names[0]).passphrase?.reveal() == "of-the-stream")
        #expect(rules.terms(for: names[1]).passphrase?.reveal() == "of-the-backup")
        #expect(names.map { rules.stream(fedBy: $0)?.description } == ["main", "main"])
        let main = try #require(StreamName("main"))
        #expect(rules.stream(fedBy: main) == nil)
        #expect(rules.inputs(of: main).names == names)
        let other = try #require(StreamName("other"))
        #expect(rules.stream(fedBy: other) == other && rules.inputs(of: other).names == [other])
    }

    // MARK: By hand

    @Test func anOperatorSelectsAnInputThatHasItsPublisher() throws {
        let bench = try bench()
        let main = try #require(StreamName("main"))
        let backup = try #require(StreamName("main-b"))
        #expect(throws: InputSelectionError.noSuchStream) {
            try bench.registry.select(backup, of: main)
        }
        let first = try bench.publish("main-a")
        sendKeyframe(first, at: 1)
        #expect(throws: InputSelectionError.noSuchInput) {
            try bench.registry.select(main, of: main)
        }
        #expect(throws: InputSelectionError.nobodyPublishes) {
            try bench.registry.select(backup, of: main)
        }
        let second = try bench.publish("main-b")
        sendKeyframe(second, at: 1)
        try bench.registry.select(backup, of: main)
        #expect(try entry(bench)?.publication === first)
        sendKeyframe(first, at: 2)
        sendKeyframe(second, at: 2)
        #expect(try entry(bench)?.publication === second)
        let status = try entry(bench)?.inputStatus(now: .now)
        #expect(status?.selected == backup && status?.counts == [.selected: 1])
        try bench.registry.select(nil, of: main)
        #expect(try entry(bench)?.inputStatus(now: .now).selected == nil)
    }

    @Test func inputsThatSendSomethingElseAreAdvisedAgainst() throws {
        let bench = try bench()
        let first = try bench.publish("main-a")
        let second = try bench.publish("main-b")
        sendKeyframe(first, at: 1)
        sendKeyframe(second, at: 1)
        #expect(try entry(bench)?.packaging.advice == [])
        sendKeyframe(second, at: 1, width: 640)
        let advice = try #require(try entry(bench)?.packaging.advice.first)
        #expect(advice.code == .inputsDiffer)
        #expect(advice.text.contains("main-b sends H.264 640x720 SDR"))
    }

    // MARK: Loss

    @Test func lossIsReadFromTheFiguresOfEachInput() throws {
        // Their keyframes, which are all they send, are a second apart.
        let bench = try bench { $0.streams[0].inputs?.silence = .seconds(2) }
        let first = try bench.publish("main-a")
        let second = try bench.publish("main-b")
        for publication in [first, second] { sendKeyframe(publication, at: 1) }
        for seconds in Int64(2)...8 {
            bench.pass(.seconds(1))
            first.update { $0.transportStream.continuityErrors += 1 }
            try bench.registry.advise()
            sendKeyframe(first, at: seconds)
            sendKeyframe(second, at: seconds)
        }
        #expect(try entry(bench)?.publication === second)
        #expect(try states(bench, at: 8) == [.lossy, .onAir])
    }

    // MARK: Reload

    @Test func aStreamOnAirGetsItsInputsWithoutABreak() throws {
        let bench = Bench()
        let own = try bench.publish("main")
        sendKeyframe(own, at: 1)
        var configuration = ServerConfiguration()
        let names = try ["main-a", "main-b"].map { try #require(StreamName($0)) }
        configuration.streams = [Self.rule("main", names)]
        try bench.registry.update(rules: StreamRules(configuration))
        #expect(try states(bench) == [.missing, .missing, .onAir])
        let first = try bench.publish("main-a")
        sendKeyframe(first, at: 1)
        #expect(bench.started == 1)
        own.end(.disconnected)
        #expect(try entry(bench)?.publication === first)
        #expect(try states(bench) == [.onAir, .missing])
        #expect(throws: PublishRefusal.hasInputs) { try bench.publish("main") }
    }
}

import Ingestion
import Media
import MirrorServer
import Packaging
import TestSupport
import Testing

@Suite struct HitlessInputsTests {
    private typealias Bench = StreamRegistryTests.Bench

    /// A registry in which `main-a` and `main-b` are the legs of `main`.
    private func bench() throws -> Bench {
        var rule = StreamRule()
        rule.match = StreamPattern("main")
        var inputs = StreamInputs()
        inputs.mode = .hitless
        inputs.names = try ["main-a", "main-b"].map { try #require(StreamName($0)) }
        rule.inputs = inputs
        return Bench { $0.streams = [rule] }
    }

    private func entry(_ bench: Bench) throws -> StreamRegistry.Entry {
        let name = try #require(StreamName("main"))
        return try #require(try bench.registry[name])
    }

    private func states(
        _ bench: Bench
    ) throws -> [TransportStreamMergeStatistics.LegState] {
        try #require(try entry(bench).feed).statistics.legs.map(\.state)
    }

    /// A picture of its own number, and the tables.
    private func packets(_ count: Int, seed: UInt64 = 1) -> [UInt8] {
        var writer = TransportStreamWriter(streams: [.h264()])
        var random = SeededRandom(seed: seed)
        return (0..<count).flatMap { picture in
            let payload = random.bytes(1_000)
            return writer.tables() + writer.pes(payload, on: .h264(), pts: Int64(picture) * 3_600)
        }
    }

    private func send(
        _ bytes: [UInt8],
        _ publication: Publication,
        at seconds: Int64,
        isAfterLoss: Bool = false
    ) {
        let arrival = WallTime(microsecondsSinceEpoch: 1_000_000_000 + seconds * 1_000_000)
        publication.noteReceived(bytes: bytes.count, at: arrival)
        bytes.withUnsafeBytes {
            publication.send($0, arrival: arrival, isAfterLoss: isAfterLoss)
        }
    }

    @Test func publishersOfTheInputsAreLegsOfOneFeed() throws {
        let bench = try bench()
        let first = try bench.publish("main-a")
        let second = try bench.publish("main-b")
        #expect(bench.started == 1)
        #expect(try states(bench) == [.aligning, .aligning])
        let bytes = packets(20)
        send(bytes, first, at: 0)
        #expect(try states(bench) == [.leading, .aligning])
        #expect(try entry(bench).publication === first)
        send(bytes, second, at: 0)
        #expect(try entry(bench).feed?.statistics.packets == UInt64(bytes.count / 188))
        #expect(try entry(bench).feed?.statistics.legs[1].missingPackets == 0)
        #expect(first.leg?.transportStream.continuityErrors == 0)
        #expect(try entry(bench).packaging.advice == [])
    }

    @Test func theStreamIsLiveWhileALegIs() throws {
        let bench = try bench()
        let first = try bench.publish("main-a")
        let second = try bench.publish("main-b")
        first.end(.disconnected)
        #expect(try entry(bench).phase == .live)
        #expect(try states(bench) == [.absent, .aligning])
        // Of a connection that has ended, nothing is taken.
        send(packets(20), first, at: 0)
        #expect(try entry(bench).feed?.statistics.packets == 0)
        send(packets(20), second, at: 0)
        #expect(try states(bench) == [.absent, .leading])
        second.end(.disconnected)
        #expect(try entry(bench).phase == .interrupted)
        _ = try bench.publish("main-b")
        #expect(try entry(bench).phase == .live && bench.started == 1)
    }

    @Test func aPublisherThatReturnsTakesItsLegOver() throws {
        let bench = try bench()
        let first = try bench.publish("main-a")
        _ = try bench.publish("main-b")
        bench.pass(.seconds(2))
        let again = try bench.publish("main-a")
        send(packets(20), first, at: 2)
        #expect(try entry(bench).feed?.statistics.packets == 0)
        send(packets(20), again, at: 2)
        #expect(try states(bench) == [.leading, .aligning])
    }

    @Test func aLegOfAnotherFeedIsAdvisedAgainst() throws {
        let bench = try bench()
        let first = try bench.publish("main-a")
        let second = try bench.publish("main-b")
        for second in Int64(0)..<3 { send(packets(20, seed: 7), first, at: second) }
        #expect(try entry(bench).packaging.advice == [])
        send(packets(20, seed: 8), second, at: 2)
        send(packets(20, seed: 7), first, at: 3)
        let advice = try #require(try entry(bench).packaging.advice.first)
        #expect(advice.code == .legDiffers)
        #expect(advice.text.contains("main-b"))
    }

    @Test func mediaWithoutItsTransportStreamCannotBeMerged() throws {
        let bench = try bench()
        let first = try bench.publish("main-a")
        first.send([.tracks(TrackList([]))])
        let advice = try #require(try entry(bench).packaging.advice.first)
        #expect(advice.code == .legWithoutTransportStream)
        #expect(try entry(bench).pipeline.live.tracks == nil)
    }

    @Test func whatWaitsIsGivenUpThoughNothingComes() throws {
        let bench = try bench()
        let first = try bench.publish("main-a")
        let second = try bench.publish("main-b")
        let bytes = packets(40)
        let half = bytes.count / 2 / 188 * 188
        send(Array(bytes[..<half]), first, at: 0)
        send(Array(bytes[..<(half / 376 * 188)]), second, at: 0)
        send(Array(bytes[half...]), first, at: 0, isAfterLoss: true)
        #expect(try entry(bench).feed?.statistics.packets == UInt64(half / 188))
        bench.pass(.seconds(1))
        try bench.registry.expire()
        #expect(try entry(bench).feed?.statistics.packets == UInt64(bytes.count / 188))
        #expect(try entry(bench).feed?.statistics.holes == 1)
    }
}

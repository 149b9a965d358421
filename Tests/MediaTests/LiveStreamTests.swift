import Media
import NIOCore
import Testing

@Suite struct LiveStreamTests {
    private typealias Fixture = EventFixture

    private static let tracks = MediaEvent.tracks(TrackList([Fixture.picture]))

    private static func words(_ events: LiveStreamSubscription) async -> [String] {
        var words: [String] = []
        for await event in events { words.append(Fixture.word(event)) }
        return words
    }

    private static func stream() throws -> LiveStream {
        LiveStream(name: try #require(StreamName("test")))
    }

    @Test func everyConsumerGetsEveryEventInOrder() async throws {
        let stream = try Self.stream()
        let limit = LiveStreamSubscription.Limit(accessUnits: 10, bytes: 10_000)
        let early = stream.subscribe(as: "test", limit: limit)
        stream.send(Self.tracks)
        stream.send(Fixture.keyframe(1))
        let late = stream.subscribe(as: "test", limit: limit)
        stream.send(Fixture.unit(2))
        stream.send(.end(.disconnected))
        stream.close()
        #expect(await Self.words(early) == ["tracks", "1", "2", "disconnected"])
        #expect(await Self.words(late) == ["tracks", "2", "disconnected"])
    }

    @Test func theNewestKeyframeOfThePictureIsKept() throws {
        let stream = try Self.stream()
        stream.send(Fixture.keyframe(1))
        #expect(stream.keyframe == nil)
        stream.send([Self.tracks, Fixture.sound(2), Fixture.unit(3)])
        #expect(stream.keyframe == nil)
        stream.send([Fixture.keyframe(4), Fixture.sound(5)])
        #expect(stream.keyframe?.unit.dts.ticks == 4)
        #expect(stream.keyframe?.number == 1)
        #expect(stream.keyframe?.format == Fixture.picture.video)
        stream.send([Fixture.unit(6), .discontinuity(.formatChange), Fixture.keyframe(7)])
        #expect(stream.keyframe?.unit.dts.ticks == 7)
        #expect(stream.keyframe?.number == 2)
        stream.send(.end(.disconnected))
        #expect(stream.keyframe?.number == 2)
        stream.send(.tracks(TrackList([Fixture.sound])))
        #expect(stream.keyframe == nil)
    }

    @Test func aConsumerThatWaitsIsWokenByTheNextEvent() async throws {
        let stream = try Self.stream()
        // Room for all: whether the consumer keeps up is the machine's affair.
        let events = stream.subscribe(as: "test", limit: .init(accessUnits: 100, bytes: 10_000))
        async let words = Self.words(events)
        for dts in 0..<100 {
            stream.send(Fixture.unit(Int64(dts), randomAccess: dts == 0 ? .closed : .none))
            await Task.yield()
        }
        stream.close()
        #expect(await words == (0..<100).map { "\($0)" })
    }

    @Test func eventsThatAreSentTogetherComeOneByOneInOrder() async throws {
        let stream = try Self.stream()
        let events = stream.subscribe(as: "test", limit: .init(accessUnits: 100, bytes: 10_000))
        async let words = Self.words(events)
        stream.send([Self.tracks, Fixture.keyframe(0)])
        for dts in stride(from: Int64(1), to: 99, by: 2) {
            stream.send([Fixture.unit(dts), Fixture.unit(dts + 1)])
            await Task.yield()
        }
        stream.send([])
        stream.send([.end(.idle)])
        stream.close()
        #expect(await words == ["tracks"] + (0..<99).map { "\($0)" } + ["idle"])
        #expect(events.pressure.losses.total == 0)
    }

    @Test func theLimitHoldsWithinEventsThatAreSentTogether() async throws {
        let stream = try Self.stream()
        let events = stream.subscribe(as: "test", limit: .init(accessUnits: 8, bytes: 10_000))
        stream.send([Self.tracks, Fixture.keyframe(0)] + (1..<10).map { Fixture.unit($0) })
        var iterator = events.makeAsyncIterator()
        for _ in 0..<4 { _ = await iterator.next() }
        stream.send([Fixture.unit(10), Fixture.keyframe(11), .end(.idle)])
        stream.close()
        #expect(await Self.words(events) == ["3", "4", "5", "6", "11", "idle"])
        #expect(events.pressure.losses.dependent == 4)
    }

    @Test func aSlowConsumerResumesAtAKeyframeAndKeepsItsSound() async throws {
        let stream = try Self.stream()
        let events = stream.subscribe(as: "test", limit: .init(accessUnits: 8, bytes: 10_000))
        stream.send(.tracks(TrackList([Fixture.picture, Fixture.sound])))
        stream.send(Fixture.keyframe(0))
        for time in Int64(1)..<10 { stream.send(Fixture.unit(time)) }
        stream.send(Fixture.sound(9))
        var iterator = events.makeAsyncIterator()
        for _ in 0..<4 { _ = await iterator.next() }
        stream.send([Fixture.unit(10), Fixture.sound(10), Fixture.keyframe(11), Fixture.unit(12)])
        stream.close()
        let words = await Self.words(events)
        #expect(words == ["3", "4", "5", "6", "a9", "a10", "11"])
        #expect(events.pressure.losses.dependent == 5)
        #expect(events.pressure.losses.sound == 0)
    }

    @Test func aSlowConsumerIsNoneOfItsSiblingsBusiness() async throws {
        let stream = try Self.stream()
        let slow = stream.subscribe(as: "slow", limit: .init(accessUnits: 8, bytes: 10_000))
        let quick = stream.subscribe(as: "quick", limit: .init(accessUnits: 100, bytes: 10_000))
        stream.send([Self.tracks, Fixture.keyframe(0)] + (1..<20).map { Fixture.unit($0) })
        #expect(stream.pressure.map(\.consumer) == ["slow", "quick"])
        #expect(stream.pressure.map(\.losses.total) == [13, 0])
        stream.close()
        #expect(await Self.words(slow) == ["tracks"] + (0..<7).map { "\($0)" })
        #expect(await Self.words(quick) == ["tracks"] + (0..<20).map { "\($0)" })
    }

    @Test func pressureTellsHowFullTheQueueIsAndWas() async throws {
        let stream = try Self.stream()
        let events = stream.subscribe(as: "test", limit: .init(accessUnits: 10, bytes: 1_000))
        stream.send([Self.tracks, Fixture.keyframe(0, bytes: 500), Fixture.unit(1)])
        #expect(events.pressure.fill == 0.6)
        var iterator = events.makeAsyncIterator()
        for _ in 0..<2 { _ = await iterator.next() }
        #expect(events.pressure.fill == 0.1)
        #expect(events.pressure.highestFill == 0.6)
        // What was lost did not fill the queue.
        stream.send(Fixture.unit(2, bytes: 900))
        #expect(events.pressure.highestFill == 0.6)
        #expect(events.pressure.losses.dependent == 1)
        stream.close()
        #expect(stream.pressure == [events.pressure])
    }

    @Test func queuedBytesAreBoundedAndTracksAreNeverDropped() async throws {
        let stream = try Self.stream()
        let events = stream.subscribe(as: "test", limit: .init(accessUnits: 100, bytes: 250))
        for time in 0..<4 { stream.send(Fixture.keyframe(Int64(time))) }
        stream.send(Self.tracks)
        stream.send(.end(.idle))
        stream.close()
        #expect(await Self.words(events) == ["0", "1", "tracks", "idle"])
    }

    @Test func nothingIsHandedOnAfterTheEnd() async throws {
        let stream = try Self.stream()
        let events = stream.subscribe(as: "test", limit: .init(accessUnits: 100, bytes: 1_000))
        stream.close()
        stream.send([Self.tracks, Fixture.keyframe(0)])
        #expect(await Self.words(events).isEmpty)
        #expect(stream.tracks == nil)
    }

    @Test func subscribingToAClosedStreamEndsAtOnce() async throws {
        let stream = try Self.stream()
        stream.send(Self.tracks)
        stream.close()
        let events = stream.subscribe(as: "test", limit: .init(accessUnits: 1, bytes: 1))
        #expect(await Self.words(events) == ["tracks"])
    }

    @Test func aCancelledConsumerGetsWhatIsQueuedAndThenStops() async throws {
        let stream = try Self.stream()
        let events = stream.subscribe(as: "test", limit: .init(accessUnits: 10, bytes: 10_000))
        stream.send([Self.tracks, Fixture.keyframe(0)])
        let consumer = Task { await Self.words(events) }
        consumer.cancel()
        #expect(await consumer.value == ["tracks", "0"])
    }

    @Test func aCancelledConsumerStopsWaiting() async throws {
        let events = try Self.stream().subscribe(as: "test", limit: .init(accessUnits: 1, bytes: 1))
        let consumer = Task { await Self.words(events) }
        consumer.cancel()
        #expect(await consumer.value.isEmpty)
    }
}

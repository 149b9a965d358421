import Media
import NIOCore
import Testing

@Suite struct LiveStreamTests {
    private static let video = Track.ID(256)
    private static let audio = Track.ID(257)
    private static let tracks = TrackList([
        Track(
            id: video,
            format: .video(
                VideoFormat(
                    codec: .h264,
                    codecString: "avc1.64001f",
                    profile: "High",
                    level: "3.1",
                    width: 1_280,
                    height: 720,
                    decoderConfiguration: ByteBuffer()
                )
            )
        )
    ])

    private static func unit(
        _ dts: Int64,
        track: Track.ID = video,
        keyframe: Bool = false,
        bytes: Int = 100
    ) -> MediaEvent {
        .accessUnit(
            AccessUnit(
                track: track,
                pts: MediaTime(mpegTicks: dts),
                dts: MediaTime(mpegTicks: dts),
                payload: ByteBuffer(repeating: 0, count: bytes),
                randomAccess: keyframe ? .closed : .none,
                arrival: WallTime(microsecondsSinceEpoch: 0)
            )
        )
    }

    private static func words(_ events: LiveStreamSubscription) async -> [String] {
        var words: [String] = []
        for await event in events {
            switch event {
            case .tracks: words.append("tracks")
            case .accessUnit(let unit): words.append("\(unit.dts.ticks)")
            case .discontinuity(let reason): words.append(reason.rawValue)
            case .end(let reason): words.append(reason.rawValue)
            }
        }
        return words
    }

    private static func stream() throws -> LiveStream {
        LiveStream(name: try #require(StreamName("test")))
    }

    @Test func everyConsumerGetsEveryEventInOrder() async throws {
        let stream = try Self.stream()
        let limit = LiveStreamSubscription.Limit(accessUnits: 10, bytes: 10_000)
        let early = stream.subscribe(limit: limit)
        stream.send(.tracks(Self.tracks))
        stream.send(Self.unit(1, keyframe: true))
        let late = stream.subscribe(limit: limit)
        stream.send(Self.unit(2))
        stream.send(.end(.disconnected))
        stream.close()
        #expect(await Self.words(early) == ["tracks", "1", "2", "disconnected"])
        #expect(await Self.words(late) == ["tracks", "2", "disconnected"])
    }

    @Test func aConsumerThatWaitsIsWokenByTheNextEvent() async throws {
        let stream = try Self.stream()
        // Room for all: whether the consumer keeps up is the machine's affair.
        let events = stream.subscribe(limit: .init(accessUnits: 100, bytes: 10_000))
        async let words = Self.words(events)
        for dts in 0..<100 {
            stream.send(Self.unit(Int64(dts), keyframe: dts == 0))
            await Task.yield()
        }
        stream.close()
        #expect(await words == (0..<100).map { "\($0)" })
    }

    @Test func eventsThatAreSentTogetherComeOneByOneInOrder() async throws {
        let stream = try Self.stream()
        let events = stream.subscribe(limit: .init(accessUnits: 100, bytes: 10_000))
        async let words = Self.words(events)
        stream.send([.tracks(Self.tracks), Self.unit(0, keyframe: true)])
        for dts in stride(from: Int64(1), to: 99, by: 2) {
            stream.send([Self.unit(dts), Self.unit(dts + 1)])
            await Task.yield()
        }
        stream.send([])
        stream.send([.end(.idle)])
        stream.close()
        #expect(await words == ["tracks"] + (0..<99).map { "\($0)" } + ["idle"])
        #expect(events.droppedAccessUnits == 0)
    }

    @Test func theLimitHoldsWithinEventsThatAreSentTogether() async throws {
        let stream = try Self.stream()
        let events = stream.subscribe(limit: .init(accessUnits: 2, bytes: 10_000))
        stream.send([.tracks(Self.tracks)] + (0..<4).map { Self.unit($0, keyframe: $0 == 0) })
        var iterator = events.makeAsyncIterator()
        for _ in 0..<3 { _ = await iterator.next() }
        stream.send([Self.unit(4), Self.unit(5, keyframe: true), .end(.idle)])
        stream.close()
        #expect(await Self.words(events) == ["overrun", "5", "idle"])
        #expect(events.droppedAccessUnits == 3)
    }

    @Test func aSlowConsumerResumesAtAKeyframeAndIsToldSo() async throws {
        let stream = try Self.stream()
        let events = stream.subscribe(limit: .init(accessUnits: 3, bytes: 10_000))
        stream.send(.tracks(Self.tracks))
        for dts in 0..<5 { stream.send(Self.unit(Int64(dts), keyframe: dts == 0)) }
        var iterator = events.makeAsyncIterator()
        for _ in 0..<4 { _ = await iterator.next() }
        stream.send(Self.unit(5))
        stream.send(Self.unit(5, track: Self.audio, keyframe: true))
        stream.send(Self.unit(6, keyframe: true))
        stream.send(Self.unit(7))
        stream.close()
        #expect(await Self.words(events) == ["overrun", "6", "7"])
        #expect(events.droppedAccessUnits == 4)
    }

    @Test func queuedBytesAreBoundedAndTracksAreNeverDropped() async throws {
        let stream = try Self.stream()
        let events = stream.subscribe(limit: .init(accessUnits: 100, bytes: 250))
        for dts in 0..<4 { stream.send(Self.unit(Int64(dts), keyframe: true)) }
        stream.send(.tracks(Self.tracks))
        stream.send(.end(.idle))
        stream.close()
        #expect(await Self.words(events) == ["0", "1", "tracks", "idle"])
    }

    @Test func subscribingToAClosedStreamEndsAtOnce() async throws {
        let stream = try Self.stream()
        stream.send(.tracks(Self.tracks))
        stream.close()
        let events = stream.subscribe(limit: .init(accessUnits: 1, bytes: 1))
        #expect(await Self.words(events) == ["tracks"])
    }

    @Test func aCancelledConsumerGetsWhatIsQueuedAndThenStops() async throws {
        let stream = try Self.stream()
        let events = stream.subscribe(limit: .init(accessUnits: 10, bytes: 10_000))
        stream.send([.tracks(Self.tracks), Self.unit(0, keyframe: true)])
        let consumer = Task { await Self.words(events) }
        consumer.cancel()
        #expect(await consumer.value == ["tracks", "0"])
    }

    @Test func aCancelledConsumerStopsWaiting() async throws {
        let events = try Self.stream().subscribe(limit: .init(accessUnits: 1, bytes: 1))
        let consumer = Task { await Self.words(events) }
        consumer.cancel()
        #expect(await consumer.value.isEmpty)
    }
}

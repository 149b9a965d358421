import Media
import TestSupport
import Testing

/// What consumers that are too slow do without, and that the rest can be decoded.
@Suite struct LossByDependencyTests {
    private typealias Fixture = EventFixture

    private static let tracks = MediaEvent.tracks(TrackList([Fixture.picture, Fixture.sound]))

    /// A queue of 32 units: 20 are 5/8 of it, 28 are 7/8.
    private static func queue() throws -> (LiveStream, LiveStreamSubscription) {
        let stream = LiveStream(name: try #require(StreamName("test")))
        let events = stream.subscribe(as: "test", limit: .init(accessUnits: 32, bytes: 1 << 20))
        stream.send(tracks)
        return (stream, events)
    }

    private static func words(_ events: LiveStreamSubscription) async -> [String] {
        var words: [String] = []
        for await event in events { words.append(Fixture.word(event)) }
        return words
    }

    private static func pictures(_ times: ClosedRange<Int>) -> [MediaEvent] {
        times.map { Fixture.unit(Int64($0)) }
    }

    private static func take(_ count: Int, from events: LiveStreamSubscription) async {
        var iterator = events.makeAsyncIterator()
        for _ in 0..<count { _ = await iterator.next() }
    }

    @Test func picturesThatNoOtherRefersToGoFirst() async throws {
        let (stream, events) = try Self.queue()
        stream.send([Fixture.keyframe(0)] + Self.pictures(1...18))
        stream.send(Fixture.unit(19, isDisposable: true))
        #expect(events.pressure.losses.total == 0)
        stream.send([Fixture.unit(20, isDisposable: true), Fixture.unit(21), Fixture.sound(21)])
        #expect(events.pressure.losses.disposable == 1)
        #expect(events.pressure.losses.total == 1)
        // Nothing else is lost for it: as soon as there is room such pictures come again.
        await Self.take(4, from: events)
        stream.send(Fixture.unit(22, isDisposable: true))
        stream.close()
        #expect(await Self.words(events).suffix(4) == ["19", "21", "a21", "22"])
    }

    @Test func thenLayersGoFromTheTopAndStayAwayUntilTheNextKeyframe() async throws {
        let (stream, events) = try Self.queue()
        stream.send([Fixture.keyframe(0)] + Self.pictures(1...25))
        // 27 of 32 are too many for the second layer, not for the first.
        stream.send([Fixture.unit(26, layer: 2), Fixture.unit(27, layer: 1)])
        #expect(events.pressure.losses.upperLayer == 1)
        await Self.take(20, from: events)
        stream.send([
            Fixture.unit(28, layer: 2), Fixture.unit(29, layer: 3), Fixture.unit(30, layer: 1),
            Fixture.unit(31), Fixture.keyframe(32), Fixture.unit(33, layer: 2),
        ])
        stream.close()
        #expect(await Self.words(events).suffix(5) == ["27", "30", "31", "32", "33"])
        #expect(events.pressure.losses.upperLayer == 3)
        #expect(events.pressure.losses.total == 3)
    }

    @Test func thenAllPicturesGoUpToTheNextKeyframeAndTheSoundGoesOn() async throws {
        let (stream, events) = try Self.queue()
        stream.send([Fixture.keyframe(0)] + Self.pictures(1...28))
        stream.send([Fixture.sound(28), Fixture.keyframe(29), Fixture.sound(29)])
        #expect(events.pressure.losses.dependent == 2)
        await Self.take(10, from: events)
        stream.send([Fixture.unit(30), Fixture.sound(30), Fixture.keyframe(31), Fixture.unit(32)])
        stream.close()
        let expected = ["27", "a28", "a29", "a30", "31", "32"]
        #expect(await Self.words(events).suffix(6) == expected)
        #expect(events.pressure.losses.dependent == 3)
        #expect(events.pressure.losses.sound == 0)
    }

    @Test func soundIsLostWhenThereIsNoRoomAtAll() async throws {
        let (stream, events) = try Self.queue()
        stream.send((0..<40).map { Fixture.sound(Int64($0)) } + [Fixture.keyframe(40)])
        #expect(events.pressure.losses.sound == 8)
        #expect(events.pressure.losses.dependent == 1)
        #expect(events.pressure.highestFill == 1)
        await Self.take(11, from: events)
        stream.send([Fixture.sound(41), Fixture.unit(41), Fixture.keyframe(42)])
        stream.close()
        #expect(await Self.words(events).suffix(3) == ["a31", "a41", "42"])
    }

    @Test func leadingPicturesOfAnOpenEntryGoWithWhatTheyReferTo() async throws {
        let (stream, events) = try Self.queue()
        stream.send([Fixture.keyframe(0)] + Self.pictures(1...28))
        await Self.take(20, from: events)
        stream.send([
            Fixture.unit(29, pts: 31, randomAccess: .open), Fixture.unit(30, pts: 29),
            Fixture.unit(31, pts: 30), Fixture.unit(32, pts: 34), Fixture.unit(33, pts: 33),
        ])
        // The next entry had no break before it.
        stream.send([
            Fixture.unit(34, pts: 36, randomAccess: .open), Fixture.unit(35, pts: 35),
        ])
        stream.close()
        #expect(await Self.words(events).suffix(6) == ["27", "29", "32", "33", "34", "35"])
        #expect(events.pressure.losses.dependent == 3)
    }

    @Test func picturesThatAllStandAloneComeAgainAtOnce() async throws {
        let (stream, events) = try Self.queue()
        for time in 0..<24 {
            stream.send(Fixture.unit(Int64(time), randomAccess: .closed, isDisposable: true))
        }
        #expect(events.pressure.losses.disposable == 4)
        await Self.take(2, from: events)
        stream.send(Fixture.unit(24, randomAccess: .closed, isDisposable: true))
        stream.close()
        #expect(await Self.words(events).suffix(2) == ["19", "24"])
    }

    /// Groups of pictures as encoders with layers make them: each picture refers to some of those
    /// before it that the rules of its codec allow.
    @Test(arguments: UInt64(0)..<20) func whatIsTakenHasAllThatItRefersTo(seed: UInt64) async throws
    {
        var random = SeededRandom(seed: seed)
        let (stream, events) = try Self.queue()
        var references: [Int64: [Int64]] = [:]
        var candidates: [(time: Int64, layer: Int)] = []
        var entry = (time: Int64(0), isOpen: false)
        var previous: [(time: Int64, layer: Int)] = []
        var taken: [Int64] = []
        var iterator = events.makeAsyncIterator()
        var speed = 1.0
        for time in Int64(0)..<3_000 {
            let isKeyframe = time == 0 || Int.random(in: 0..<25, using: &random) == 0
            if isKeyframe {
                entry = (time, time > 0 && Bool.random(using: &random))
                previous = candidates
                candidates = [(time, 0)]
                references[time] = []
                stream.send(
                    Fixture.unit(
                        time,
                        pts: time + 3,
                        randomAccess: entry.isOpen ? .open : .closed
                    )
                )
            } else {
                let isLeading = entry.isOpen && time - entry.time <= 2
                let layer = Int.random(in: 0...3, using: &random)
                let isDisposable = layer == 3 || Int.random(in: 0..<3, using: &random) == 0
                let pool = (isLeading ? previous : []) + candidates
                let allowed = pool.filter { $0.layer <= layer }
                references[time] = allowed.filter { _ in Bool.random(using: &random) }.map(\.time)
                // Nothing that follows refers to leading pictures.
                if !isDisposable, !isLeading { candidates.append((time, layer)) }
                stream.send(
                    Fixture.unit(
                        time,
                        pts: isLeading ? entry.time : time + 3,
                        isDisposable: isDisposable,
                        layer: layer
                    )
                )
            }
            if time % 60 == 0 { speed = [0.2, 0.5, 0.8, 1, 3].randomElement(using: &random) ?? 1 }
            while events.pressure.fill > 0, Double.random(in: 0..<4, using: &random) < speed {
                if case .accessUnit(let unit)? = await iterator.next() {
                    taken.append(unit.dts.ticks)
                }
            }
        }
        let isTaken = Set(taken)
        for time in taken {
            #expect(references[time]?.allSatisfy(isTaken.contains) == true, "\(time)")
        }
        let losses = events.pressure.losses
        #expect(taken.count > 500)
        #expect(losses.disposable > 50 && losses.upperLayer > 50 && losses.dependent > 50)
    }
}

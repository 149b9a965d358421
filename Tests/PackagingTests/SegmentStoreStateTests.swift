import Media
import NIOCore
import Packaging
import Testing

/// The rules of a live playlist, held over random legal lives of a stream; and its bounds.
struct SegmentStoreStateTests {
    private static let video = StreamSource.video
    private static let audio = StreamSource.audio

    private static func state(
        _ configuration: PackagingConfiguration = PackagingConfiguration(),
        limits: SegmentStore.Limits = .init()
    ) -> SegmentStoreState {
        SegmentStoreState(configuration: configuration, epoch: "e1", limits: limits)
    }

    private func isThere(_ name: ResourceName, in state: SegmentStoreState) -> Bool {
        if case .resource = state.resolve(.resource(Self.video, name)) { true } else { false }
    }

    // MARK: Window and bounds

    @Test func segmentStaysForTwoMoreAfterItLeftThePlaylist() {
        var state = Self.state()
        var source = StreamSource()
        state.apply([.renditions([StreamSource.picture()])])
        for _ in 0..<10 { state.apply(source.segment()) }
        #expect(isThere(.segment(0), in: state) && isThere(.part(0), in: state))
        for count in 1...3 {
            state.apply(source.segment())
            #expect(isThere(.segment(0), in: state) == (count < 3))
            #expect(isThere(.part(0), in: state) == (count < 3))
            #expect(isThere(.part(5), in: state) == (count < 3))
        }
        #expect(isThere(.segment(1), in: state) && isThere(.part(6), in: state))
        #expect(state.statistics.segments == 12)
        #expect(state.statistics.renditions.map(\.listedSegments) == [10])
        #expect(state.statistics.parts == 72)
    }

    @Test func fiftyMegabitsWithATwentySecondWindowFitTheBudget() {
        var state = Self.state()
        var source = StreamSource()
        state.apply([.renditions([StreamSource.picture()])])
        // One buffer shared by all parts: what is counted is what distinct parts would hold.
        let bytes = ByteBuffer(repeating: 0, count: 50_000_000 / 8 / 3)
        let part = Part(slices: [bytes], duration: StreamSource.partDuration, isIndependent: true)
        var most = 0
        for _ in 0..<30 {
            state.apply(source.open())
            for _ in 0..<6 {
                state.apply([.part(Self.video, part)])
                most = max(most, state.statistics.bytesHeld)
            }
            state.apply([.closeSegment(Self.video)])
            source.advance()
        }
        #expect(most > 150_000_000)
        #expect(most < 165_000_000)
        #expect(state.statistics.evictedSegments == 0)
    }

    @Test func bytesAreBoundedWhateverThePublisherSends() {
        var state = SegmentStoreState(
            configuration: PackagingConfiguration(memoryLimitBytes: 10_000),
            epoch: "e",
            limits: SegmentStore.Limits()
        )
        var source = StreamSource()
        state.apply([.renditions([StreamSource.picture()])])
        let part = Part(
            slices: [ByteBuffer(repeating: 0, count: 900)],
            duration: MediaTime(ticks: 1, timescale: 90_000),
            isIndependent: true
        )
        for _ in 0..<20 {
            state.apply(
                source.open() + [
                    .part(Self.video, part), .part(Self.video, part), .closeSegment(Self.video),
                ]
            )
            source.advance(parts: 0)
            #expect(state.statistics.bytesHeld <= 10_000)
        }
        #expect(state.statistics.evictedSegments > 10)
        #expect(state.statistics.rejectedParts == 0)
        state.apply(source.open())
        for _ in 0..<20 { state.apply([.part(Self.video, part)]) }
        #expect(state.statistics.bytesHeld <= 10_000)
        #expect(state.statistics.rejectedParts == 9)
    }

    @Test func countsAreBoundedWhateverThePublisherSends() {
        var limits = SegmentStore.Limits()
        limits.segments = 10
        limits.partsPerSegment = 4
        limits.renditions = 2
        var state = Self.state(limits: limits)
        var source = StreamSource()
        state.apply([
            .renditions(
                [StreamSource.picture()] + (0..<9).map { StreamSource.sound(id: .init("a\($0)")) }
            )
        ])
        #expect(state.statistics.renditions.count == 2)
        let tiny = StreamSource.part(duration: MediaTime(ticks: 1, timescale: 90_000))
        for _ in 0..<50 {
            state.apply(
                source.open() + Array(repeating: tiny, count: 6) + [.closeSegment(Self.video)]
            )
            source.advance(parts: 0)
        }
        #expect(state.statistics.renditions.first?.listedSegments == 10)
        #expect(state.statistics.rejectedParts == 100)
    }

    @Test func outputsThatDoNotFitAreRefusedAndCounted() {
        var state = Self.state()
        var source = StreamSource(mediaSequence: 5)
        state.apply([StreamSource.part(), .closeSegment(Self.video)] + source.open(parts: 1))
        #expect(state.statistics.rejectedParts == 2)
        state.apply([.renditions([StreamSource.picture()]), StreamSource.part()])
        #expect(state.statistics.rejectedParts == 3)
        state.apply(source.segment())
        source.mediaSequence = 5
        state.apply(source.segment(parts: 2))
        #expect(state.statistics.rejectedParts == 5)
        #expect(state.statistics.renditions.first?.lastMediaSequence == 5)
        state.finish()
        state.apply(source.segment(parts: 2))
        #expect(state.statistics.rejectedParts == 5)
    }

    @Test func extremeDurationsAndNumbersDoNotTrap() {
        var state = Self.state()
        state.apply([.renditions([StreamSource.picture()])])
        for sequence in [0, 1, UInt64.max - 1, .max, .max] {
            for ticks in [Int64.max, .min, -1, 0] {
                let start = SegmentStart(
                    mediaSequence: sequence,
                    programDateTime: WallTime(microsecondsSinceEpoch: .max),
                    isDiscontinuity: true
                )
                let duration = MediaTime(ticks: ticks, timescale: 1)
                state.apply([.openSegment(Self.video, start)])
                for _ in 0..<4 { state.apply([StreamSource.part(duration: duration)]) }
                state.apply([.closeSegment(Self.video)])
            }
        }
        #expect(state.statistics.renditions.first?.lastMediaSequence == .max)
        guard case .playlist = state.resolve(.playlist(Self.video, mediaSequence: .max, part: 3))
        else {
            Issue.record("the last part is there")
            return
        }
    }

    @Test func renditionThatLagsBehindADiscontinuityCountsItWhereTheOthersDo() throws {
        var state = Self.state()
        var source = StreamSource()
        state.apply([.renditions([StreamSource.picture(), StreamSource.sound()])])
        for number in 0..<4 { state.apply(source.segment(isDiscontinuity: number == 3)) }
        source.mediaSequence = 2
        for isDiscontinuity in [true, true] {
            state.apply(source.open(Self.audio, isDiscontinuity: isDiscontinuity))
            state.apply([StreamSource.audioPart(), .closeSegment(Self.audio)])
            source.advance()
        }
        let resolution = state.resolve(.playlist(Self.audio, mediaSequence: nil, part: nil))
        guard case .playlist(let playlist) = resolution else {
            Issue.record("\(resolution)")
            return
        }
        let read = ReadPlaylist(playlist.plain.text)
        #expect(read.segments.map(\.discontinuitySequence) == [0, 1])
        #expect(read.segments.map(\.hasDiscontinuity) == [false, true])
    }

    @Test func renditionThatIsGoneLetsItsMediaGoAndComesBackUnderFreshNames() {
        var state = Self.state()
        var source = StreamSource()
        let both = [StreamSource.picture(), StreamSource.sound()]
        state.apply([.renditions(both)])
        let sound = source.open(Self.audio) + [StreamSource.audioPart(), .closeSegment(Self.audio)]
        state.apply(source.segment() + sound)
        state.apply([.renditions([both[0]])])
        for _ in 0..<8 { state.apply(source.segment()) }
        guard case .playlist = state.resolve(.playlist(Self.audio, mediaSequence: nil, part: nil))
        else {
            Issue.record("still in the window")
            return
        }
        for _ in 0..<30 { state.apply(source.segment()) }
        guard case .pending = state.resolve(.playlist(Self.audio, mediaSequence: nil, part: nil)),
            case .failure(.unknownResource) = state.resolve(.resource(Self.audio, .part(0)))
        else {
            Issue.record("media is kept")
            return
        }
        state.apply(
            [.renditions(both)] + source.open(Self.audio, isDiscontinuity: true) + [
                StreamSource.audioPart()
            ]
        )
        guard
            case .playlist(let playlist) = state.resolve(
                .playlist(Self.audio, mediaSequence: nil, part: nil)
            )
        else {
            Issue.record("it is back")
            return
        }
        let read = ReadPlaylist(playlist.plain.text)
        #expect(read.mediaSequence == 39)
        #expect(read.segments.map(\.discontinuitySequence) == [1])
        #expect(read.segments.first?.parts.map(\.uri) == ["e1-part1.m4s"])
    }

    // MARK: Random lives

    @Test(arguments: 1...4 as ClosedRange<UInt64>)
    func everyPlaylistOfARandomStreamKeepsTheRules(seed: UInt64) throws {
        var life = RandomLife(seed: seed)
        var state = Self.state(life.configuration, limits: life.limits)
        var witness = PlaylistWitness(configuration: life.configuration)
        for _ in 0..<200 {
            state.apply(life.step())
            for id in [Self.video, Self.audio] {
                let resolution = state.resolve(.playlist(id, mediaSequence: nil, part: nil))
                guard case .playlist(let playlist) = resolution else { continue }
                witness.see(playlist, of: id, in: state)
            }
        }
        state.finish()
        for id in [Self.video, Self.audio] {
            guard
                case .playlist(let playlist) = state.resolve(
                    .playlist(id, mediaSequence: nil, part: nil)
                )
            else { continue }
            #expect(playlist.isEnded)
            witness.see(playlist, of: id, in: state)
        }
        #expect(witness.seen > 300)
        #expect(witness.expandedDeltas > 50)
        #expect(state.statistics.rejectedParts == 0)
    }
}

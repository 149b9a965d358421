import Media
import NIOCore
import Testing

@Suite struct GOPBufferTests {
    private typealias Fixture = EventFixture

    private static let tracks = MediaEvent.tracks(TrackList([Fixture.picture, Fixture.sound]))

    private static func buffer(
        bytes: Int = 100_000,
        duration: Int64 = 0,
        _ events: [MediaEvent]
    ) -> GOPBuffer {
        var buffer = GOPBuffer(
            limit: .init(bytes: bytes, duration: MediaTime(mpegTicks: duration))
        )
        for event in events { buffer.append(event) }
        return buffer
    }

    private static func words(_ events: [MediaEvent]) -> [String] {
        events.map(Fixture.word)
    }

    @Test func whoComesLateGetsTheTracksAndWhatFollowsTheLastKeyframe() {
        let buffer = Self.buffer([
            Self.tracks, Fixture.unit(0), Fixture.sound(0), Fixture.keyframe(1), Fixture.unit(2),
            Fixture.keyframe(3), Fixture.sound(3), Fixture.unit(4), Fixture.sound(4),
        ])
        #expect(Self.words(buffer.replay()) == ["tracks", "3", "a3", "4", "a4"])
    }

    @Test func beforeTracksAndAKeyframeThereIsNothingToReplay() {
        #expect(Self.buffer([Fixture.keyframe(1)]).replay().isEmpty)
        let buffer = Self.buffer([Self.tracks, Fixture.unit(1), Fixture.sound(1)])
        #expect(buffer.isEmpty && buffer.bytes == 0)
        #expect(buffer.replay().isEmpty)
    }

    @Test func soundThatLedTheKeyframeComesAlong() {
        let buffer = Self.buffer([
            Self.tracks, Fixture.keyframe(1), Fixture.sound(1), Fixture.sound(3), Fixture.unit(2),
            Fixture.sound(4), Fixture.keyframe(3), Fixture.unit(4),
        ])
        #expect(Self.words(buffer.replay()) == ["tracks", "a3", "a4", "3", "4"])
    }

    @Test func olderGroupsReachBackAsFarAsAskedFor() {
        let pictures = (0..<12).map { time in
            Fixture.unit(Int64(time), randomAccess: time % 3 == 0 ? .closed : .none)
        }
        let buffer = Self.buffer(duration: 4, [Self.tracks] + pictures)
        #expect(Self.words(buffer.replay()) == ["tracks", "9", "10", "11"])
        func since(_ instant: Int64) -> [String] {
            Self.words(buffer.replay(since: WallTime(microsecondsSinceEpoch: instant)))
        }
        #expect(since(20) == ["tracks", "9", "10", "11"])
        #expect(since(8) == ["tracks", "6", "7", "8", "9", "10", "11"])
        // The group of 0 went when 9 came: 3 reaches back further than 4.
        #expect(since(4) == ["tracks", "3", "4", "5", "6", "7", "8", "9", "10", "11"])
        #expect(since(0) == since(4))
    }

    @Test func leadingPicturesOfAnOpenEntryAreLeftOutWhereDecodingBegins() {
        let events = [
            Self.tracks, Fixture.unit(1, pts: 3, randomAccess: .open), Fixture.unit(2, pts: 1),
            Fixture.unit(3, pts: 2), Fixture.unit(4, pts: 6), Fixture.unit(5, pts: 4),
            Fixture.unit(6, pts: 9, randomAccess: .open), Fixture.unit(7, pts: 7),
        ]
        let buffer = Self.buffer(duration: 100, events)
        #expect(Self.words(buffer.replay()) == ["tracks", "6"])
        let beginning = buffer.replay(since: WallTime(microsecondsSinceEpoch: 0))
        #expect(Self.words(beginning) == ["tracks", "1", "4", "5", "6", "7"])
    }

    @Test func withNoPictureAnyFrameOfSoundWillDo() {
        let buffer = Self.buffer([
            .tracks(TrackList([Fixture.sound])), Fixture.sound(1), Fixture.sound(2),
        ])
        #expect(Self.words(buffer.replay()) == ["tracks", "a2"])
    }

    @Test func nothingIsReplayedAcrossABreak() {
        let start = [Self.tracks, Fixture.keyframe(1), Fixture.unit(2)]
        for reason in DiscontinuityReason.allCases {
            var buffer = Self.buffer(duration: 100, start + [.discontinuity(reason)])
            #expect(buffer.isEmpty && buffer.bytes == 0)
            buffer.append(Fixture.unit(3))
            buffer.append(Fixture.keyframe(4))
            #expect(Self.words(buffer.replay()) == ["tracks", "4"])
        }
        let ended = Self.buffer(start + [.end(.idle), Fixture.keyframe(4)])
        #expect(ended.isEmpty && ended.tracks == nil)
    }

    @Test func aTrackThatCameOrWentTakesEffectAtOnce() {
        var buffer = Self.buffer([
            .tracks(TrackList([Fixture.picture])), Fixture.keyframe(1), Self.tracks,
            Fixture.sound(1), Fixture.unit(2),
        ])
        #expect(Self.words(buffer.replay()) == ["tracks", "1", "a1", "2"])
        #expect(buffer.tracks?.audio.count == 1)
        buffer.append(.tracks(TrackList([Fixture.picture])))
        #expect(Self.words(buffer.replay()) == ["tracks", "1", "2"])
        buffer.append(.tracks(TrackList([Fixture.sound])))
        #expect(buffer.isEmpty)
    }

    @Test func theOldestGroupsGoWhenThereIsNoRoom() {
        var buffer = Self.buffer(bytes: 3_000, duration: 1_000, [Self.tracks])
        for time in 0..<100 {
            let isKeyframe = time % 4 == 0
            buffer.append(Fixture.unit(Int64(time), randomAccess: isKeyframe ? .closed : .none))
            #expect(buffer.bytes <= 3_000)
            #expect(!buffer.isEmpty)
        }
        #expect(Self.words(buffer.replay()) == ["tracks", "96", "97", "98", "99"])
        #expect(buffer.oversizedGroups == 0)
    }

    @Test func aGroupLargerThanTheBufferIsGivenUpUntilTheNextKeyframe() {
        var buffer = Self.buffer(bytes: 2_000, [Self.tracks, Fixture.keyframe(0, bytes: 1_500)])
        #expect(!buffer.isEmpty)
        buffer.append(Fixture.unit(1, bytes: 500))
        buffer.append(Fixture.unit(2))
        #expect(buffer.isEmpty && buffer.bytes == 0)
        #expect(buffer.oversizedGroups == 1)
        buffer.append(Fixture.keyframe(3))
        #expect(Self.words(buffer.replay()) == ["tracks", "3"])
    }

    @Test func unitsWithNothingInThemAreBoundedToo() {
        var buffer = Self.buffer(bytes: 10_000, [Self.tracks, Fixture.keyframe(0)])
        for _ in 0..<1_000 { buffer.append(Fixture.unit(0, bytes: 0)) }
        #expect(buffer.oversizedGroups == 1)
        for _ in 0..<1_000 { buffer.append(Fixture.unit(0, randomAccess: .closed, bytes: 0)) }
        #expect(buffer.replay().count == 2)
    }

    @Test func payloadsAreSharedNotCopied() throws {
        let payload = ByteBuffer(repeating: 7, count: 1_000)
        let unit = AccessUnit(
            track: Fixture.video,
            pts: MediaTime(mpegTicks: 0),
            dts: MediaTime(mpegTicks: 0),
            payload: payload,
            randomAccess: .closed,
            arrival: WallTime(microsecondsSinceEpoch: 0)
        )
        let buffer = Self.buffer([Self.tracks, .accessUnit(unit)])
        guard case .accessUnit(let replayed)? = buffer.replay().last else {
            Issue.record("nothing was replayed")
            return
        }
        let addresses = [payload, replayed.payload].map { buffer in
            buffer.withUnsafeReadableBytes { $0.baseAddress }
        }
        #expect(addresses[0] == addresses[1])
    }
}

import Media
import NIOCore
import Packaging
import Testing

/// Publishers that come back, formats that change, timelines that break.
@Suite struct StreamPackagerChangeTests {
    private let half = MediaTime(ticks: 513, timescale: 48_000)

    private func audit(_ events: [MediaEvent]) -> OutputAudit {
        OutputAudit(StreamPackager.outputs(of: events).outputs, configuration: .init())
    }

    @Test func aReturningPublisherGoesOnWithTheSameNumbersAndPartTarget() {
        var second = SyntheticSource()
        second.frameRate = Rational(25, 1)
        second.frameCount = 250
        second.isKeyframe = { $0 % 50 == 0 }
        second.start = 9_000
        second.firstPID = 300
        let audit = audit(
            SyntheticSource().events + [.end(.disconnected), .discontinuity(.publisherChange)]
                + second.events
        )
        #expect(audit.violations == [])
        #expect(audit.shortParts == 0)
        #expect(audit["video"].map(\.start.mediaSequence) == Array(0..<10))
        #expect(audit["video"].map(\.start.isDiscontinuity).firstIndex(of: true) == 5)
        #expect(audit["video"].count(where: \.start.isDiscontinuity) == 1)
        audit.expectAlignment(of: "audio1", within: half)
        let ids = audit.renditions.map { $0.map(\.id.description) }
        #expect(ids == [["video", "audio1"], ["video", "audio1"]])
        // Everything received was published.
        #expect(audit["video"].flatMap(\.samples).count == 300 + 250)
    }

    @Test func aPublisherWithFewerBFramesKeepsTheDistanceOfDecodeTimes() {
        var first = SyntheticSource()
        first.hasBFrames = true
        let second = SyntheticSource()
        let audit = audit(
            first.events + [.end(.disconnected), .discontinuity(.publisherChange)] + second.events
        )
        #expect(audit.violations == [])
        #expect(audit.holes == 0)
        let samples = audit["video"].dropFirst(5).flatMap(\.samples)
        let times: [UInt64] = (0..<300).map { 123_000 + $0 * 3_000 }
        #expect(samples.map(\.decodeTime) == times)
        #expect(samples.allSatisfy { $0.compositionOffset == 3_000 })
        audit.expectAlignment(of: "audio1", within: half)
        #expect(audit.soundHoles.count == 1)
        #expect(audit.soundHoles.allSatisfy { abs($0) <= 2 * half.seconds })
    }

    @Test func aPublisherWithMoreBFramesHasSoundBeforeItsFirstPicture() {
        let first = SyntheticSource()
        var second = SyntheticSource()
        second.hasBFrames = true
        let (outputs, statistics) = StreamPackager.outputs(
            of: first.events + [.end(.disconnected), .discontinuity(.publisherChange)]
                + second.events
        )
        let audit = OutputAudit(outputs, configuration: .init())
        #expect(audit.violations == [])
        #expect(audit.holes == 0)
        let samples = audit["video"].dropFirst(5).flatMap(\.samples)
        for (sample, picture) in zip(samples, second.pictures) {
            #expect(Int64(sample.decodeTime) == picture.dts.ticks)
            #expect(Int64(sample.decodeTime) + sample.compositionOffset == picture.pts.ticks)
        }
        #expect(samples.count == 300)
        // Shown at 129 000; sound is at its own place, behind two frames of silence.
        let sound = audit["audio1"].dropFirst(5).flatMap(\.samples)
        #expect(sound.prefix(3).map(\.decodeTime) == [66_752, 67_776, 68_800])
        #expect(sound[2].payload == Array(second.sound(0)[0].payload.readableBytesView))
        #expect(statistics.silentFrames == 0)
        #expect(audit.soundHoles.count == 1)
        #expect(audit.soundHoles.allSatisfy { abs($0) <= 2 * half.seconds })
    }

    @Test(arguments: [(3_000, 0), (2_999, 1 << 33), (0, 1 << 33)] as [(Int64, Int64)])
    func decodeTimesMovedBackNeverFallBelowZero(start: Int64, wraps: Int64) {
        var first = SyntheticSource()
        first.hasBFrames = true
        var second = SyntheticSource()
        second.start = start
        let audit = audit(
            first.events + [.end(.disconnected), .discontinuity(.publisherChange)] + second.events
        )
        #expect(audit.violations == [])
        #expect(audit["video"][5].decodeTime.ticks == wraps + start - 3_000)
        // Nor do those of sound, which may have to begin with the frame after.
        audit.expectAlignment(of: "audio1", within: half + half)
    }

    @Test func aReorderDelayThatChangesUnderWayMovesNoDecodeTime() {
        let source = SyntheticSource()
        let units = source.units.map { unit in
            var unit = unit
            if unit.track == SyntheticSource.videoID, unit.dts.ticks >= 126_000 + 120 * 3_000 {
                unit.pts = unit.pts + MediaTime(mpegTicks: 6_000)
            }
            return unit
        }
        let audit = audit([.tracks(source.tracks)] + units.map { .accessUnit($0) })
        #expect(audit.violations == [])
        #expect(audit.holes == 0)
        let samples = audit["video"].flatMap(\.samples)
        let times: [UInt64] = (0..<300).map { 126_000 + $0 * 3_000 }
        let offsets: [Int64] = (0..<300).map { $0 < 120 ? 0 : 6_000 }
        #expect(samples.map(\.decodeTime) == times)
        #expect(samples.map(\.compositionOffset) == offsets)
    }

    @Test func theSamePublisherAgainNeedsNoNewRenditions() {
        let source = SyntheticSource()
        let audit = audit(
            source.events + [.end(.idle), .discontinuity(.publisherChange)] + source.events
        )
        #expect(audit.violations == [])
        #expect(audit.renditions.count == 1)
        #expect(audit["video"].count == 10)
    }

    @Test func aChangeOfResolutionHasANewInitializationUnderTheSameName() {
        let source = SyntheticSource()
        let tracks = TrackList(
            source.tracks.tracks.map { track in
                track.video == nil
                    ? track
                    : Track(
                        id: track.id,
                        format: .video(SyntheticSource.video(codec: .hevc, width: 640))
                    )
            }
        )
        var later = source
        later.start += 900_000
        let audit = audit(
            source.events + [.discontinuity(.formatChange), .tracks(tracks)]
                + later.units.map { .accessUnit($0) }
        )
        #expect(audit.violations == [])
        #expect(audit.renditions.count == 2)
        #expect(audit.renditions[0][0].initialization != audit.renditions[1][0].initialization)
        #expect(audit.renditions[0][1] == audit.renditions[1][1])
        #expect(audit["video"].map(\.start.mediaSequence) == Array(0..<10))
        #expect(audit["video"][5].start.isDiscontinuity)
        audit.expectAlignment(of: "audio1", within: half)
    }

    @Test func aRenditionKeepsItsNameForItsLanguage() {
        var first = SyntheticSource()
        first.audio = [SyntheticSource.aac(), SyntheticSource.aac()]
        first.languages = ["eng", "fra", nil]
        var second = SyntheticSource()
        second.audio = [SyntheticSource.aac(), SyntheticSource.aac(), SyntheticSource.aac()]
        second.languages = ["deu", "fra", "eng"]
        second.firstPID = 4_000
        let audit = audit(
            first.events + [.end(.disconnected), .discontinuity(.publisherChange)]
                + second.events
        )
        #expect(audit.violations == [])
        let languages = audit.renditions[1].map { "\($0.id)=\($0.track.language ?? "")" }
        #expect(languages == ["video=", "audio1=eng", "audio2=fra", "audio3=deu"])
    }

    @Test func aTrackThatIsGoneIsNotOffered() {
        var second = SyntheticSource()
        second.audio = []
        let audit = audit(
            SyntheticSource().events + [.end(.disconnected), .discontinuity(.publisherChange)]
                + second.events
        )
        #expect(audit.violations == [])
        #expect(
            audit.renditions.map { $0.map(\.id.description) } == [["video", "audio1"], ["video"]]
        )
        #expect(audit["audio1"].count == 5)
        #expect(audit["video"].count == 10)
    }

    @Test(arguments: [-324_000_000, 60_000, 324_000_000] as [Int64])
    func aBrokenTimelineBeginsANewOne(jump: Int64) {
        let source = SyntheticSource()
        var later = source
        later.start += 900_000 + jump
        // A large jump is told by the demultiplexer, a hole is seen here.
        let told: [MediaEvent] = jump == 60_000 ? [] : [.discontinuity(.timestampJump)]
        let audit = audit(source.events + told + later.events)
        #expect(audit.violations == [])
        #expect(audit["video"].map(\.start.mediaSequence) == Array(0..<10))
        #expect(audit["video"].count(where: \.start.isDiscontinuity) == 1)
        audit.expectAlignment(of: "audio1", within: half)
    }

    @Test func timesBelowZeroAreMovedUpByWholeWraps() {
        var source = SyntheticSource()
        source.start = -90_000
        let audit = audit(source.events)
        #expect(audit.violations == [])
        #expect(audit["video"].first?.decodeTime.ticks == Int64(1 << 33) - 90_000)
        audit.expectAlignment(of: "audio1", within: half)
    }

    @Test func timeGoesOnOverManyWraps() {
        var source = SyntheticSource()
        source.start = 5 << 33
        let audit = audit(source.events)
        #expect(audit.violations == [])
        #expect(audit["video"].first?.decodeTime.ticks == 5 << 33)
        let sound = audit["audio1"].first?.decodeTime ?? .zero(timescale: 1)
        #expect(abs((sound - MediaTime(mpegTicks: 5 << 33)).seconds) < 0.000_02)
    }

    @Test func aConsumerThatWasTooSlowGoesOnAtAKeyframe() {
        let events = SyntheticSource().events
        let kept = events.enumerated().filter { number, event in
            if case .accessUnit(let unit) = event, unit.track == SyntheticSource.videoID {
                return !(200..<400).contains(number)
            }
            return true
        }
        let audit = audit(kept.map(\.element))
        #expect(audit.violations == [])
        let resumed = audit["video"].first { $0.start.isDiscontinuity }
        #expect(resumed?.parts.first?.isIndependent == true)
        audit.expectAlignment(of: "audio1", within: half)
    }

    @Test func picturesThatAConsumerDidWithoutDoNotStopTheSound() {
        var source = SyntheticSource()
        source.hasBFrames = true
        let kept = source.events.filter { event in
            if case .accessUnit(let unit) = event { return !unit.isDisposable }
            return true
        }
        let audit = audit(kept)
        #expect(audit.violations == [])
        #expect(audit["video"].allSatisfy { !$0.start.isDiscontinuity })
        let lost = source.pictures.count(where: \.isDisposable)
        #expect(lost > 100)
        #expect(audit["video"].flatMap(\.samples).count == source.pictures.count - lost)
        audit.expectAlignment(of: "audio1", within: half)
    }
}

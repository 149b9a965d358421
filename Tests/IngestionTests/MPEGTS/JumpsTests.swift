import Ingestion
import Media
import TestSupport
import Testing

/// Wraps and jumps of the source's clock, seen from outside.
@Suite struct JumpsTests {
    private static let wrap: Int64 = 1 << 33

    @Test func timesGrowThroughTheWrap() {
        var contribution = Contribution()
        contribution.audioLag = 20_000
        var recorder = EventRecorder()
        let start = Self.wrap - 45_000
        recorder.feed(contribution.frames(0..<90, start: start))
        #expect(recorder.discontinuities.isEmpty)
        #expect(recorder.brokenPromise == nil)
        #expect(
            recorder.units(on: .h264()).map(\.dts.ticks)
                == (0..<90).map { start + Int64($0) * 3_000 }
        )
        let sound = recorder.units(on: .aac()).map(\.pts.ticks)
        #expect(zip(sound, sound.dropFirst()).allSatisfy { $1 - $0 == 1_920 })
        #expect(sound.last ?? 0 > Self.wrap)
    }

    @Test(arguments: [7 * 3_600, -7 * 3_600, -2] as [Int64])
    func aJumpIsOneDiscontinuityAndTheSoundGoesWithIt(seconds: Int64) {
        let start = 10 * 3_600 * 90_000 as Int64
        var contribution = Contribution()
        var recorder = EventRecorder()
        recorder.feed(contribution.frames(0..<60, start: start))
        let jump = start + seconds * 90_000
        contribution.audio = nil
        var after = contribution.frames(60..<61, start: jump)
        contribution.audio = .aac()
        // The sound's last frames from before the jump come behind the first picture after it.
        for frame in 0..<5 {
            after += contribution.writer.pes(
                SampleStreams.aacFrame,
                on: .aac(),
                pts: start + 60 * 3_000 + Int64(frame) * 1_920
            )
        }
        recorder.feed(after + contribution.frames(61..<120, start: jump))
        #expect(recorder.discontinuities == [.timestampJump])
        #expect(recorder.trackLists.count == 1)
        #expect(recorder.units(on: .h264()).count == 120)
        #expect(recorder.units(on: .aac()).count > 180)
        #expect(recorder.brokenPromise == nil)
        #expect(recorder.session.statistics.discontinuities == 1)
        #expect(recorder.session.statistics.misplacedAccessUnits >= 5)
    }

    @Test func aJumpBeforeTheAnnouncementStartsAnew() {
        var contribution = Contribution()
        contribution.audio = nil
        var recorder = EventRecorder()
        recorder.feed(contribution.frames(0..<5))
        contribution.audio = .aac()
        recorder.feed(contribution.frames(30..<60, start: 900_000_000))
        #expect(recorder.discontinuities.isEmpty)
        #expect(recorder.units(on: .h264()).count == 30)
        #expect(recorder.brokenPromise == nil)
    }

    @Test func aShortStepThatTheSourceSignalsIsADiscontinuity() {
        var contribution = Contribution()
        var recorder = EventRecorder()
        recorder.feed(contribution.frames(0..<30))
        contribution.isDiscontinuous = true
        recorder.feed(contribution.frames(30..<60, start: 90_000 + 2 * 90_000))
        #expect(recorder.discontinuities == [.timestampJump])

        var unsignalled = Contribution()
        var other = EventRecorder()
        other.feed(unsignalled.frames(0..<30))
        other.feed(unsignalled.frames(30..<60, start: 90_000 + 2 * 90_000))
        #expect(other.discontinuities.isEmpty)
    }

    @Test func picturesWithEqualTimesAreKeptInOrder() {
        var writer = TransportStreamWriter(streams: [.h264()])
        var recorder = EventRecorder()
        recorder.feed(writer.tables())
        recorder.feed(writer.pes(SampleStreams.h264Keyframe(), on: .h264(), pts: 9_000))
        recorder.feed(writer.pes(SampleStreams.h264Picture(), on: .h264(), pts: 9_000))
        recorder.feed(writer.pes(SampleStreams.h264Picture(), on: .h264(), pts: 8_000))
        #expect(recorder.units.map(\.dts.ticks) == [9_000, 9_001, 9_002])
        #expect(recorder.session.statistics.correctedTimestamps == 2)
        #expect(recorder.brokenPromise == nil)
    }
}

import Ingestion
import Testing

@Suite struct TimelineTests {
    private static let wrap: Int64 = 1 << 33
    private static let second: Int64 = 90_000

    /// A program of one leading and one following stream.
    private struct Program {
        var timeline = Timeline()
        var video = Timeline.Cursor()
        var audio = Timeline.Cursor()

        mutating func placeVideo(_ dts: Int64, pts: Int64? = nil) -> Timeline.Position? {
            let position = timeline.place(
                pts: (pts ?? dts) & (TimelineTests.wrap - 1),
                dts: dts & (TimelineTests.wrap - 1),
                cursor: &video,
                leads: true
            )
            if let position { _ = video.advanceNudging(to: position.dts) }
            return position
        }

        mutating func placeAudio(_ pts: Int64) -> Timeline.Position? {
            let position = timeline.place(
                pts: pts & (TimelineTests.wrap - 1),
                dts: nil,
                cursor: &audio,
                leads: false
            )
            if let position { _ = audio.advance(to: position.dts) }
            return position
        }
    }

    @Test func bothStreamsGoThroughTheWrapTogether() {
        var program = Program()
        var time = Self.wrap - 2 * Self.second
        while time < Self.wrap + 2 * Self.second {
            let video = program.placeVideo(time, pts: time + 6_000)
            #expect(video == Timeline.Position(pts: time + 6_000, dts: time))
            // The sound is half a second behind: it wraps later.
            #expect(program.placeAudio(time - 45_000)?.dts == time - 45_000)
            time += 3_000
        }
    }

    @Test func manyWrapsInARowAreNoJumps() {
        var program = Program()
        for time in stride(from: 0, to: Self.wrap * 3, by: Int(4 * Self.second)) {
            let position = program.placeVideo(time)
            guard position?.dts == time, position?.startsEpoch == false else {
                Issue.record("\(time) was placed at \(String(describing: position))")
                return
            }
        }
    }

    @Test(arguments: [3 * 3_600, -3 * 3_600, 6, -6, -1])
    func aJumpOfTheLeadingStreamIsOneEpochAndLaggardsAreMisplaced(seconds: Int64) {
        var program = Program()
        let start = 5 * 3_600 * Self.second
        for frame in 0..<30 {
            _ = program.placeVideo(start + Int64(frame) * 3_000)
            _ = program.placeAudio(start + Int64(frame) * 3_000 - 18_000)
        }
        let jump = start + seconds * Self.second
        var epochs = 0
        for frame in 0..<60 {
            let video = program.placeVideo(jump + Int64(frame) * 3_000)
            epochs += video?.startsEpoch == true ? 1 : 0
            // For six more frames the sound comes from before the jump.
            let base = frame < 6 ? start + 90_000 : jump
            let audio = program.placeAudio(base + Int64(frame) * 3_000 - 18_000)
            #expect((audio == nil) == (frame < 6))
            #expect(audio?.startsEpoch != true)
            if frame == 6 { #expect(audio?.isFirstInEpoch == true) }
        }
        #expect(epochs == 1)
    }

    @Test func soundThatJumpsAheadOfThePictureWaitsForIt() {
        var program = Program()
        for frame in 0..<30 {
            _ = program.placeVideo(Int64(frame) * 3_000)
            _ = program.placeAudio(Int64(frame) * 3_000)
        }
        let jump = 3_600 * Self.second
        for frame in 0..<5 {
            #expect(program.placeAudio(jump + Int64(frame) * 1_920) == nil)
            #expect(program.placeVideo(Int64(30 + frame) * 3_000)?.startsEpoch == false)
        }
        #expect(program.placeVideo(jump)?.startsEpoch == true)
        #expect(program.placeAudio(jump + 5 * 1_920) != nil)
    }

    @Test func aFollowerWithAClockOfItsOwnNeverMovesTheTimeline() {
        var program = Program()
        for frame in 0..<1_000 {
            let time = Int64(frame) * 3_000
            #expect(program.placeVideo(time)?.startsEpoch == false)
            #expect(program.placeAudio(time + 600 * Self.second) == nil)
        }
    }

    @Test func aFollowerTakesOverWhenTheLeadingStreamIsSilent() {
        var program = Program()
        _ = program.placeVideo(0)
        _ = program.placeAudio(0)
        var placed: Int?
        for frame in 0..<200 where placed == nil {
            let position = program.placeAudio(3_600 * Self.second + Int64(frame) * 1_920)
            if position != nil { placed = frame }
        }
        #expect(placed == 64)
    }

    @Test func slowPicturesBesideSoundAreNoJumps() {
        var program = Program()
        for step in 0..<2_000 {
            let time = Int64(step) * 1_920
            #expect(program.placeAudio(time)?.startsEpoch == false)
            if step % 1_000 == 0 { #expect(program.placeVideo(time)?.startsEpoch == false) }
        }
    }

    @Test func aSignalledStepIsAJumpAndTheSignalFades() {
        var program = Program()
        _ = program.placeVideo(0)
        #expect(program.placeVideo(2 * Self.second)?.startsEpoch == false)
        program.timeline.expectJump()
        // This picture was begun before the signal.
        #expect(program.placeVideo(2 * Self.second + 3_000)?.startsEpoch == false)
        #expect(program.placeVideo(4 * Self.second)?.startsEpoch == true)
        program.timeline.expectJump()
        _ = program.placeVideo(4 * Self.second + 3_000)
        _ = program.placeVideo(4 * Self.second + 6_000)
        #expect(program.placeVideo(6 * Self.second)?.startsEpoch == false)
    }

    @Test func aPresentationTimeBeforeTheDecodingTimeIsCorrected() {
        var program = Program()
        let early = program.placeVideo(9_000, pts: 6_000)
        #expect(early == Timeline.Position(pts: 9_000, dts: 9_000, isCorrected: true))
        let wild = program.placeVideo(12_000, pts: 3_600 * Self.second)
        #expect(wild == Timeline.Position(pts: 12_000, dts: 12_000, isCorrected: true))
    }

    @Test func decodingTimesGrow() {
        var cursor = Timeline.Cursor()
        #expect(cursor.advanceNudging(to: 100) == 100)
        #expect(cursor.advanceNudging(to: 100) == 101)
        #expect(cursor.advanceNudging(to: 50) == 102)
        let advances = [cursor.advance(to: 102), cursor.advance(to: 103)]
        #expect(advances == [false, true])
    }
}

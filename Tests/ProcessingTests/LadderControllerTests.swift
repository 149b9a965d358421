import Media
import NIOCore
import Processing
import Testing

/// A ladder that has not the time for all does without what is missed the least, and has it back.
@Suite struct LadderControllerTests {
    private static func rungs(
        _ count: Int,
        _ preset: TranscodingPreset = .veryfast,
        codec: VideoFormat.Codec = .h264
    ) -> [LadderRung] {
        var configuration = TranscodingConfiguration()
        configuration.isEnabled = true
        configuration.preset = preset
        configuration.outputFormats = (1...count).map { index in
            var format = OutputFormat()
            format.codec = codec
            format.resolution = PictureSize(width: 160 * index, height: 90 * index)
            return format
        }
        let source = VideoFormat(
            codec: .h264,
            codecString: "avc1.640028",
            profile: "High",
            level: "4.0",
            width: 1_920,
            height: 1_080,
            frameRate: Rational(30, 1),
            decoderConfiguration: ByteBuffer()
        )
        return LadderPlan(configuration, for: source).rungs
    }

    /// So many seconds with so many pictures that wait, seen 30 times a second.
    private struct Trial {
        var controller: LadderController
        var now = ContinuousClock.now

        mutating func spend(_ seconds: Double, waiting count: Int) {
            for _ in 0..<Int(seconds * 30) {
                now = now.advanced(by: .milliseconds(1_000) / 30)
                controller.observe(waiting: count, at: now)
            }
        }
    }

    @Test func stepsAreTakenInOrderAndTheSmallestSizeStays() {
        let rungs = Self.rungs(3)
        var trial = Trial(controller: LadderController(rungs))
        var words: [String?] = []
        for _ in 0..<7 {
            words.append(trial.controller.effort.words(for: rungs))
            trial.spend(3.1, waiting: LadderController.late)
        }
        #expect(words[0] == nil)
        #expect(words[1] == "the preset is superfast")
        #expect(words[2] == "the preset is ultrafast")
        #expect(words[3]?.hasSuffix("; video-180p, video-90p have half the pictures") == true)
        #expect(words[4]?.hasSuffix("; there is no video-270p") == true)
        #expect(words[5]?.hasSuffix("; there is no video-270p, video-180p") == true)
        #expect(words[6] == words[5])
    }

    @Test func aBurstThatIsOverSoonCostsNothing() {
        var trial = Trial(controller: LadderController(Self.rungs(2)))
        for _ in 0..<20 {
            trial.spend(2.8, waiting: 24)
            trial.spend(0.2, waiting: 0)
        }
        #expect(trial.controller.effort == LadderEffort())
    }

    @Test func whatWasTakenBackTooEarlyWaitsTwiceAsLongTheNextTime() {
        var trial = Trial(controller: LadderController(Self.rungs(1, .superfast)))
        for wait in [20.0, 40, 80] {
            trial.spend(3.1, waiting: 20)
            #expect(trial.controller.effort.fasterPresets == 1)
            trial.spend(wait - 1, waiting: 1)
            #expect(trial.controller.effort.fasterPresets == 1)
            trial.spend(2, waiting: 1)
            #expect(trial.controller.effort == LadderEffort())
        }
    }

    @Test func oneSizeOfTheFastestPresetHasNothingToSpare() {
        for rungs in [Self.rungs(1, .ultrafast), Self.rungs(1, .slow, codec: .av1)] {
            var trial = Trial(controller: LadderController(rungs))
            trial.spend(60, waiting: 24)
            #expect(trial.controller.effort == LadderEffort())
        }
    }
}

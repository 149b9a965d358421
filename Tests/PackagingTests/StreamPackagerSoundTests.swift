import Media
import NIOCore
import Packaging
import Testing

/// Sound that does not come when and how it should.
@Suite struct StreamPackagerSoundTests {
    private let aacHalf = MediaTime(ticks: 513, timescale: 48_000)

    private func audit(
        _ source: SyntheticSource
    ) -> (audit: OutputAudit, statistics: PackagerStatistics) {
        let (outputs, statistics) = StreamPackager.outputs(of: source.events)
        return (OutputAudit(outputs, configuration: .init()), statistics)
    }

    @Test(arguments: [-45_000, -9_000, 15_300, 63_000] as [Int64])
    func soundLandsInTheSegmentOfItsTimeHoweverItIsMultiplexed(lag: Int64) {
        var source = SyntheticSource()
        source.audioLag = lag
        let (audit, statistics) = audit(source)
        #expect(audit.violations == [])
        #expect(audit.holes == 0)
        audit.expectAlignment(of: "audio1", within: aacHalf)
        // The last frame ends before the last picture does: one of silence makes up for it.
        #expect(audit["audio1"].flatMap(\.samples).count == source.sound(0).count + 1)
        let lagSeconds = Double(lag) / 90_000
        #expect(abs((statistics.audioLag?.seconds ?? 99) - lagSeconds) < 0.2)
        #expect(statistics.advice.map(\.code) == (lagSeconds > 0.5 ? [.soundLate] : []))
    }

    @Test func jitterOfTimestampsNeverMovesTheGrid() {
        var source = SyntheticSource()
        source.audio = [SyntheticSource.aac(sampleRate: 44_100)]
        // Clocks that count milliseconds round by up to half of one.
        source.audioJitter = { Int64($0 * 37 % 91) - 45 }
        let (audit, statistics) = audit(source)
        #expect(audit.violations == [])
        #expect(audit.holes == 0)
        #expect(statistics.silentFrames == 0)
        #expect(statistics.soundCorrection.ticks == 0)
        #expect(audit["audio1"].flatMap(\.samples).allSatisfy { $0.duration == 1_024 })
    }

    /// Timestamps that gain or lose 60 ms on the samples, in ten minutes.
    @Test(arguments: [-1e-4, 1e-4], [0, 45] as [Int64])
    func picturesFollowSoundOfAnotherClockAndNoSampleIsLost(drift: Double, jitter: Int64) {
        var source = SyntheticSource()
        source.frameCount = 18_000
        source.audioLag = 9_000
        source.audioJitter = { number in
            Int64((Double(number) * 1_920 * drift).rounded())
                + (jitter > 0 ? Int64(number * 37) % (2 * jitter + 1) - jitter : 0)
        }
        let (audit, statistics) = audit(source)
        #expect(audit.violations == [])
        #expect(audit.holes == 0)
        #expect(statistics.silentFrames == 0 && statistics.droppedUnits == 0)
        #expect(abs(statistics.audioTimingError?.seconds ?? 1) < 0.004)
        #expect(abs(statistics.soundCorrection.seconds + 600 * drift) < 0.005)
        // The pictures have moved by as much, a little at the end of each segment, and parts are whole.
        #expect(audit.shortParts == 0)
        let pictures = audit["video"].flatMap(\.samples)
        #expect(pictures.count == 18_000)
        for samples in audit["video"].map(\.samples) {
            #expect(samples.dropLast().allSatisfy { $0.duration == 3_000 })
            #expect(samples.last.map { (2_950...3_050).contains($0.duration) } ?? false)
        }
        let length = pictures.reduce(0) { $0 + Int64($1.duration) }
        #expect(abs(length - 54_000_000 - statistics.soundCorrection.ticks) < 100)
    }

    @Test(arguments: [0.99, 1.01])
    func aDriftingSoundClockIsFollowedWithinHalfAFrame(speed: Double) {
        var source = SyntheticSource()
        source.audioJitter = { Int64(Double($0) * 1_920 * (speed - 1)) }
        let (audit, statistics) = audit(source)
        #expect(audit.violations == [])
        #expect(audit.holes == 0)
        #expect(abs(statistics.audioTimingError?.seconds ?? 1) <= 512.0 / 48_000)
        #expect(speed < 1 ? statistics.droppedUnits > 0 : statistics.silentFrames > 0)
    }

    @Test func missingSoundIsReplacedBySilence() {
        var source = SyntheticSource()
        source.audioHole = 90_000..<100_000
        let (audit, statistics) = audit(source)
        #expect(audit.violations == [])
        #expect(audit.holes == 0)
        audit.expectAlignment(of: "audio1", within: aacHalf)
        #expect(statistics.silentFrames == 6)
        #expect(statistics.advice.map(\.code) == [.soundMissing])
        // A pair of channels without a spectrum, written by hand from ISO/IEC 14496-3.
        let silent: [UInt8] = [0x20, 0, 0, 0, 0, 0, 0x0E]
        #expect(audit["audio1"].flatMap(\.samples).count { $0.payload == silent } == 6 + 1)
    }

    @Test func soundThatStopsHoldsNothingBackAndStillHasItsSegments() {
        var source = SyntheticSource()
        source.audioHole = 270_000..<2_000_000
        var packager = StreamPackager(configuration: .init())
        var outputs = source.events.flatMap { packager.consume($0) }
        // Before any end is told, silence has come to within its patience of the picture.
        let live = OutputAudit(outputs, configuration: .init())
        let reached = live["audio1"].last.map { $0.decodeTime + $0.duration }?.seconds ?? 0
        let picture = live["video"].last.map { $0.decodeTime + $0.duration }?.seconds ?? 0
        #expect(picture - reached < 1.5)
        outputs += packager.finish()
        let audit = OutputAudit(outputs, configuration: .init())
        #expect(audit.violations == [])
        #expect(audit.holes == 0)
        #expect(audit.shortParts == 0)
        audit.expectAlignment(of: "audio1", within: aacHalf)
    }

    @Test func soundThatNeverComesIsSilence() {
        var source = SyntheticSource()
        source.audioHole = 0..<2_000_000
        let (audit, _) = audit(source)
        #expect(audit.violations == [])
        audit.expectAlignment(of: "audio1", within: aacHalf)
    }

    @Test func soundLaterThanIsWaitedForIsWaitedForLonger() {
        var source = SyntheticSource()
        source.frameCount = 900
        source.audioLag = 90_000 * 5 / 2
        let (audit, statistics) = audit(source)
        #expect(audit.violations == [])
        #expect(audit.holes == 0)
        let silent: [UInt8] = [0x20, 0, 0, 0, 0, 0, 0x0E]
        let lastHalf = audit["audio1"].dropFirst(7).dropLast(2).flatMap(\.samples)
        #expect(!lastHalf.isEmpty && !lastHalf.contains { $0.payload == silent })
        #expect(statistics.advice.contains { $0.code == .soundLate })
    }

    @Test func soundBeforeTheFirstKeyframeIsLeftOut() {
        var source = SyntheticSource()
        source.isKeyframe = { $0 % 60 == 45 }
        let (audit, statistics) = audit(source)
        #expect(audit.violations == [])
        audit.expectAlignment(of: "audio1", within: aacHalf)
        let first = audit["audio1"].first?.decodeTime.seconds ?? 0
        #expect(abs(first - Double(126_000 + 45 * 3_000) / 90_000) < 0.011)
        #expect(statistics.silentFrames == 0)
        #expect(statistics.droppedUnits == 45 + 70)
    }

    @Test func twoLanguagesAreTwoRenditions() {
        var source = SyntheticSource()
        source.audio = [SyntheticSource.aac(), SyntheticSource.other(.ac3, samples: 1_536)]
        source.languages = ["eng", "fra", nil]
        let (audit, _) = audit(source)
        #expect(audit.violations == [])
        audit.expectAlignment(of: "audio1", within: aacHalf)
        audit.expectAlignment(of: "audio2", within: MediaTime(ticks: 769, timescale: 48_000))
        let moov = audit.renditions.first?.last.flatMap {
            ReadBox.all(in: Array($0.initialization.readableBytesView))?.last
        }
        // f, r, a as five bits each.
        #expect(moov?.find("trak", "mdia", "mdhd")?.integer(20, 2) == 6 << 10 | 18 << 5 | 1)
    }
}

import Media
import NIOCore
import Packaging
import Testing

/// Encoders that do not send what a live stream wants.
@Suite struct StreamPackagerGOPTests {
    private func package(
        _ source: SyntheticSource,
        _ configuration: PackagingConfiguration = .init()
    ) -> (audit: OutputAudit, statistics: PackagerStatistics) {
        let (outputs, statistics) = StreamPackager.outputs(
            of: source.events,
            configuration: configuration
        )
        return (OutputAudit(outputs, configuration: configuration), statistics)
    }

    @Test func aTenSecondGOPIsCutBeforeTheTargetDurationAndNamed() {
        var source = SyntheticSource()
        source.frameCount = 900
        source.isKeyframe = { $0 % 300 == 0 }
        let (audit, statistics) = package(source)
        #expect(audit.violations == [])
        #expect(audit.shortParts == 0)
        #expect(audit.holes == 0)
        #expect(statistics.forcedCuts == 6)
        // Each keyframe begins a segment, however short the one before it gets.
        let starts = audit["video"].map { $0.parts[0].isIndependent }
        #expect(starts == [true, false, false, true, false, false, true, false, false])
        audit.expectAlignment(of: "audio1", within: MediaTime(ticks: 513, timescale: 48_000))
        #expect(
            statistics.lastGOP == GOPLength(frames: 300, duration: MediaTime(mpegTicks: 900_000))
        )
        let advice = statistics.advice.first
        #expect(advice?.code == .gopTooLong)
        #expect(advice?.text.contains("10 s apart") == true)
        #expect(advice?.text.contains("-g 60 -keyint_min 60 -sc_threshold 0") == true)
    }

    @Test func aGOPAsLongAsTheTargetDurationIsKeptWhole() {
        var source = SyntheticSource()
        source.frameRate = Rational(30_000, 1_001)
        source.frameCount = 480
        source.isKeyframe = { $0 % 120 == 0 }
        let (audit, statistics) = package(source)
        #expect(audit.violations == [])
        #expect(statistics.forcedCuts == 0)
        #expect(audit["video"].count == 4)
    }

    @Test func irregularGOPsEndSegmentsAtTheFirstKeyframeThatIsDue() {
        var source = SyntheticSource()
        source.frameCount = 600
        let keyframes: Set = [0, 20, 75, 140, 141, 250, 290, 330, 395, 470, 500, 590]
        source.isKeyframe = { keyframes.contains($0) }
        let (audit, statistics) = package(source)
        #expect(audit.violations == [])
        #expect(audit.shortParts == 0)
        #expect(audit.holes == 0)
        let starts = audit["video"].map { ($0.decodeTime.ticks - 126_000) / 3_000 }
        #expect(starts == [0, 75, 140, 250, 330, 395, 470, 590])
        #expect(statistics.isGOPIrregular)
        #expect(statistics.forcedCuts == 0)
        #expect(statistics.advice.contains { [.gopIrregular, .gopTooLong].contains($0.code) })
    }

    @Test func withoutAKeyframeNothingIsPublishedAndTheCureIsSaid() {
        var source = SyntheticSource()
        source.isKeyframe = { _ in false }
        let (audit, statistics) = package(source)
        #expect(audit.segments.isEmpty)
        #expect(audit.renditions.isEmpty)
        #expect(statistics.advice.map(\.code) == [.noKeyframe])
        #expect(statistics.droppedUnits == UInt64(source.frameCount))
    }

    @Test func oneKeyframeAndNeverAnotherGoesOnInForcedSegments() {
        var source = SyntheticSource()
        source.frameCount = 600
        source.isKeyframe = { $0 == 0 }
        let (audit, statistics) = package(source)
        #expect(audit.violations == [])
        #expect(audit["video"].flatMap(\.samples).count == 600)
        #expect(statistics.advice.contains { $0.code == .gopTooLong })
    }

    @Test func openGOPsAreSeenByTheirLeadingPictures() {
        var source = SyntheticSource()
        source.keyframeKind = .open
        source.audio = []
        var packager = StreamPackager(configuration: .init())
        _ = packager.consume(.tracks(source.tracks))
        for (index, picture) in source.pictures.enumerated() {
            var unit = picture
            // The picture decoded after a keyframe is shown before it.
            let swap: Int64 = index % 60 == 0 ? 2 : index % 60 == 1 ? 0 : 1
            unit.pts = picture.dts + MediaTime(mpegTicks: swap * 3_000)
            _ = packager.consume(.accessUnit(unit))
        }
        #expect(packager.statistics.hasOpenGOPs)
        #expect(packager.statistics.hasReorderedPictures)
        #expect(packager.statistics.advice.map(\.code) == [.openGOP])
    }

    @Test func unevenFramesNeverMakeAPartTooLong() {
        var random = SeededGenerator(seed: 7)
        var times: [Int64] = [0]
        for _ in 0...600 {
            times.append(times[times.count - 1] + Int64.random(in: 900...6_000, using: &random))
        }
        var source = SyntheticSource()
        source.frameCount = 600
        source.claimsFrameRate = false
        source.decodeTime = { times[$0] }
        let (audit, statistics) = package(source)
        #expect(audit.violations == [])
        #expect(audit.holes == 0)
        #expect(audit["video"].flatMap(\.samples).count == 600)
        #expect(statistics.outOfTargetParts == UInt64(audit.shortParts))
        #expect(audit.shortParts < audit["video"].flatMap(\.parts).count / 4)
    }

    @Test(arguments: [23.976, 25, 29.97, 30, 50, 59.94, 60])
    func clocksThatCountMillisecondsKeepTheRulesOfParts(rate: Double) {
        for partTarget in [200, 333, 1_000] {
            var source = SyntheticSource()
            source.frameCount = Int(rate * 10)
            source.claimsFrameRate = false
            source.frameRate = Rational(Int(rate * 1_000), 1_000)
            source.decodeTime = { Int64((Double($0) * 1_000 / rate).rounded()) * 90 }
            let gop = Int((rate * 2).rounded())
            source.isKeyframe = { $0 % gop == 0 }
            let (audit, _) = package(source, .init(partTarget: .milliseconds(partTarget)))
            #expect(audit.violations == [])
            #expect(audit.shortParts == 0)
            #expect(audit["video"].count == 5)
        }
    }

    @Test func aFrameThatStaysLongIsHeldToOnePart() {
        var source = SyntheticSource()
        source.decodeTime = { Int64($0) * 3_000 + ($0 > 100 ? 36_000 : 0) }
        let (audit, statistics) = package(source)
        #expect(audit.violations == [])
        #expect(audit.shortParts <= 1)
        #expect(audit.holes == 1)
        #expect(statistics.frameGaps == 1)
        #expect(statistics.discontinuities == 0)
        audit.expectAlignment(of: "audio1", within: MediaTime(ticks: 513, timescale: 48_000))
    }

    @Test(arguments: [1, 2, 5])
    func slowPicturesArePartsOfTheirOwn(rate: Int) {
        var source = SyntheticSource()
        source.frameRate = Rational(rate, 1)
        source.claimsFrameRate = false
        source.frameCount = rate * 20
        source.isKeyframe = { $0 % (rate * 2) == 0 }
        let (audit, _) = package(source)
        #expect(audit.violations == [])
        #expect(audit["video"].count == 10)
        #expect(audit["video"].flatMap(\.samples).count == rate * 20)
        #expect(audit.holes == 0)
    }

    @Test func decodeTimesThatDoNotGrowAreMadeToAndCounted() {
        var source = SyntheticSource()
        source.decodeTime = { Int64($0 / 2) * 6_000 }
        let (audit, statistics) = package(source)
        #expect(audit.violations == [])
        #expect(audit["video"].flatMap(\.samples).count == 300)
        #expect(statistics.unorderedPictures == 150)
        #expect(statistics.advice.contains { $0.code == .unorderedTimestamps })
    }

    @Test func pictureThatCannotBeWatchedIsExplained() {
        let source = SyntheticSource()
        let tracks = TrackList(
            [Track(id: Track.ID(9), format: .video(SyntheticSource.video(codec: .jpegXS)))]
                + source.tracks.audio
        )
        let (outputs, statistics) = StreamPackager.outputs(
            of: [.tracks(tracks)] + source.sound(0).map { .accessUnit($0) }
        )
        let audit = OutputAudit(outputs, configuration: .init())
        #expect(audit.segments.keys.sorted() == ["audio1"])
        #expect(statistics.advice.map(\.code) == [.formatNotPackaged])
        #expect(
            statistics.advice.first?.text.contains("JPEG XS cannot be watched over HLS") == true
        )
    }

    @Test func linearPCMThatWasNotEncodedIsToBeSentOtherwise() throws {
        let source = SyntheticSource()
        let format = try #require(LinearPCM(bits: 24, sampleRate: 192_000, channels: 2)).format
        let tracks = TrackList(
            source.tracks.tracks + [Track(id: Track.ID(9), format: .audio(format))]
        )
        let (_, statistics) = StreamPackager.outputs(of: [.tracks(tracks)])
        #expect(statistics.advice.contains { $0.text.contains("192000 Hz cannot be encoded") })
    }

    @Test func frameRateAndGOPAreMeasured() {
        var source = SyntheticSource()
        source.frameRate = Rational(60_000, 1_001)
        source.claimsFrameRate = false
        source.frameCount = 600
        source.isKeyframe = { $0 % 120 == 0 }
        let (_, statistics) = package(source)
        #expect(abs((statistics.frameRate ?? 0) - 59.94) < 0.001)
        #expect(statistics.shortestGOP?.frames == 120)
        #expect(statistics.longestGOP?.frames == 120)
        #expect(!statistics.isGOPIrregular)
        #expect(statistics.segments == 5)
        #expect(statistics.parts > 60)
    }
}

import Media
import NIOCore
import Packaging
import Testing

/// What every well-formed contribution becomes.
@Suite struct StreamPackagerTests {
    static let frameRates = [
        (24_000, 1_001), (24, 1), (25, 1), (30_000, 1_001), (30, 1), (50, 1), (60_000, 1_001),
        (60, 1),
    ].compactMap { Rational($0, $1) }
    static let partTargets: [Duration] = [200, 333, 500, 1_000].map { .milliseconds($0) }

    @Test(arguments: frameRates, partTargets)
    func evenStreamsKeepEveryRuleOfParts(rate: Rational, partTarget: Duration) {
        for (hasBFrames, claims) in [(false, true), (true, true), (true, false)] {
            var source = SyntheticSource()
            source.frameRate = rate
            source.frameCount = Int(rate.value * 7)
            source.hasBFrames = hasBFrames
            source.claimsFrameRate = claims
            let gop = Int((rate.value * 2).rounded())
            source.isKeyframe = { $0 % gop == 0 }
            let configuration = PackagingConfiguration(partTarget: partTarget)
            let (outputs, statistics) = StreamPackager.outputs(
                of: source.events,
                configuration: configuration
            )
            let audit = OutputAudit(outputs, configuration: configuration)
            #expect(audit.violations == [])
            #expect(audit.shortParts == 0)
            #expect(audit.holes == 0)
            #expect(audit["video"].count == 4)
            #expect(audit["video"].allSatisfy { $0.parts.first?.isIndependent == true })
            audit.expectAlignment(of: "audio1", within: MediaTime(ticks: 513, timescale: 48_000))
            #expect(statistics.outOfTargetParts == 0)
            #expect(statistics.forcedCuts == 0)
            #expect(statistics.advice == [])

            let frames = max(1, (partTarget / .seconds(1) * rate.value).rounded())
            let target = audit.renditions.first?.first?.partTarget.seconds ?? 0
            #expect(abs(target - frames / rate.value) < 2.0 / 90_000)
        }
    }

    @Test(arguments: [
        SyntheticSource.aac(), SyntheticSource.aac(sampleRate: 44_100),
        SyntheticSource.other(.opus, samples: 960), SyntheticSource.other(.ac3, samples: 1_536),
        SyntheticSource.other(.eac3, samples: 1_536),
        SyntheticSource.other(.mp3, sampleRate: 44_100, samples: 1_152),
    ])
    func soundIsCutWhereThePictureIsAndLosesNothing(format: AudioFormat) {
        for partTarget in Self.partTargets {
            var source = SyntheticSource()
            source.audio = [format]
            let configuration = PackagingConfiguration(partTarget: partTarget)
            let (outputs, statistics) = StreamPackager.outputs(
                of: source.events,
                configuration: configuration
            )
            let audit = OutputAudit(outputs, configuration: configuration)
            #expect(audit.violations == [])
            #expect(audit.shortParts == 0)
            #expect(audit.holes == 0)
            let half = MediaTime(
                ticks: Int64(format.samplesPerAccessUnit / 2 + 1),
                timescale: UInt32(format.sampleRate)
            )
            audit.expectAlignment(of: "audio1", within: half)
            let payloads = audit["audio1"].flatMap(\.samples).map(\.payload)
            let sound = source.sound(0).map { Array($0.payload.readableBytesView) }
            #expect(payloads.starts(with: sound))
            #expect(payloads.count - sound.count <= 1)
            #expect(statistics.silentFrames == 0)
            #expect(statistics.droppedUnits == 0)
        }
    }

    @Test func everyPictureComesOutWithItsTimesAndFlags() {
        var source = SyntheticSource()
        source.hasBFrames = true
        let (outputs, _) = StreamPackager.outputs(of: source.events)
        let audit = OutputAudit(outputs, configuration: PackagingConfiguration())
        let samples = audit["video"].flatMap(\.samples)
        let pictures = source.pictures
        #expect(samples.count == pictures.count)
        for (sample, picture) in zip(samples, pictures) {
            #expect(Int64(sample.decodeTime) == picture.dts.ticks)
            #expect(Int64(sample.decodeTime) + sample.compositionOffset == picture.pts.ticks)
            #expect(sample.payload == Array(picture.payload.readableBytesView))
            let flags: UInt32 =
                picture.isKeyframe ? 0x0200_0000 : picture.isDisposable ? 0x0181_0000 : 0x0101_0000
            #expect(sample.flags == flags)
        }
    }

    @Test func chunksAreNumberedWithoutAGap() {
        let (outputs, _) = StreamPackager.outputs(of: SyntheticSource().events)
        let audit = OutputAudit(outputs, configuration: PackagingConfiguration())
        for id in ["video", "audio1"] {
            let numbers = audit[id].flatMap { $0.chunks.map(\.sequenceNumber) }
            #expect(numbers == Array(1...UInt32(numbers.count)))
        }
    }

    @Test func aPartIsThereAsSoonAsThePictureAfterItHasCome() {
        var source = SyntheticSource()
        source.audio = []
        var packager = StreamPackager(
            configuration: PackagingConfiguration(partTarget: .milliseconds(200))
        )
        _ = packager.consume(.tracks(source.tracks))
        for (index, picture) in source.pictures.prefix(60).enumerated() {
            let outputs = packager.consume(.accessUnit(picture))
            let parts = outputs.filter { if case .part = $0 { true } else { false } }
            #expect(parts.count == (index > 0 && index % 6 == 0 ? 1 : 0))
        }
    }

    @Test func aSegmentEndsInTheCallThatBringsItsLastPart() {
        var packager = StreamPackager(configuration: PackagingConfiguration())
        var ends = 0
        for event in SyntheticSource().events {
            let outputs = packager.consume(event)
            for (output, next) in zip(outputs, outputs.dropFirst()) {
                guard case .closeSegment(let id) = next else { continue }
                guard case .part(id, _) = output else {
                    Issue.record("closed without a part before it")
                    continue
                }
                ends += 1
            }
            if case .closeSegment = outputs.first { Issue.record("closed a call too late") }
        }
        #expect(ends == 8)
    }

    @Test func datesAreMediaTimeFromTheFirstArrival() {
        let (outputs, _) = StreamPackager.outputs(of: SyntheticSource().events)
        let audit = OutputAudit(outputs, configuration: PackagingConfiguration())
        let dates = audit["video"].map { segment in
            segment.start.programDateTime.microsecondsSinceEpoch
                - SyntheticSource.wallStart.microsecondsSinceEpoch
        }
        #expect(dates == [0, 2_000_000, 4_000_000, 6_000_000, 8_000_000])
    }

    @Test func soundAloneIsCutAtTheSegmentTarget() {
        var source = SyntheticSource()
        source.frameRate = nil
        source.audio = [SyntheticSource.aac(), SyntheticSource.other(.opus, samples: 960)]
        let (outputs, statistics) = StreamPackager.outputs(of: source.events)
        let audit = OutputAudit(outputs, configuration: PackagingConfiguration())
        #expect(audit.violations == [])
        #expect(audit.shortParts == 0)
        #expect(audit.holes == 0)
        #expect(audit["audio1"].count == 5)
        audit.expectAlignment(
            of: "audio2",
            with: "audio1",
            within: MediaTime(ticks: 481, timescale: 48_000)
        )
        #expect(audit["audio1"].flatMap(\.samples).count == source.sound(0).count)
        #expect(statistics.silentFrames == 0)
    }

    @Test func pictureAloneIsPackaged() {
        var source = SyntheticSource()
        source.audio = []
        let (outputs, _) = StreamPackager.outputs(of: source.events)
        let audit = OutputAudit(outputs, configuration: PackagingConfiguration())
        #expect(audit.violations == [])
        #expect(audit["video"].flatMap(\.samples).count == source.frameCount)
        #expect(audit.segments.keys.sorted() == ["video"])
    }

    @Test func theFirstNumberIsTheOneAskedFor() {
        var packager = StreamPackager(configuration: .init(), firstMediaSequence: 41)
        let outputs = SyntheticSource().events.flatMap { packager.consume($0) }
        let audit = OutputAudit(outputs, configuration: .init())
        #expect(audit["video"].first?.start.mediaSequence == 41)
        #expect(audit["audio1"].first?.start.mediaSequence == 41)
    }

    @Test func renditionsComeFirstAndOnce() {
        let (outputs, _) = StreamPackager.outputs(of: SyntheticSource().events)
        guard case .renditions(let renditions) = outputs.first else {
            Issue.record("something came before the renditions")
            return
        }
        #expect(renditions.map(\.id.description) == ["video", "audio1"])
        let count = outputs.count { if case .renditions = $0 { true } else { false } }
        #expect(count == 1)
    }
}

import Media
import NIOCore
import Packaging
import Testing

/// Any events in any order: nothing traps, and what comes out is legal.
@Suite struct StreamPackagerRandomTests {
    @Test(arguments: 0..<40 as Range<UInt64>)
    func randomEventsKeepTheOrderOfOutputs(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let configuration = PackagingConfiguration(
            partTarget: .milliseconds(Int.random(in: 50...1_000, using: &random)),
            segmentTarget: .milliseconds(Int.random(in: 500...4_000, using: &random))
        )
        var packager = StreamPackager(configuration: configuration)
        var outputs: [PackagerOutput] = []
        var clocks: [Int64] = [0, 0, 0, 0]
        for _ in 0..<3_000 {
            let event = event(&random, clocks: &clocks)
            outputs += packager.consume(event)
        }
        outputs += packager.finish()
        let audit = OutputAudit(outputs, configuration: configuration)
        #expect(audit.violations == [])
        _ = packager.statistics
    }

    private func event(_ random: inout SeededGenerator, clocks: inout [Int64]) -> MediaEvent {
        switch Int.random(in: 0..<1_000, using: &random) {
        case 0..<4: return .tracks(tracks(&random))
        case 4..<6: return .end(.disconnected)
        case 6..<9:
            return .discontinuity(
                DiscontinuityReason.allCases.randomElement(using: &random) ?? .timestampJump
            )
        default:
            let track = Int.random(in: 0...3, using: &random)
            let step: Int64 =
                switch Int.random(in: 0..<200, using: &random) {
                case 0: .random(in: -1_000_000...1_000_000, using: &random)
                case 1: .random(in: -100_000...100_000, using: &random)
                case 2: 0
                default: track == 0 ? 3_000 : 1_920
                }
            clocks[track] = clocks[track] &+ step
            var dts = clocks[track]
            if Int.random(in: 0..<2_000, using: &random) == 0 {
                dts = [.min, .max, -1, 1 << 33, 1 << 53].randomElement(using: &random) ?? 0
            }
            let isFar = Int.random(in: 0..<300, using: &random) == 0
            let late = Int64.random(in: -1...3, using: &random) * (isFar ? 900_000 : 3_000)
            return .accessUnit(
                AccessUnit(
                    track: Track.ID(track),
                    pts: MediaTime(mpegTicks: dts &+ late),
                    dts: MediaTime(mpegTicks: dts),
                    payload: ByteBuffer(
                        bytes: repeatElement(7, count: .random(in: 0...9, using: &random))
                    ),
                    randomAccess: [.none, .none, .none, .open, .closed]
                        .randomElement(using: &random) ?? .none,
                    arrival: WallTime(microsecondsSinceEpoch: .random(in: 0...9, using: &random))
                )
            )
        }
    }

    private func tracks(_ random: inout SeededGenerator) -> TrackList {
        let formats: [MediaFormat] = [
            .video(SyntheticSource.video()),
            .video(SyntheticSource.video(codec: .av1)),
            .video(SyntheticSource.video(codec: .jpegXS)),
            .audio(SyntheticSource.aac()),
            .audio(SyntheticSource.other(.opus, samples: 960)),
            .audio(SyntheticSource.other(.mp3, sampleRate: 44_100, samples: 1_152)),
            .audio(SyntheticSource.other(.ac3, sampleRate: 0, samples: 0)),
            .data(DataFormat(kind: .klv, streamType: 6)),
        ]
        return TrackList(
            (0..<Int.random(in: 0...4, using: &random)).map { id in
                Track(
                    id: Track.ID(id),
                    format: (id == 0 ? formats.prefix(3) : formats[...])
                        .randomElement(using: &random) ?? formats[0],
                    language: ["eng", "fra", nil, "!!", ""].randomElement(using: &random) ?? nil
                )
            }
        )
    }
}

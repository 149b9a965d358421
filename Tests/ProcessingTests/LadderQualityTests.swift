import Foundation
import Media
import NIOCore
import Processing
import TestSupport
import Testing

/// What is measured of a ladder is what ffmpeg measures.
///
/// One at a time, as ladders are.
@Suite(.serialized) struct LadderQualityTests {
    private static func configuration() -> TranscodingConfiguration {
        // The first is the decoded picture as it is, so that ffmpeg has the same to compare with.
        var configuration = TranscodingConfiguration.rungs([(640, 360), (320, 180), (160, 90)])
        configuration.outputFormats[1].codec = .hevc
        configuration.outputFormats[2].codec = .av1
        return configuration
    }

    @Test func figuresAreThoseOfFFmpeg() async throws {
        try await withFolder { folder in
            let file = try await LadderClip.bFrames.make(in: folder, seconds: 4)
            let run = try await LadderRun(file, Self.configuration(), isMeasured: true)
            let measured = try #require(run.quality).get()
            #expect(measured.map(\.rung) == run.plan.rungs)
            for rung in measured {
                #expect(rung.pictures == 60)
                #expect(rung.psnr.minimum > 15 && rung.psnr.minimum < rung.psnr.mean)
                #expect(rung.ssim.minimum > 0.5 && rung.ssim.minimum < rung.ssim.mean)
                #expect(rung.psnr.mean < 60 && rung.ssim.mean < 1)
            }
            try run.write("video", to: folder.appending(path: "source.mp4"))
            try run.write("video-360p", to: folder.appending(path: "rung.mp4"))
            let seen = try await Self.compared(in: folder)
            let own = try #require(measured.first)
            #expect(seen.psnr.count == 60)
            #expect(abs(own.psnr.mean - seen.psnr.reduce(0, +) / 60) < 0.01)
            #expect(abs(own.psnr.minimum - (seen.psnr.min() ?? 0)) < 0.01)
            #expect(abs(own.ssim.mean - seen.ssim.reduce(0, +) / 60) < 0.000_1)
            #expect(abs(own.ssim.minimum - (seen.ssim.min() ?? 0)) < 0.000_1)
        }
    }

    /// PSNR and SSIM of luma of the first 60 pictures, as ffmpeg's filters write them.
    private static func compared(
        in folder: URL
    ) async throws -> (psnr: [Double], ssim: [Double]) {
        func path(_ name: String) -> String { folder.appending(path: name).path }
        var figures: [[Double]] = []
        for (filter, field) in [("psnr", "psnr_y:"), ("ssim", "Y:")] {
            try await ExternalProcess.run(
                "ffmpeg",
                [
                    "-v", "error", "-i", path("rung.mp4"), "-i", path("source.mp4"), "-lavfi",
                    "[0]settb=1/30,setpts=N[a];[1]settb=1/30,setpts=N[b];"
                        + "[a][b]\(filter)=stats_file=\(path(filter))",
                    "-frames:v", "60", "-f", "null", "-",
                ]
            )
            let lines = try String(contentsOf: folder.appending(path: filter), encoding: .utf8)
                .split(separator: "\n").prefix(60)
            figures.append(
                lines.compactMap { line in
                    line.split(separator: " ").first { $0.hasPrefix(field) }
                        .flatMap { Double($0.dropFirst(field.count)) }
                }
            )
        }
        return (figures[0], figures[1])
    }

    @Test func withoutAKeyframeThereIsNoneInTime() async throws {
        let format = VideoFormat(
            codec: .h264,
            codecString: "",
            profile: "",
            level: "",
            width: 640,
            height: 360,
            decoderConfiguration: ByteBuffer()
        )
        let ladder = LadderTranscoder(LadderPlan(.rungs([(320, 180)]), for: format))
        async let finished: Void = ladder.run { _, _ in }
        await #expect(throws: QualityError.nothingCame) {
            try await ladder.measureQuality(within: .milliseconds(20))
        }
        // Another asks while one is measured.
        async let first = ladder.measureQuality(within: .seconds(1))
        #expect(try await eventually(within: .seconds(5)) { ladder.isBeingMeasured })
        await #expect(throws: QualityError.busy) { try await ladder.measureQuality() }
        _ = try? await first
        ladder.close()
        await finished
    }
}

import Foundation
import Media
import Packaging
import Processing
import TestSupport
import Testing

/// A source that becomes another under way goes on in every size, on the source's segments.
@Suite struct LadderChangeTests {
    private static let sizes = [(320, 180), (160, 90)]

    /// What comes after 640 × 360 in H.264, and how many ladders that takes.
    @Test(arguments: [
        (["-vf", "scale=480:270", "-c:v", "libx264", "-preset", "ultrafast"], sizes, 1),
        // The larger of these sizes cannot be made of the second.
        (
            ["-vf", "scale=480:270", "-c:v", "libx264", "-preset", "ultrafast"],
            [(640, 360), (160, 90)], 2
        ),
        (["-vf", "scale=270:480", "-c:v", "libx264", "-preset", "ultrafast"], sizes, 2),
        (["-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=none"], sizes, 1),
        (["-pix_fmt", "yuv422p10le", "-c:v", "libx264", "-preset", "ultrafast"], sizes, 1),
    ])
    func anotherSizeOrCodecGoesOnInEveryRung(
        options: [String],
        sizes: [(Int, Int)],
        ladders: Int
    ) async throws {
        try await withFolder { folder in
            var bytes = try Data(contentsOf: try await LadderClip.bFrames.make(in: folder))
            let second = folder.appending(path: "second.ts")
            try await ExternalProcess.run(
                "ffmpeg",
                [
                    "-v", "error", "-f", "lavfi", "-i", "testsrc2=s=640x360:r=30:d=8", "-pix_fmt",
                    "yuv420p",
                ] + options + [
                    "-g", "60", "-output_ts_offset", "6", "-tables_version", "1", second.path,
                ]
            )
            bytes += try Data(contentsOf: second)
            let file = folder.appending(path: "both.ts")
            try bytes.write(to: file)
            let run = try await LadderRun(file, .rungs(sizes))
            #expect(run.ladders == ladders)
            #expect(run.plan.rungs.isEmpty == false)
            #expect(run.statistics.decoding.undecodablePictures == 0)
            // The second is 8 s long: three segments of it are whole.
            let whole = run.boundaries(of: "video").suffix(3)
            for rung in run.plan.rungs {
                #expect(run.boundaries(of: rung.name).suffix(3) == whole, "\(rung.name)")
                #expect(run.parts(of: rung.name).suffix(9) == run.parts(of: "video").suffix(9))
                let file = folder.appending(path: "\(rung.name).mp4")
                try run.write(rung.name, to: file)
                let shown = try await ExternalProcess.run(
                    "ffmpeg",
                    ["-v", "error", "-xerror", "-i", file.path, "-f", "null", "-"]
                )
                #expect(shown.errors.isEmpty, "\(rung.name): \(shown.errors)")
            }
        }
    }
}

import ArgumentParser
import Foundation
import Ingestion
import Media
import Packaging
import Processing
import TestSupport

/// Whether ladders that come and go leave memory behind.
struct LadderStarts: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ladder-starts",
        abstract: "Memory that a ladder leaves behind, over many."
    )

    @Option(help: "Ladders, after a fifth as many that do not count.") var starts = 1_000

    func run() async throws {
        let pictures = try await Self.pictures()
        for _ in 0..<(starts / 5) { await Self.transcode(pictures) }
        let before = try Self.residentBytes()
        for _ in 0..<starts { await Self.transcode(pictures) }
        let after = try Self.residentBytes()
        Figure(
            name: "memory that \(starts) ladders of 2 sizes leave behind",
            value: "\((after - before) / 1_024) KiB (\(after / 1_000_000) MB in use)",
            target: "no growth"
        ).report()
    }

    private static func residentBytes() throws -> Int {
        try ProcessUsage(of: getpid()).residentBytes
    }

    private static func transcode(_ events: [PictureEvent]) async {
        guard case .begin(let format)? = events.first else { return }
        var configuration = TranscodingConfiguration()
        configuration.isEnabled = true
        configuration.preset = .ultrafast
        configuration.outputFormats = [(160, 90), (128, 72)].map { size in
            var format = OutputFormat()
            format.resolution = PictureSize(width: size.0, height: size.1)
            return format
        }
        let ladder = LadderTranscoder(LadderPlan(configuration, for: format))
        async let finished: Void = ladder.run { _, _ in }
        ladder.send(events)
        ladder.close()
        await finished
    }

    /// A group of B-frames, as it goes into a ladder.
    private static func pictures() async throws -> [PictureEvent] {
        try await withFolder { folder in
            let file = folder.appending(path: "clip.ts")
            try await ExternalProcess.run(
                "ffmpeg",
                [
                    "-v", "error", "-f", "lavfi", "-i", "testsrc2=s=320x180:r=30:d=0.3", "-pix_fmt",
                    "yuv420p", "-c:v", "libx264", "-preset", "ultrafast", "-bf", "2", file.path,
                ]
            )
            var session = IngestSession()
            var packager = StreamPackager(configuration: PackagingConfiguration())
            _ = packager.offer(rungs: [Rendition.ID("video-90p")])
            var events: [MediaEvent] = []
            try Data(contentsOf: file).withUnsafeBytes {
                session.receive($0, arrival: WallTime(microsecondsSinceEpoch: 0)) {
                    events.append($0)
                }
            }
            session.finish { events.append($0) }
            for event in events { _ = packager.consume(event) }
            _ = packager.finish()
            return packager.takePictures()
        }
    }
}

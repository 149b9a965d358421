import Foundation
import Ingestion
import Media
import Processing
import TestSupport
import Testing

/// libavfilter as it is driven for cards, with filters that work without one.
@Suite struct PictureFilterTests {
    /// The keyframe of a small clip, decoded on the CPU.
    private static func withPicture(
        _ body: (PictureFrame) throws(FFmpegError) -> Void
    ) async throws {
        try await withFolder { folder in
            let file = folder.appending(path: "clip.ts")
            try await ExternalProcess.run(
                "ffmpeg",
                [
                    "-v", "error", "-f", "lavfi", "-i", "testsrc2=s=320x180:r=30:d=0.1",
                    "-pix_fmt", "yuv420p", "-c:v", "libx264", "-tune", "zerolatency", "-f",
                    "mpegts", file.path,
                ]
            )
            var session = IngestSession()
            var events: [MediaEvent] = []
            try Data(contentsOf: file).withUnsafeBytes { bytes in
                session.receive(bytes, arrival: WallTime(microsecondsSinceEpoch: 0)) {
                    events.append($0)
                }
            }
            session.finish { events.append($0) }
            var decoder: (any PictureDecoding)?
            var count = 0
            for event in events {
                if case .tracks(let list) = event, let format = list.video?.video {
                    decoder = try CPUDevice.shared.makeDecoder(of: format)
                }
                guard case .accessUnit(let unit) = event else { continue }
                try decoder?.decode(unit.payload, at: 0) { picture, _ throws(FFmpegError) in
                    count += 1
                    try body(picture)
                }
            }
            #expect(count == 3)
        }
    }

    @Test func onePictureComesOutForEachThatGoesIn() async throws {
        var filter: PictureFilter?
        try await Self.withPicture { picture throws(FFmpegError) in
            if filter == nil { filter = try PictureFilter("scale=w=160:h=90", for: picture) }
            for _ in 0..<3 {
                let scaled = try filter?.scale(picture)
                #expect(scaled?.width == 160 && scaled?.height == 90)
            }
        }
    }

    @Test(arguments: ["nosuchfilter=a=1", "scale=nosuchoption=1", "scale=w=-7:h=x"])
    func aFilterThatCannotBeMadeIsAnError(_ description: String) async throws {
        try await Self.withPicture { picture throws(FFmpegError) in
            #expect(throws: FFmpegError.self) { try PictureFilter(description, for: picture) }
        }
    }

    /// Without a picture of a card there is nothing to scale, and nothing breaks.
    @Test func cudaFiltersRefusePicturesOfTheCPU() async throws {
        try await Self.withPicture { picture throws(FFmpegError) in
            #expect(throws: FFmpegError.self) {
                try PictureFilter("scale_cuda=w=64:h=36:format=nv12:passthrough=0", for: picture)
            }
        }
    }
}

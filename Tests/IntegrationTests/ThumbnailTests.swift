import Foundation
import NIOCore
import TestSupport
import Testing

/// What a stream looks like, asked of the built binary and seen by ffmpeg.
@Suite(.serialized, .timeLimit(.minutes(3))) struct ThumbnailTests {
    /// Left half red, right half blue, with a tone, for some seconds, which a publisher loops.
    private static func clip(_ options: [String] = []) async throws -> String {
        let file = FileManager.default.temporaryDirectory.appending(path: "\(UUID()).ts").path
        try await ExternalProcess.run(
            "ffmpeg",
            [
                "-v", "error", "-f", "lavfi", "-i",
                "color=c=0xC01010:s=640x360:r=25:d=4,drawbox=x=iw/2:c=0x1010C0:t=fill",
                "-f", "lavfi", "-i", "sine=d=4", "-c:v", "libx264", "-preset", "veryfast",
                "-pix_fmt", "yuv420p", "-g", "25", "-bf", "0", "-c:a", "aac",
            ] + options + [file]
        )
        return file
    }

    /// Width, height, and the colours in the middle of both halves.
    private static func look(
        at answer: Viewer.Answer
    ) async throws -> (size: [Int], left: [Int], right: [Int]) {
        let file = FileManager.default.temporaryDirectory.appending(path: "\(UUID())")
        defer { try? FileManager.default.removeItem(at: file) }
        try answer.data.write(to: file)
        let probe = try await ExternalProcess.run(
            "ffprobe",
            [
                "-v", "error", "-show_entries", "stream=width,height", "-of", "csv=p=0",
                file.path,
            ]
        )
        let size = String(decoding: probe.output, as: UTF8.self)
            .split(whereSeparator: { !$0.isNumber }).compactMap { Int($0) }
        try #require(size.count == 2)
        let shown = try await ExternalProcess.run(
            "ffmpeg",
            ["-v", "error", "-xerror", "-i", file.path, "-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
        )
        let pixels = [UInt8](shown.output)
        try #require(pixels.count == size[0] * size[1] * 3)
        func colour(_ x: Int) -> [Int] {
            let start = (size[1] / 2 * size[0] + x) * 3
            return pixels[start..<start + 3].map { Int($0) }
        }
        return (size, colour(size[0] / 4), colour(size[0] * 3 / 4))
    }

    private static func isNear(_ colour: [Int], _ wanted: [Int]) -> Bool {
        zip(colour, wanted).allSatisfy { abs($0 - $1) <= 8 }
    }

    @Test func aStreamsPictureIsAnsweredInBothFormatsAndMadeOnceForAll() async throws {
        let clip = try await Self.clip()
        defer { try? FileManager.default.removeItem(atPath: clip) }
        let mirror = try await MirrorProcess(yaml: "thumbnails: { interval: 10m, width: 240 }")
        let viewer = Viewer(mirror.address)
        let unknown = try await viewer.ask("/api/v1/streams/live/thumbnail.jpg")
        #expect(unknown.status == 404)
        #expect(unknown.text.contains("unknown_stream"))
        let publisher = try Publisher.ffmpeg(clip, to: mirror.publishURL("live"))
        defer { publisher.stop() }
        var answers: [Viewer.Answer] = []
        for name in ["thumbnail.jpg", "thumbnail.webp"] {
            let answer = try await viewer.waitFor("/api/v1/streams/live/\(name)")
            try #require(answer.status == 200, "\(answer.text)")
            let (size, left, right) = try await Self.look(at: answer)
            #expect(size == [240, 136] || size == [240, 134])
            #expect(Self.isNear(left, [0xC0, 0x10, 0x10]), "\(name): \(left)")
            #expect(Self.isNear(right, [0x10, 0x10, 0xC0]), "\(name): \(right)")
            #expect(answer.headers["cache-control"] == "public, max-age=600")
            answers.append(answer)
        }
        // A hundred ask, and it is the same picture.
        try await withThrowingTaskGroup(of: Viewer.Answer.self) { group in
            for _ in 0..<100 {
                group.addTask { try await viewer.ask("/api/v1/streams/live/thumbnail.jpg") }
            }
            for try await answer in group { #expect(answer.body == answers[0].body) }
        }
        let tag = try #require(answers[0].headers["etag"])
        let again = try await viewer.ask(
            "/api/v1/streams/live/thumbnail.jpg",
            headers: [("If-None-Match", tag)]
        )
        #expect(again.status == 304 && again.body.readableBytes == 0)
        let snapshot = try await mirror.stream("live", by: viewer)?["thumbnail"]
        #expect(snapshot?["state"] == "ready")
        #expect(snapshot?["path"] == "/api/v1/streams/live/thumbnail.jpg")
        #expect(snapshot?["interval_seconds"] == 600)
        let metrics = try await mirror.metrics(by: viewer)
        #expect(metrics["mirror_thumbnail_decodes_total{stream=\"live\"}"] == 1)
        #expect(metrics["mirror_thumbnail_failures_total{stream=\"live\"}"] == 0)
        #expect(metrics["mirror_thumbnail_cpu_seconds_total{stream=\"live\"}"] ?? 0 > 0)
    }

    @Test func aStreamOfSoundAloneSaysWhyAndAReloadTurnsThemOff() async throws {
        let clip = try await Self.clip()
        defer { try? FileManager.default.removeItem(atPath: clip) }
        let mirror = try await MirrorProcess(yaml: "thumbnails: { interval: 1s }")
        let viewer = Viewer(mirror.address)
        let radio = try Publisher.ffmpeg(clip, to: mirror.publishURL("radio"), ["-vn"])
        defer { radio.stop() }
        _ = try await viewer.waitFor("/live/radio/playlist.m3u8")
        let silent = try await viewer.ask("/api/v1/streams/radio/thumbnail.jpg")
        #expect(silent.status == 404)
        #expect(silent.text.contains("no_thumbnail") && silent.text.contains("sound alone"))
        #expect(try await mirror.stream("radio", by: viewer)?["thumbnail"] == nil)

        let publisher = try Publisher.ffmpeg(clip, to: mirror.publishURL("live"))
        defer { publisher.stop() }
        let first = try await viewer.waitFor("/api/v1/streams/live/thumbnail.jpg")
        #expect(try await Self.look(at: first).size == [320, 180])
        // A later picture, of the same stream.
        #expect(
            try await eventually {
                let later = try await viewer.ask("/api/v1/streams/live/thumbnail.jpg")
                return later.status == 200 && later.headers["etag"] != first.headers["etag"]
            }
        )
        try mirror.rewriteConfiguration("thumbnails: { enabled: false }")
        #expect(
            try await eventually {
                try await viewer.ask("/api/v1/streams/live/thumbnail.jpg").status == 404
            }
        )
        let off = try await viewer.ask("/api/v1/streams/live/thumbnail.jpg")
        #expect(off.text.contains("thumbnails.enabled"))
        #expect(try await mirror.stream("live", by: viewer)?["thumbnail"] == nil)
    }

    @Test(arguments: ["0s", "11m", "5"])
    func anIntervalThatCannotBeKeepsTheServerFromStarting(interval: String) async throws {
        let failure = await #expect(throws: MirrorProcess.NotListening.self) {
            try await MirrorProcess(environment: ["MIRROR_THUMBNAILS_INTERVAL": interval])
        }
        #expect(failure?.description.contains("thumbnails.interval") == true)
    }
}

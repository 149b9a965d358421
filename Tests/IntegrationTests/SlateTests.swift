import Foundation
import NIOCore
import TestSupport
import Testing

/// A stream whose publisher is gone and whose viewers see a slate, with ffmpeg at both ends.
@Suite(.serialized) struct SlateTests {
    private static let clip = MirrorProcess.fixture("h264.ts")
    private static let video = "/live/live/video/playlist.m3u8"

    /// All of it red, which no picture of the clip is.
    private static func picture(_ size: String = "640x360") async throws -> String {
        let file = FileManager.default.temporaryDirectory.appending(path: "\(UUID()).png").path
        try await ExternalProcess.run(
            "ffmpeg",
            ["-v", "error", "-f", "lavfi", "-i", "color=red:s=\(size)", "-frames:v", "1", file]
        )
        return file
    }

    private static func state(_ mirror: MirrorProcess, _ viewer: Viewer) async throws -> String? {
        try await mirror.stream("live", by: viewer)?["state"]?.string
    }

    private static func isReady(_ mirror: MirrorProcess, _ viewer: Viewer) async throws -> Bool {
        try await mirror.stream("live", by: viewer)?["slate"]?["state"]?.string == "ready"
    }

    @Test func aPlayerPlaysOnThroughTheSlateUntilThePublisherIsBack() async throws {
        let file = try await Self.picture()
        defer { try? FileManager.default.removeItem(atPath: file) }
        let mirror = try await MirrorProcess(
            yaml: """
                packaging: { segment_target: 1s }
                publishing: { grace: 1s, slate: { file: "\(file)", after: 500ms } }
                """
        )
        let viewer = Viewer(mirror.address)
        let first = try Publisher.ffmpeg(Self.clip, to: mirror.publishURL("live"))
        try await viewer.waitForSegments(of: "live")
        let isReady = try await eventually { try await Self.isReady(mirror, viewer) }
        #expect(isReady, "\(mirror.lastWords)")
        let master = try await viewer.ask("/live/live/playlist.m3u8").text
        let player = try Player(playing: "\(mirror.address)/live/live/playlist.m3u8")
        #expect(try await eventually { player.frames > 50 }, "\(player.process.errors)")
        async let rules = Self.follow(mirror, for: .seconds(14))

        let before = try await viewer.playlist(Self.video)
        let killed = ContinuousClock.now
        first.kill()
        let isShown = try await eventually { try await Self.state(mirror, viewer) == "slate" }
        #expect(isShown, "\(mirror.lastWords)")
        #expect(killed.duration(to: .now) < .seconds(2))
        let frames = player.frames
        let playsOn = try await eventually(within: .seconds(30)) { player.frames > frames + 150 }
        #expect(playsOn, "\(frames), then \(player.frames) frames: \(player.process.errors)")
        // The publisher has left by now, and so has the grace time.
        let hasLeft = try await eventually(within: .seconds(10)) {
            mirror.logged("publisher left").count == 1
        }
        #expect(hasLeft)
        try await Task.sleep(for: .seconds(2))
        #expect(try await Self.state(mirror, viewer) == "slate")
        try await Self.expectRed(mirror, viewer)
        let slateMaster = try await viewer.ask("/live/live/playlist.m3u8").text
        #expect(Self.promise(slateMaster) == Self.promise(master), "\(slateMaster)")

        let second = try Publisher.ffmpeg(Self.clip, to: mirror.publishURL("live"))
        defer { second.stop() }
        let isBack = try await eventually { try await Self.state(mirror, viewer) == "live" }
        #expect(isBack, "\(mirror.lastWords)")
        let laterFrames = player.frames
        let goesOn = try await eventually(within: .seconds(30)) {
            player.frames > laterFrames + 150
        }
        #expect(goesOn && player.process.isRunning, "\(player.process.errors)")

        let after = try await viewer.playlist(Self.video)
        #expect(after.openMediaSequence > before.openMediaSequence)
        #expect(after.targetDuration == before.targetDuration)
        #expect(after.partTarget == before.partTarget)
        let discontinuities =
            after.discontinuitySequence + after.segments.count { $0.isDiscontinuity }
        #expect(discontinuities == 2, "\(after.text)")
        let broken = try await rules
        #expect(broken.isEmpty, "\(broken)")
        #expect(mirror.logged("slate on air").count == 1)
        #expect(mirror.logged("slate off air").count == 1)
    }

    @Test func aSlateThatWasShownForLongEnoughLeavesTheStreamToItsGrace() async throws {
        let file = try await Self.picture("64x64")
        defer { try? FileManager.default.removeItem(atPath: file) }
        let mirror = try await MirrorProcess(
            yaml: """
                publishing: { grace: 1s }
                streams:
                  - { match: "other", slate: "\(file)" }
                """,
            environment: [
                "MIRROR_PUBLISHING_SLATE_FILE": file, "MIRROR_PUBLISHING_SLATE_LIMIT": "2s",
                "MIRROR_PUBLISHING_SLATE_AFTER": "200ms",
            ]
        )
        let viewer = Viewer(mirror.address)
        let publisher = try Publisher.ffmpeg(Self.clip, to: mirror.publishURL("live"))
        try await viewer.waitForSegments(of: "live")
        let isReady = try await eventually { try await Self.isReady(mirror, viewer) }
        #expect(isReady, "\(mirror.lastWords)")
        publisher.stop()
        let isShown = try await eventually { try await Self.state(mirror, viewer) == "slate" }
        #expect(isShown, "\(mirror.lastWords)")
        let hasEnded = try await eventually { try await Self.state(mirror, viewer) == "ended" }
        #expect(hasEnded, "\(mirror.lastWords)")
        let playlist = try await viewer.playlist(Self.video)
        #expect(playlist.isEnded)
        #expect(playlist.segments.count { $0.isDiscontinuity } == 1, "\(playlist.text)")
    }

    @Test func aFileThatCannotBeShownKeepsTheServerFromStarting() async throws {
        let failure = await #expect(throws: MirrorProcess.NotListening.self) {
            try await MirrorProcess(
                environment: ["MIRROR_PUBLISHING_SLATE_FILE": "/nowhere/slate.png"]
            )
        }
        let words = failure?.description ?? ""
        #expect(words.contains("slate /nowhere/slate.png: it cannot be read"), "\(words)")
    }

    private static func follow(
        _ mirror: MirrorProcess,
        for duration: Duration
    ) async throws -> [String] {
        var follower = PlaylistFollower(viewer: Viewer(mirror.address), path: video)
        try await follower.follow(for: duration)
        return follower.violations
    }

    /// What a player was told of the picture: codec family and profile, and its size.
    private static func promise(_ master: String) -> [String] {
        let line = master.split(separator: "\n").first { $0.hasPrefix("#EXT-X-STREAM-INF") } ?? ""
        return line.matches(of: /avc1\.[0-9a-f]{2}|RESOLUTION=\d+x\d+|mp4a\.40\.\d+/).map {
            String($0.0)
        }
    }

    /// The newest segment, decoded.
    private static func expectRed(_ mirror: MirrorProcess, _ viewer: Viewer) async throws {
        let playlist = try await viewer.playlist(video)
        let segment = try #require(playlist.segments.last)
        var bytes = try await viewer.ask("/live/live/video/\(try #require(segment.map))").body
        var media = try await viewer.ask("/live/live/video/\(segment.uri)").body
        bytes.writeBuffer(&media)
        let file = FileManager.default.temporaryDirectory.appending(path: "\(UUID()).mp4")
        defer { try? FileManager.default.removeItem(at: file) }
        try Data(bytes.readableBytesView).write(to: file)
        let shown = try await ExternalProcess.run(
            "ffmpeg",
            [
                "-v", "error", "-xerror", "-i", file.path, "-vf", "scale=1:1", "-frames:v", "1",
                "-f", "rawvideo", "-pix_fmt", "rgb24", "-",
            ]
        )
        let pixel = [UInt8](shown.output)
        #expect(pixel.count == 3 && pixel[0] > 230 && pixel[1] < 30 && pixel[2] < 30, "\(pixel)")
    }
}

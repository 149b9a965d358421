import Foundation
import NIOCore
import TestSupport
import Testing

/// A stream whose publisher is gone and whose viewers see a slate, with ffmpeg at both ends.
///
/// A publisher comes to a stop, too, where the machine is too busy for it: a slate waits longer here than
/// that lasts. What it does at which time is for `SlateSwitchTests`, by a clock of its own.
@Suite(.serialized) struct SlateTests {
    private static let clip = MirrorProcess.fixture("h264.mkv")
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
                ingestion: { srt: { peer_idle_timeout: 10s } }
                publishing: { grace: 1s, slate: { file: "\(file)", after: 5s } }
                """
        )
        let viewer = Viewer(mirror.address)
        let first = try Publisher.ffmpeg(Self.clip, to: mirror.publishURL("live"))
        try await viewer.waitForSegments(of: "live")
        let isReady = try await Self.inTime { try await Self.isReady(mirror, viewer) }
        try #require(isReady, "\(mirror.lastWords)")
        let master = try await viewer.ask("/live/live/playlist.m3u8").text
        let player = try Player(playing: "\(mirror.address)/live/live/playlist.m3u8")
        #expect(try await Self.inTime { player.frames > 50 }, "\(player.process.errors)")
        async let rules = Self.followToTheReturn(mirror)

        let before = try await viewer.playlist(Self.video)
        first.kill()
        let isShown = try await Self.inTime { try await Self.state(mirror, viewer) == "slate" }
        try #require(isShown, "\(mirror.lastWords)")
        let frames = player.frames
        let playsOn = try await Self.inTime { player.frames > frames + 150 }
        #expect(playsOn, "\(frames), then \(player.frames) frames: \(player.process.errors)")
        // The publisher leaves meanwhile, and then its grace time is over as well.
        let hasLeft = try await Self.inTime { !mirror.logged("publisher left").isEmpty }
        #expect(hasLeft, "\(mirror.lastWords)")
        #expect(Self.events(of: mirror) == ["slate on air", "publisher left"])
        try await Task.sleep(for: .seconds(2))
        #expect(try await Self.state(mirror, viewer) == "slate")
        try await Self.expectRed(mirror, viewer)
        let slateMaster = try await viewer.ask("/live/live/playlist.m3u8").text
        #expect(Self.promise(slateMaster) == Self.promise(master), "\(slateMaster)")

        let second = try Publisher.ffmpeg(Self.clip, to: mirror.publishURL("live"))
        defer { second.stop() }
        let isBack = try await Self.inTime { try await Self.state(mirror, viewer) == "live" }
        try #require(isBack, "\(mirror.lastWords)")
        let laterFrames = player.frames
        let goesOn = try await Self.inTime { player.frames > laterFrames + 150 }
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
        #expect(
            Self.events(of: mirror) == ["slate on air", "publisher left", "slate off air"],
            "\(mirror.lastWords)"
        )
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
                "MIRROR_PUBLISHING_SLATE_AFTER": "5s",
            ]
        )
        let viewer = Viewer(mirror.address)
        let publisher = try Publisher.ffmpeg(Self.clip, to: mirror.publishURL("live"))
        try await viewer.waitForSegments(of: "live")
        let isReady = try await Self.inTime { try await Self.isReady(mirror, viewer) }
        try #require(isReady, "\(mirror.lastWords)")
        publisher.stop()
        let hasEnded = try await Self.inTime { try await Self.state(mirror, viewer) == "ended" }
        #expect(hasEnded, "\(mirror.lastWords)")
        #expect(
            Self.events(of: mirror) == ["publisher left", "slate on air", "slate off air"],
            "\(mirror.lastWords)"
        )
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

    /// Waits for what costs much of the machine: pictures encoded or decoded.
    private static func inTime(_ condition: () async throws -> Bool) async throws -> Bool {
        try await eventually(within: .seconds(90), condition)
    }

    /// What became of the slate and of its publisher, in the order it was logged.
    private static func events(of mirror: MirrorProcess) -> [String] {
        mirror.log.split(separator: "\n").compactMap { line in
            ["slate on air", "slate off air", "publisher left"].first { line.contains($0) }
        }
    }

    /// Rules of playlists that were broken until the publisher was back, or soon after.
    private static func followToTheReturn(_ mirror: MirrorProcess) async throws -> [String] {
        var follower = PlaylistFollower(viewer: Viewer(mirror.address), path: video)
        while follower.violations.isEmpty, mirror.logged("slate off air").isEmpty {
            try await follower.follow(for: .seconds(1))
        }
        try await follower.follow(for: .seconds(2))
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

import Foundation
import TestSupport
import Testing

/// Players that share no code with Mirror decode its streams.
@Suite(.serialized) struct PlayerTests {
    private static let shared = Task {
        let port = FreePort.tcp
        return try await MirrorProcess(
            yaml: "server: { http_port: \(port) }\npackaging: { segment_target: 1s }\n"
        )
    }

    /// Over HTTPS; each picture of the clip once, and nothing to complain of.
    @Test(arguments: LiveSource.allCases)
    func ffmpegDecodesTheStream(_ source: LiveSource) async throws {
        let mirror = try await Self.shared.value
        let name = "ffmpeg-\(source.rawValue)"
        let publisher = try await source.publish(to: mirror, as: name)
        defer { publisher.stop() }
        let viewer = Viewer(mirror.address)
        try await viewer.waitForSegments(of: name)
        let seconds = 5
        let player = try Player(
            playing: "\(mirror.address)/live/\(name)/playlist.m3u8",
            ["-xerror", "-t", "\(seconds)"]
        )
        let result = await player.process.wait(atMost: .seconds(40))
        #expect(result.status == 0, "\(result.errors)")
        #expect(result.errors.isEmpty, "\(result.errors)")
        // The clips have 25 pictures a second, and one less where they are joined.
        #expect((115...130).contains(player.frames), "\(player.frames) frames in \(seconds) s")
    }

    /// In clear: GStreamer 1.22 has no switch for certificates of our own making.
    @Test(arguments: [LiveSource.h264])
    func gstreamerPlaysPictureAndSound(_ source: LiveSource) async throws {
        let mirror = try await Self.shared.value
        let name = "gstreamer-\(source.rawValue)"
        let publisher = try await source.publish(to: mirror, as: name)
        defer { publisher.stop() }
        let viewer = Viewer(mirror.address)
        try await viewer.waitForSegments(of: name)
        // Each sink ends when it was given as many buffers, and the pipeline when both have ended.
        let player = try ExternalProcess(
            "gst-launch-1.0",
            [
                "playbin3", "uri=\(mirror.plainAddress)/live/\(name)/playlist.m3u8",
                "video-sink=fakesink num-buffers=100 sync=true",
                "audio-sink=fakesink num-buffers=100 sync=true",
            ]
        )
        let result = await player.wait(atMost: .seconds(40))
        #expect(result.status == 0, "\(result.text)\n\(result.errors)")
        #expect(result.text.contains("Got EOS"), "\(result.text)\n\(result.errors)")
        #expect(!result.errors.contains("ERROR"), "\(result.errors)")
    }
}

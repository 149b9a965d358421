import Foundation
import TestSupport
import Testing

/// The sound of a ladder: every size has it as it is sent, and in formats that every player has.
@Suite struct LadderSoundTests {
    private static let yaml = """
        packaging: { window: 30s }
        transcoding:
          enabled: true
          preset: ultrafast
          output_formats: [{ resolution: 320x180, bitrate: 200k }]
          audio:
            - { codec: aac, bitrate: 96k }
            - { codec: opus, bitrate: 64k }
        """

    /// A picture, and AC-3 with six channels.
    private static func surround(to url: String) throws -> Publisher {
        try Publisher.encoding(
            [
                "-f", "lavfi", "-i", "testsrc2=s=640x360:r=30", "-f", "lavfi", "-i",
                "sine=frequency=440:sample_rate=48000", "-c:v", "libx264", "-preset", "ultrafast",
                "-pix_fmt", "yuv420p", "-g", "60", "-b:v", "1M", "-c:a", "ac3", "-ac", "6",
                "-b:a", "384k", "-pes_payload_size", "0",
            ],
            to: url
        )
    }

    @Test func surroundIsAlsoOfferedInStereoToEverySize() async throws {
        let mirror = try await MirrorProcess(yaml: Self.yaml)
        let publisher = try Self.surround(to: mirror.publishURL("live", "&latency=1000000"))
        defer { publisher.stop() }
        let viewer = Viewer(mirror.address)
        let multivariant = try await viewer.waitFor("/live/live/playlist.m3u8").text
        for (group, codec) in [("ac-3", "ac-3"), ("aac-96k", "mp4a.40.2"), ("opus-64k", "Opus")] {
            let channels = group == "ac-3" ? 6 : 2
            #expect(
                multivariant.contains(
                    "GROUP-ID=\"\(group)\",NAME=\"Audio\",DEFAULT=YES,AUTOSELECT=YES,"
                        + "CHANNELS=\"\(channels)\""
                ),
                "\(multivariant)"
            )
            let variants = multivariant.split(separator: "\n").filter {
                $0.hasPrefix("#EXT-X-STREAM-INF:") && $0.contains(",AUDIO=\"\(group)\"")
                    && $0.contains(codec)
            }
            #expect(variants.count == 2, "\(multivariant)")
        }

        let names = ["video", "audio1", "audio1-aac-96k", "audio1-opus-64k"]
        let followers = try await withThrowingTaskGroup(of: PlaylistFollower.self) { group in
            for name in names {
                group.addTask {
                    let path = "/live/live/\(name)/playlist.m3u8"
                    var follower = PlaylistFollower(viewer: viewer, path: path)
                    try await follower.follow(for: .seconds(16))
                    return follower
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        for follower in followers { #expect(follower.violations.isEmpty, "\(follower)") }

        try await Self.expectAlignment(of: names, viewer)
        let stream = try #require(try await mirror.stream("live", by: viewer))
        let sound = try #require(stream["transcoding"]?["audio"])
        #expect(sound["undecodable_frames"]?.number == 0 && sound["lost_frames"]?.number == 0)
        let output = try #require(sound["outputs"]?[0])
        #expect(output["id"]?.string == "audio1-aac-96k" && output["channels"]?.number == 2)
        #expect(output["delay_milliseconds"]?.number ?? 999 < 100, "\(output)")
        try await Self.expectStereo(of: mirror)
        try await viewer.shutDown()
    }

    /// The same number is the same stretch of time.
    private static func expectAlignment(of names: [String], _ viewer: Viewer) async throws {
        var starts: [[Int: Double]] = []
        for name in names {
            let path = "/live/live/\(name)/playlist.m3u8"
            var times: [Int: Double] = [:]
            for segment in try await viewer.playlist(path).segments.suffix(5) {
                times[segment.mediaSequence] = try await viewer.decodeTime(of: segment, in: path)
            }
            starts.append(times)
        }
        for (name, times) in zip(names, starts).dropFirst() {
            let common = times.filter { starts[0][$0.key] != nil }
            #expect(common.count >= 3, "\(name)")
            for (sequence, time) in common {
                // Half a frame of AC-3.
                #expect(abs(time - (starts[0][sequence] ?? 0)) < 0.017, "\(name) \(sequence)")
            }
        }
    }

    private static func expectStereo(of mirror: MirrorProcess) async throws {
        let heard = try await ExternalProcess.run(
            "ffmpeg",
            [
                "-v", "info", "-tls_verify", "0", "-i",
                "\(mirror.address)/live/live/audio1-aac-96k/playlist.m3u8", "-t", "4", "-f",
                "null", "-",
            ]
        )
        #expect(
            heard.errors.contains("aac (LC)") && heard.errors.contains("stereo"),
            "\(heard.errors)"
        )
    }
}

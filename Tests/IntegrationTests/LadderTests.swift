import Foundation
import TestSupport
import Testing

/// A ladder is one stream in several sizes: players may change between them at every segment.
@Suite struct LadderTests {
    private static let yaml = """
        packaging: { window: 30s }
        transcoding:
          enabled: true
          preset: ultrafast
          output_formats:
            - { resolution: 640x360, bitrate: 600k }
            - { resolution: 320x180, bitrate: 200k }
        """

    /// What a rendition lists of one segment.
    private struct Listed: Equatable {
        let date: Double
        let duration: Double
        /// None, once it has been there for some time.
        var parts: [Double]
        /// Ticks of the 90 kHz clock.
        let decodeTime: Int
    }

    /// B-frames and open groups of pictures; and keyframes at distances from 0.4 to 5 s.
    @Test(arguments: ["steady", "irregular"])
    func rungsAreAlignedToTheTick(_ kind: String) async throws {
        let mirror = try await MirrorProcess(yaml: Self.yaml)
        let publisher =
            kind == "steady"
            ? try await LiveSource.h264.publish(to: mirror, as: "live")
            : try Publisher.irregularKeyframes(to: mirror.publishURL("live", "&latency=1000000"))
        defer { publisher.stop() }
        let viewer = Viewer(mirror.address)
        let multivariant = try await viewer.waitFor("/live/live/playlist.m3u8")
        let names = ["video", "video-360p", "video-180p"]
        for name in names {
            #expect(multivariant.text.contains("\n\(name)/playlist.m3u8"), "\(multivariant.text)")
        }
        #expect(multivariant.text.contains("RESOLUTION=640x360"))

        let paths = names.map { "/live/live/\($0)/playlist.m3u8" }
        let followers = try await withThrowingTaskGroup(of: PlaylistFollower.self) { group in
            for path in paths {
                group.addTask {
                    var follower = PlaylistFollower(viewer: viewer, path: path)
                    try await follower.follow(for: .seconds(28))
                    return follower
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        for follower in followers {
            #expect(follower.violations.isEmpty, "\(follower)")
            #expect(follower.parts > 60, "\(follower)")
        }

        var renditions: [[Int: Listed]] = []
        for path in paths { renditions.append(try await Self.segments(of: path, by: viewer)) }
        for rung in renditions.dropFirst() {
            let common = renditions[0].filter { rung[$0.key] != nil }
            #expect(common.count >= 6)
            for (sequence, source) in common {
                var (source, other) = (source, try #require(rung[sequence]))
                if source.parts.isEmpty || other.parts.isEmpty {
                    (source.parts, other.parts) = ([], [])
                }
                #expect(other == source, "segment \(sequence)")
            }
        }
        try await Self.expectNothingLost(mirror, viewer)
    }

    /// A source of high dynamic range says so, its sizes say that they are not, and what they cost and
    /// keep of it is told while it is on air.
    @Test func sizesOfHDRAreStandardAndAreMeasuredOnAir() async throws {
        let mirror = try await MirrorProcess(yaml: Self.yaml)
        let publisher = try Publisher.highDynamicRange(to: mirror.publishURL("live"))
        defer { publisher.stop() }
        let viewer = Viewer(mirror.address)
        let multivariant = try await viewer.waitFor("/live/live/playlist.m3u8").text
        let lines = multivariant.split(separator: "\n").map(String.init)
        for (name, range) in [("video", "PQ"), ("video-360p", "SDR"), ("video-180p", "SDR")] {
            let index = try #require(
                lines.firstIndex(of: "\(name)/playlist.m3u8"),
                "\(multivariant)"
            )
            #expect(lines[index - 1].contains("VIDEO-RANGE=\(range)"), "\(multivariant)")
            let frames = lines.first {
                $0.hasPrefix("#EXT-X-I-FRAME-STREAM-INF") && $0.contains("\"\(name)/")
            }
            #expect(frames?.contains("VIDEO-RANGE=\(range)") == true, "\(multivariant)")
        }

        let path = "/api/v1/streams/live/transcoding/quality"
        let answer = try await viewer.ask(path)
        #expect(answer.status == 200, "\(answer.text)")
        let quality =
            try JSONDecoder().decode(JSONValue.self, from: answer.data)["rungs"]?.array ?? []
        #expect(quality.map { $0["id"]?.string } == ["video-360p", "video-180p"])
        for rung in quality {
            #expect((rung["pictures"]?.number ?? 0) > 10, "\(rung)")
            #expect((20...100).contains(rung["mean_psnr_decibels"]?.number ?? 0), "\(rung)")
            #expect((0.5...1).contains(rung["mean_ssim"]?.number ?? 0), "\(rung)")
        }

        let stream = try #require(try await mirror.stream("live", by: viewer))
        let metrics = try await mirror.metrics(by: viewer)
        for rung in stream[path: "transcoding.rungs"]?.array ?? [] {
            for step in ["decode", "scale", "encode"] {
                let delay = rung["delays"]?[step]
                #expect((delay?["median_milliseconds"]?.number ?? 0) > 0, "\(rung)")
                #expect((delay?["long_milliseconds"]?.number ?? 0) > 0, "\(rung)")
            }
            #expect(abs((rung["frame_rate"]?.number ?? 0) - 30) < 0.5, "\(rung)")
            #expect((rung["bitrate_bits_per_second"]?.number ?? 0) > 10_000, "\(rung)")
        }
        #expect(metrics.total("mirror_transcoding_step_delay_seconds") > 0)
        try await viewer.shutDown()
    }

    /// All but the newest, which may have grown between two answers.
    private static func segments(of path: String, by viewer: Viewer) async throws -> [Int: Listed] {
        var segments: [Int: Listed] = [:]
        for segment in try await viewer.playlist(path).segments.dropLast().suffix(9) {
            let time = try await viewer.decodeTime(of: segment, in: path)
            segments[segment.mediaSequence] = Listed(
                date: try #require(segment.date),
                duration: segment.duration,
                parts: segment.parts.map(\.duration),
                decodeTime: Int((time * 90_000).rounded())
            )
        }
        return segments
    }

    private static func expectNothingLost(_ mirror: MirrorProcess, _ viewer: Viewer) async throws {
        let stream = try #require(try await mirror.stream("live", by: viewer))
        #expect(stream[path: "transcoding.undecodable_pictures"] == 0)
        #expect(stream[path: "transcoding.lost_pictures"] == 0)
        for index in 0...1 {
            let rung = try #require(stream["transcoding"]?["rungs"]?[index])
            #expect(rung["lost_pictures"]?.number == 0, "\(rung)")
            #expect(rung["held_pictures"]?.number == 0, "\(rung)")
        }
        // On whatever this machine has.
        #expect(stream["transcoding"]?["device"]?.string != nil)
        let metrics = try await mirror.metrics(by: viewer)
        #expect(metrics.total("mirror_transcoding_device_streams") == 1)
        #expect(metrics.total("mirror_transcoding_device_encoders") == 2)
        #expect(metrics.total("mirror_transcoding_device_pixels_per_second") > 0)
        #expect(metrics["mirror_transcoding_device_ready{device=\"cpu\"}"] == 1)
    }
}

extension Publisher {
    fileprivate static func highDynamicRange(to url: String) throws -> Publisher {
        try encoding(
            [
                "-f", "lavfi", "-i", "testsrc2=s=960x540:r=30", "-pix_fmt", "yuv420p10le", "-c:v",
                "libx265", "-preset", "ultrafast", "-x265-params",
                "log-level=none:keyint=30:bframes=0:colorprim=bt2020:transfer=smpte2084"
                    + ":colormatrix=bt2020nc",
                "-b:v", "1M",
            ],
            to: url
        )
    }

    fileprivate static func irregularKeyframes(to url: String) throws -> Publisher {
        try encoding(
            [
                "-f", "lavfi", "-i", "testsrc2=s=960x540:r=30", "-f", "lavfi", "-i",
                "sine=frequency=440:sample_rate=48000", "-c:v", "libx264", "-preset", "ultrafast",
                "-pix_fmt", "yuv420p", "-bf", "2", "-g", "1000", "-sc_threshold", "0",
                "-force_key_frames", "expr:not(mod(n,71))+not(mod(n,113))+not(mod(n,12))*lt(n,50)",
                "-b:v", "1M", "-c:a", "aac", "-pes_payload_size", "0",
            ],
            to: url
        )
    }
}

import Foundation
import Synchronization
import TestSupport
import Testing

/// Whatever is sent to Mirror, it lives on, says what is wrong, and does not let others feel it.
@Suite(.serialized) struct BadInputTests {
    private static let shared = Task {
        try await WatchedMirror(
            yaml: """
                packaging: { segment_target: 1s, window: 10s }
                publishing: { grace: 3s, max_streams: 1000 }
                ingestion: { srt: { max_bandwidth: 80M, max_connections: 500 } }
                streams: [{ match: "takeover-*", on_second_publisher: takeover }]
                """
        )
    }

    private func publish(
        _ bytes: [UInt8],
        as name: String,
        bitsPerSecond: Int,
        on watched: WatchedMirror
    ) throws -> Publisher {
        let source = Mutex(PacedBytes(bytes, bitsPerSecond: bitsPerSecond))
        return try Publisher.bytes(to: watched.mirror.publishURL(name, "&latency=1000")) {
            source.withLock { $0.next() }
        }
    }

    private func publish(
        _ source: ScriptedSource,
        as name: String,
        on watched: WatchedMirror
    ) throws -> Publisher {
        let source = Mutex(source)
        return try Publisher.bytes(to: watched.mirror.publishURL(name)) {
            source.withLock { $0.next() }
        }
    }

    // MARK: Bytes

    @Test func randomBytesAreCountedAndPublishNothing() async throws {
        let watched = try await Self.shared.value
        var random = SeededRandom(seed: 1)
        let publisher = try publish(
            random.bytes(3_000_000),
            as: "noise",
            bitsPerSecond: 20_000_000,
            on: watched
        )
        defer { publisher.stop() }
        let description = try await watched.describe("noise") {
            ($0[path: "ingest.transport_stream.resynchronised_bytes"]?.number ?? 0) > 2_000_000
        }
        let skipped = description[path: "ingest.transport_stream.resynchronised_bytes"]?.number
        #expect(skipped ?? 0 > 2_000_000, "\(description)")
        #expect(description["state"] == "waiting", "\(description)")
        #expect(description["tracks"]?.array?.isEmpty == true, "\(description)")
        try await watched.expectUnharmed()
    }

    /// A hundred thousand mutations, half of them of H.264, half of HEVC.
    @Test func damagedTransportStreamsHarmNobody() async throws {
        let watched = try await Self.shared.value
        var publishers: [Publisher] = []
        for (seed, name) in ["h264", "hevc"].enumerated() {
            let clip = try PacedBytes.clip(MirrorProcess.fixture("\(name).ts"))
            let damaged = DamagedClip.make(clip, mutations: 50_000, seed: UInt64(seed))
            publishers.append(
                try publish(damaged, as: "damaged-\(name)", bitsPerSecond: 40_000_000, on: watched)
            )
        }
        defer { for publisher in publishers { publisher.stop() } }
        for name in ["damaged-h264", "damaged-hevc"] {
            let description = try await watched.describe(name, within: .seconds(60)) {
                $0[path: "ingest.transport_stream.packets"]?.number ?? 0 > 80_000
            }
            func count(_ key: String) -> Double {
                description[path: "ingest.transport_stream.\(key)"]?.number ?? 0
            }
            #expect(count("packets") > 80_000, "\(description)")
            #expect(count("continuity_errors") > 1_000, "\(description)")
            #expect(count("resynchronised_bytes") > 10_000, "\(description)")
            // What can be played of it is played, by its rules.
            let answer = try await watched.viewer.ask("/live/\(name)/video/playlist.m3u8")
            #expect([200, 404].contains(answer.status), "\(answer.status) \(answer.text)")
            if answer.status == 200 { _ = try MediaPlaylist(answer.text) }
        }
        try await watched.expectUnharmed()
    }

    // MARK: Streams

    @Test func aStreamOfNothingButDataSaysSo() async throws {
        let watched = try await Self.shared.value
        let data = TransportStreamWriter.Stream(
            pid: 0x102,
            streamType: 0x06,
            descriptors: TransportStreamWriter.Stream.registration("KLVA")
        )
        var writer = TransportStreamWriter(streams: [data])
        var bytes: [UInt8] = []
        // More than two minutes of it, so that it is on air whenever the question comes.
        for tick in 0..<2_000 {
            bytes += writer.tables()
            bytes += writer.pes([6, 14, 43, 52, 0, 0], on: data, pts: Int64(tick) * 9_000)
        }
        let publisher = try publish(bytes, as: "data", bitsPerSecond: 50_000, on: watched)
        defer { publisher.stop() }
        let description = try await watched.describe("data") {
            $0["tracks"]?.array?.isEmpty == false
        }
        #expect(description[path: "tracks"]?[0]?["kind"] == "data", "\(description)")
        #expect(description["state"] == "waiting", "\(description)")
        // Nothing to watch: the wait is bounded, and the answer says that it may be asked again.
        let answer = try await watched.viewer.ask("/live/data/playlist.m3u8")
        #expect(answer.status == 503, "\(answer.text)")
        #expect(answer.headers["retry-after"] != nil)
        #expect(answer.headers["content-type"] == "application/problem+json")
        try await watched.expectUnharmed()
    }

    @Test func soundAloneIsServedAsSound() async throws {
        let watched = try await Self.shared.value
        let publisher = try Publisher.ffmpeg(
            MirrorProcess.fixture("audio.ts"),
            to: watched.mirror.publishURL("radio")
        )
        defer { publisher.stop() }
        let answer = try await watched.viewer.waitFor("/live/radio/playlist.m3u8")
        #expect(answer.status == 200, "\(answer.text)")
        #expect(answer.text.contains("CODECS=\"mp4a.40.2\""), "\(answer.text)")
        #expect(!answer.text.contains("RESOLUTION"), "\(answer.text)")
        var follower = PlaylistFollower(
            viewer: watched.viewer,
            path: "/live/radio/audio1/playlist.m3u8"
        )
        try await follower.follow(for: .seconds(3))
        #expect(follower.violations.isEmpty)
        #expect(follower.parts > 5, "\(follower.parts) parts")
        try await watched.expectUnharmed()
    }

    @Test func aChangeOfCodecIsADiscontinuityWithANewMap() async throws {
        let watched = try await Self.shared.value
        let bytes =
            try PacedBytes.clip(MirrorProcess.fixture("h264.ts"), packets: 9_000)
            + PacedBytes.clip(MirrorProcess.fixture("hevc.ts"), packets: 9_000)
        let publisher = try publish(bytes, as: "codecs", bitsPerSecond: 12_000_000, on: watched)
        defer { publisher.stop() }
        let description = try await watched.describe("codecs") {
            $0["tracks"]?[0]?["codec_string"]?.string?.hasPrefix("hvc1") == true
                && $0[path: "packaging.discontinuities"]?.number ?? 0 > 0
        }
        #expect(description[path: "packaging.discontinuities"] == 1, "\(description)")
        let path = "/live/codecs/video/playlist.m3u8"
        let playlist = try await watched.playlist(path) {
            $0.segments.contains(where: \.isDiscontinuity)
        }
        let change = try #require(playlist.segments.first { $0.isDiscontinuity })
        let before = try #require(
            playlist.segments.last { $0.mediaSequence < change.mediaSequence }
        )
        #expect(before.map != change.map, "\(playlist.text)")
        let multivariant = try await watched.viewer.ask("/live/codecs/playlist.m3u8")
        #expect(multivariant.text.contains("CODECS=\"hvc1."), "\(multivariant.text)")
        for map in [before.map, change.map] {
            let uri = "/live/codecs/video/\(try #require(map))"
            #expect(try await watched.viewer.ask(uri).status == 200, "\(uri)")
        }
        try await watched.expectUnharmed()
    }

    @Test func aChangeOfResolutionIsADiscontinuityWithANewMap() async throws {
        let watched = try await Self.shared.value
        let source = ScriptedSource(frames: 300, otherFormatFrom: 150)
        let publisher = try publish(source, as: "sizes", on: watched)
        defer { publisher.stop() }
        let description = try await watched.describe("sizes") {
            $0["tracks"]?[0]?[path: "video.width"] == 128
                && $0[path: "packaging.discontinuities"]?.number ?? 0 > 0
        }
        #expect(description[path: "packaging.discontinuities"] == 1, "\(description)")
        let playlist = try await watched.playlist("/live/sizes/video/playlist.m3u8") {
            $0.segments.contains(where: \.isDiscontinuity)
        }
        #expect(Set(playlist.segments.compactMap(\.map)).count == 2, "\(playlist.text)")
        #expect(playlist.segments.count { $0.isDiscontinuity } == 1, "\(playlist.text)")
        let multivariant = try await watched.viewer.ask("/live/sizes/playlist.m3u8")
        #expect(multivariant.text.contains("RESOLUTION=128x128"), "\(multivariant.text)")
        try await watched.expectUnharmed()
    }

    // MARK: Time

    @Test func timestampsThatJumpByHoursAreDiscontinuities() async throws {
        let watched = try await Self.shared.value
        let hours: Int64 = 5 * 3_600 * 90_000
        let source = ScriptedSource(
            frames: 360,
            jumps: [.init(frame: 120, ticks: hours), .init(frame: 240, ticks: -hours)]
        )
        let publisher = try publish(source, as: "jumps", on: watched)
        defer { publisher.stop() }
        let description = try await watched.describe("jumps") {
            $0[path: "packaging.discontinuities"]?.number ?? 0 >= 2
                && $0[path: "packaging.segments"]?.number ?? 0 >= 10
        }
        #expect(description[path: "packaging.discontinuities"] == 2, "\(description)")
        #expect(description[path: "packaging.segments"]?.number ?? 0 >= 10, "\(description)")
        for rendition in ["video", "audio1"] {
            let path = "/live/jumps/\(rendition)/playlist.m3u8"
            let playlist = try await watched.viewer.playlist(path)
            for segment in playlist.segments {
                #expect(segment.duration <= Double(playlist.targetDuration), "\(playlist.text)")
            }
        }
        try await watched.expectUnharmed()
    }

    @Test func aGOPOfTenSecondsIsCutAndNamed() async throws {
        let watched = try await Self.shared.value
        let source = ScriptedSource(frames: 700, keyframeInterval: 300)
        let publisher = try publish(source, as: "long", on: watched)
        defer { publisher.stop() }
        let description = try await watched.describe("long") {
            $0[path: "packaging.gop.last_seconds"] == 10
        }
        #expect(watched.adviceCodes(description).contains("gop_too_long"), "\(description)")
        #expect(description[path: "packaging.forced_cuts"]?.number ?? 0 > 3, "\(description)")
        let playlist = try await watched.viewer.playlist("/live/long/video/playlist.m3u8")
        #expect(playlist.targetDuration == 2)
        for segment in playlist.segments {
            #expect(segment.duration.rounded() <= 2, "\(playlist.text)")
        }
        try await watched.expectUnharmed()
    }

    @Test func aStreamWithoutKeyframesIsToldWhatToChange() async throws {
        let watched = try await Self.shared.value
        let source = ScriptedSource(frames: 960, keyframeInterval: 0)
        let publisher = try publish(source, as: "refresh", on: watched)
        defer { publisher.stop() }
        let description = try await watched.describe("refresh") {
            watched.adviceCodes($0).contains("no_keyframe")
        }
        #expect(watched.adviceCodes(description).contains("no_keyframe"), "\(description)")
        let isLogged = try await eventually {
            !watched.mirror.logged("encoder advice", "no_keyframe", "refresh").isEmpty
        }
        #expect(isLogged)
        try await watched.expectUnharmed()
    }

    // MARK: Names

    @Test func aHundredConnectionsASecondAreTakenOrRefused() async throws {
        let watched = try await Self.shared.value
        try await ExternalProcess.run(
            "bash",
            [
                "-c",
                """
                for i in $(seq 100); do
                    sleep 0.5 | timeout 2 srt-live-transmit -q -loglevel fatal file://con \
                        "srt://127.0.0.1:\(watched.mirror.srtPort)?streamid=storm-$i" &
                    sleep 0.008
                done 2>/dev/null
                wait
                """,
            ]
        )
        let connected = watched.mirror.logged("SRT publisher connected", "storm-")
        #expect(connected.count > 90, "\(connected.count) of 100 got in")
        let isOver = try await eventually {
            try await watched.mirror.metrics(by: watched.viewer)[
                "mirror_streams{state=\"waiting\"}"
            ]
                == 0
        }
        #expect(isOver)
        try await watched.expectUnharmed()
    }

    @Test func aNameWithAPathInItIsRefusedInWords() async throws {
        let watched = try await Self.shared.value
        for name in ["../../etc/passwd", "a/b", "#!::r=..%2fx,m=publish"] {
            let encoded = name.replacing("#", with: "%23").replacing("/", with: "%2f")
            let publisher = try Publisher.ffmpeg(
                MirrorProcess.fixture("h264.ts"),
                to: watched.mirror.publishURL(encoded)
            )
            let result = await publisher.process.wait(atMost: .seconds(20))
            #expect(result.status != 0, "\(name) was let in")
        }
        #expect(!watched.mirror.logged("SRT publisher refused", "bad_name", "cure").isEmpty)
        let metrics = try await watched.mirror.metrics(by: watched.viewer)
        #expect(metrics["mirror_publish_refusals_total{reason=\"bad_name\"}"] ?? 0 >= 3)
        for path in ["/live/..%2f..%2fetc/playlist.m3u8", "/live/steady/..%2f..%2fkey.pem"] {
            let answer = try await watched.viewer.ask(path)
            #expect(answer.status == 404, "\(path): \(answer.status)")
        }
        try await watched.expectUnharmed()
    }

    @Test func aSecondPublisherIsRefusedForAsLongAsTheFirstSends() async throws {
        let watched = try await Self.shared.value
        let second = try Publisher.ffmpeg(
            MirrorProcess.fixture("hevc.ts"),
            to: watched.mirror.publishURL("steady")
        )
        let result = await second.process.wait(atMost: .seconds(20))
        #expect(result.status != 0, "the second publisher was let in")
        #expect(!watched.mirror.logged("refused", "name_taken", "steady", "cure").isEmpty)
        try await watched.expectUnharmed()
    }

    @Test func aSecondPublisherTakesOverWhereTheRuleSaysSo() async throws {
        let watched = try await Self.shared.value
        let clip = MirrorProcess.fixture("h264.ts")
        let url = watched.mirror.publishURL("takeover-1")
        let first = try Publisher.ffmpeg(clip, to: url)
        let answer = try await watched.viewer.waitFor("/live/takeover-1/playlist.m3u8")
        #expect(answer.status == 200, "\(first.process.errors) \(watched.mirror.lastWords)")
        let before = try await watched.viewer.playlist("/live/takeover-1/video/playlist.m3u8")
        let second = try Publisher.ffmpeg(clip, to: url)
        defer { second.stop() }
        #expect(await first.process.wait(atMost: .seconds(20)).status != 0)
        let hasReturned = try await eventually {
            let playlist = try await watched.viewer.playlist("/live/takeover-1/video/playlist.m3u8")
            return playlist.segments.contains(where: \.isDiscontinuity)
                && playlist.openMediaSequence > before.openMediaSequence
        }
        #expect(hasReturned)
        #expect(second.process.isRunning)
        try await watched.expectUnharmed()
    }

    // MARK: ffmpeg's muxing

    /// ffmpeg puts 170 ms of sound into one PES packet, late, and a picture's bytes in one burst.
    @Test func ffmpegsDefaultMuxingOfFiftyMegabitsIsPlayedWhole() async throws {
        let watched = try await Self.shared.value
        let publisher = try Publisher.ffmpeg(
            MirrorProcess.fixture("hevc-50m.ts"),
            to: watched.mirror.publishURL("heavy", "&latency=1000000")
        )
        defer { publisher.stop() }
        let multivariant = try await watched.viewer.waitFor("/live/heavy/playlist.m3u8")
        #expect(multivariant.text.contains("hvc1"), "\(multivariant.text)")
        for rendition in ["video", "audio1"] {
            var follower = PlaylistFollower(
                viewer: watched.viewer,
                path: "/live/heavy/\(rendition)/playlist.m3u8"
            )
            try await follower.follow(for: .seconds(3))
            #expect(follower.violations.isEmpty, "\(rendition)")
        }
        let description = try #require(
            try await watched.mirror.stream("heavy", by: watched.viewer)
        )
        for count in [
            "ingest.transport_stream.continuity_errors", "packaging.silent_frames",
            "packaging.discontinuities",
        ] {
            #expect(description[path: count] == 0, "\(count): \(description)")
        }
        try await watched.expectUnharmed()
    }
}

import Foundation
import Synchronization
import TestSupport
import Testing

/// The metrics of a server at work.
@Suite struct MetricsTests {
    /// Counters that take tens of thousands of viewers, minutes of silence or a fault of Mirror's own
    /// to move.
    ///
    /// RareCounterTests, FrontDoorTests and HTTP3DoorTests (retries) move them, stage by stage;
    /// HTTP3PathTests moves those of networks that drop, mark and forbid,
    /// BadInputTests sees to forced cuts, SlowViewerTests to stalled viewers, StreamThumbnailTests and
    /// ThumbnailRoutesTests to keyframes that cannot be decoded, and
    /// TransportStreamMonitorTests to the errors of ETSI TR 101 290.
    private static let movedElsewhere: Set<String> = [
        "mirror_delivery_rejected_waiters_total", "mirror_delivery_timed_out_waiters_total",
        "mirror_http_silent_connections_total", "mirror_http_stalled_viewers_total",
        "mirror_packaging_forced_cuts_total", "mirror_queue_dropped_access_units_total",
        "mirror_quic_congestion_marks_total", "mirror_quic_narrowed_paths_total",
        "mirror_quic_reopened_sockets_total", "mirror_quic_retries_total",
        "mirror_store_evicted_segments_total", "mirror_store_rejected_parts_total",
        "mirror_ts_cat_errors_total", "mirror_ts_crc_errors_total", "mirror_ts_pat_errors_total",
        "mirror_ts_pcr_discontinuity_errors_total", "mirror_ts_pcr_repetition_errors_total",
        "mirror_ts_pid_errors_total", "mirror_ts_pmt_errors_total", "mirror_ts_pts_errors_total",
        "mirror_ts_sync_byte_errors_total", "mirror_ts_sync_losses_total",
        "mirror_thumbnail_failures_total", "mirror_transcoding_device_failures_total",
    ]
    private static let configuration = """
        server: { max_connections: 20 }
        packaging: { segment_target: 1s }
        ingestion: { rtp: { idle_timeout: 1s } }
        streams: [{ match: "secret", passphrase: "correct-horse" }]

        """

    @Test func everyCounterMovesAndPromtoolHasNothingToSay() async throws {
        let mirror = try await MirrorProcess(
            yaml: Self.configuration,
            environment: ["MIRROR_SERVER_HTTP_PORT": "\(FreePort.tcp)"]
        )
        let viewer = Viewer(mirror.address)
        let url = mirror.publishURL("live", "&latency=1000000")
        let first = try Publisher.ffmpeg(MirrorProcess.fixture("h264.ts"), to: url)
        _ = try await viewer.waitFor("/live/live/playlist.m3u8")
        _ = try await viewer.waitFor("/api/v1/streams/live/thumbnail.jpg")
        try await Self.meetRefusals(mirror, viewer)
        try await Self.meetStrangers(mirror, viewer)
        try await Self.meetSenders(mirror, viewer)
        first.kill()
        let line = try LossyLine.make(to: mirror.srtPort)
        let third = try Publisher.ffmpeg(
            MirrorProcess.fixture("h264.ts"),
            to: "srt://127.0.0.1:\(line.port)?streamid=secret&passphrase=correct-horse"
        )
        defer {
            third.stop()
            line.stop()
        }
        // The second comes when nobody has the name any more, with damage, and again and again from
        // the start of its clip: its timestamps jump.
        let clip = try PacedBytes.clip(MirrorProcess.fixture("h264.ts"), packets: 5_000)
        let damaged = DamagedClip.make(clip, mutations: 1_000, oneIn: 40, seed: 7)
        let isFree = try await eventually {
            try await mirror.stream("live", by: viewer)?["publisher"] == nil
        }
        #expect(isFree)
        let source = Mutex(PacedBytes(damaged, bitsPerSecond: 4_000_000))
        let second = try Publisher.bytes(to: mirror.publishURL("live")) {
            source.withLock { $0.next() }
        }
        defer { second.stop() }
        // The counters of the publisher's stream are there for as long as it is.
        var metrics = try await mirror.metrics(by: viewer)
        var unmoved = [String](metrics.kinds.keys)
        _ = try await eventually {
            let latest = try await mirror.metrics(by: viewer)
            let counters = latest.kinds.filter { $0.value == "counter" }.keys
            let still = counters.filter {
                latest.total($0) == 0 && !Self.movedElsewhere.contains($0)
            }
            if counters.count > 30, still.count <= unmoved.count {
                (metrics, unmoved) = (latest, still)
            }
            return unmoved.isEmpty
        }
        #expect(unmoved.isEmpty, "these do not move: \(unmoved.sorted())")
        for counter in Self.movedElsewhere {
            #expect(metrics.kinds[counter] == "counter", "\(counter) is not there")
        }
        for name in [
            "mirror_ready", "mirror_store_bytes", "mirror_srt_round_trip_seconds",
            "mirror_quic_round_trip_seconds_count",
        ] {
            #expect(metrics.total(name) > 0, "\(name)")
        }
        try await Self.expectValid(metrics, in: mirror.folder)
        try await viewer.shutDown()
    }

    /// Requests of every route and a few that fail.
    private static func meetRefusals(_ mirror: MirrorProcess, _ viewer: Viewer) async throws {
        let refused = try Publisher.ffmpeg(
            MirrorProcess.fixture("h264.ts"),
            to: mirror.publishURL("secret")
        )
        _ = await refused.process.wait(atMost: .seconds(20))
        let path = "/live/live/video/playlist.m3u8"
        let playlist = try await viewer.playlist(path)
        for uri in ["/live/live/video/\(playlist.allParts.last?.uri ?? "")", "/live/nothing"] {
            _ = try await viewer.ask(uri)
        }
        // A viewer that leaves while it waits, and one that speaks no TLS.
        let far = playlist.openMediaSequence + 1
        _ = try? await viewer.ask("\(path)?_HLS_msn=\(far)", atMost: .milliseconds(100))
        _ = try? await viewer.ask("http://127.0.0.1:\(mirror.httpsPort)/")
        let header = [("X-Long", String(repeating: "a", count: 20_000))]
        _ = try? await viewer.ask("\(mirror.plainAddress)/", headers: header)
        // More viewers than are let in.
        let crowd = (0..<20).map { _ in
            SlowReader(port: mirror.httpPort, path: "\(path)?_HLS_msn=\(far)")
        }
        let isFull = try await eventually {
            for reader in crowd { reader.read(atMost: 1) }
            return crowd.contains(where: \.isCut)
        }
        #expect(isFull)
    }

    /// Viewers over HTTP/3 who lose packets, leave, move, break rules, or are none.
    private static func meetStrangers(_ mirror: MirrorProcess, _ viewer: Viewer) async throws {
        let path = "/live/live/video/playlist.m3u8"
        try await viewer.waitForSegments(of: "live", count: 1)
        let playlist = try await viewer.playlist(path)
        let lossy = try HTTP3Client(port: mirror.http3Port, ["--lose", "20"])
        let segment = try #require(playlist.segments.last)
        #expect(try await lossy.ask("/live/live/video/\(segment.uri)").status == 200)
        let far = playlist.openMediaSequence + 1
        _ = try? await lossy.ask("\(path)?_HLS_msn=\(far)", atMost: .milliseconds(100))
        for scenario in [
            ["rebind", path], ["break-rules", "bad-qpack"], ["unknown-version"],
            ["unknown-connection"], ["garbage", "1", "300"],
        ] {
            var arguments = HTTP3Client.command("http3_client.py")
            arguments += ["\(mirror.http3Port)"] + scenario
            try await ExternalProcess.run("env", arguments)
        }
        // Not earlier: who leaves at once is gone before the request is seen to be given up.
        await lossy.shutDown()
    }

    /// Senders of RTP: one that comes on air and leaves, one of nonsense, and a crowd of strangers.
    ///
    /// What is counted for each sender, SessionDescriptionRoutesTests sees to.
    private static func meetSenders(_ mirror: MirrorProcess, _ viewer: Viewer) async throws {
        let sender = try ExternalProcess(
            "ffmpeg",
            ["-loglevel", "error", "-re", "-i", MirrorProcess.fixture("h264.ts")]
                + ["-c", "copy", "-f", "rtp_mpegts"]
                + ["rtp://127.0.0.1:\(mirror.rtpPort)?rtcpport=\(mirror.rtcpPort)"]
        )
        let isOnAir = try await eventually {
            try await mirror.metrics(by: viewer).total("mirror_rtp_sessions_total") > 0
        }
        #expect(isOnAir, "\(sender.errors)")
        sender.signal(SIGTERM)
        let socket = UDPSender(to: mirror.rtpPort)
        socket.send([1, 2, 3])
        for stranger in UInt16(0)..<3_000 {
            let ssrc = [0, 0, UInt8(stranger >> 8), UInt8(truncatingIfNeeded: stranger)]
            socket.send([0x80, 96, 0, 1, 0, 0, 0, 0] + ssrc + [UInt8](repeating: 0, count: 100))
        }
    }

    private static func expectValid(_ metrics: Metrics, in folder: URL) async throws {
        let file = folder.appending(path: "metrics.txt")
        try Data(metrics.text.utf8).write(to: file)
        let check = try ExternalProcess(
            "bash",
            ["-c", "promtool check metrics < '\(file.path)'"]
        )
        let result = await check.wait(atMost: .seconds(20))
        #expect(result.status == 0, "\(result.text)\(result.errors)")
        #expect((result.text + result.errors).isEmpty, "\(result.text)\(result.errors)")
    }
}

import Foundation
import Synchronization
import TestSupport
import Testing

/// A stream with two inputs, of which publishers die, return, and are chosen by hand.
@Suite(.serialized) struct RedundantInputsTests {
    private static let clip = MirrorProcess.fixture("h264.ts")
    private static let playlist = "/live/main/video/playlist.m3u8"
    private static let path = "/api/v1/streams/main/inputs"
    private static let yaml = """
        packaging: { segment_target: 1s }
        streams:
          - { match: main, inputs: { names: [main-a, main-b], return_after: 3s } }

        """

    private func state(
        _ mirror: MirrorProcess,
        _ viewer: Viewer
    ) async throws -> (states: [String], reason: String?, stream: JSONValue?) {
        let stream = try await mirror.stream("main", by: viewer)
        let members = [0, 1].compactMap { stream?["inputs"]?["members"]?[$0]?["state"]?.string }
        return (members, stream?[path: "inputs.last_switch.reason"]?.string, stream)
    }

    private func waitFor(
        _ states: [String],
        _ mirror: MirrorProcess,
        _ viewer: Viewer,
        _ location: SourceLocation = #_sourceLocation
    ) async throws {
        var latest: [String] = []
        let isSo = try await eventually {
            latest = try await state(mirror, viewer).states
            return latest == states
        }
        #expect(isSo, "\(latest): \(mirror.lastWords)", sourceLocation: location)
    }

    /// How much media is missing in front of each discontinuity, by the dates of the playlist.
    private func holes(in playlist: MediaPlaylist) throws -> [Double] {
        try zip(playlist.segments, playlist.segments.dropFirst())
            .filter { $1.isDiscontinuity }
            .map { before, after in
                try #require(after.date) - #require(before.date) - before.duration
            }
    }

    /// The promise of the mode: a second at most, and the same playlist goes on.
    @Test func aKilledPrimaryCostsLessThanASecondAndComesBack() async throws {
        let mirror = try await MirrorProcess(yaml: Self.yaml)
        let viewer = Viewer(mirror.address)
        let primary = try Publisher.ffmpeg(Self.clip, to: mirror.publishURL("main-a"))
        let backup = try Publisher.ffmpeg(Self.clip, to: mirror.publishURL("main-b"))
        defer { backup.stop() }
        try await viewer.waitForSegments(of: "main")
        // Whichever came first is on air; the primary is after its time.
        try await waitFor(["on_air", "standby"], mirror, viewer)
        let before = try await viewer.playlist(Self.playlist)

        primary.kill()
        let killed = ContinuousClock.now
        // It is not silent but missing from the moment on when its publisher is given up.
        try await waitFor(["silent", "on_air"], mirror, viewer)
        #expect(try await state(mirror, viewer).reason == "silence")
        let known = before.segments.filter(\.isDiscontinuity).count
        let isThere = try await eventually {
            try await viewer.playlist(Self.playlist).segments.filter(\.isDiscontinuity).count
                > known
        }
        #expect(isThere)
        let after = try await viewer.playlist(Self.playlist)
        let hole = try #require(try holes(in: after).last)
        #expect(hole <= 1, "\(after.text)")
        #expect(killed.duration(to: .now) < .seconds(5))
        #expect(after.mediaSequence >= before.mediaSequence)
        for segment in before.segments {
            let same = after.segments.first { $0.mediaSequence == segment.mediaSequence }
            #expect(same == nil || same?.uri == segment.uri, "\(after.text)")
        }
        // The inputs have one format: the header is the same file.
        #expect(Set(after.segments.compactMap(\.map)).count == 1, "\(after.text)")
        #expect(mirror.logged("input switched", "silence").count == 1)
        #expect(mirror.logged("publisher left", "main-b").isEmpty)

        // It is let in although its predecessor has said no goodbye.
        let again = try Publisher.ffmpeg(Self.clip, to: mirror.publishURL("main-a"))
        defer { again.stop() }
        try await waitFor(["on_air", "standby"], mirror, viewer)
        #expect(again.process.isRunning, "\(again.process.errors)")
        #expect(try await state(mirror, viewer).reason == "returned")
        let metrics = try await mirror.metrics(by: viewer)
        let switches = "mirror_stream_input_switches_total{stream=\"main\",reason=\"returned\"}"
        #expect(metrics[switches] ?? 0 >= 1, "\(metrics.text)")
    }

    @Test func anOperatorSwitchesByHandAndLetsGo() async throws {
        let mirror = try await MirrorProcess(yaml: Self.yaml)
        let viewer = Viewer(mirror.address)
        let primary = try Publisher.ffmpeg(Self.clip, to: mirror.publishURL("main-a"))
        defer { primary.stop() }
        try await viewer.waitForSegments(of: "main", count: 1)
        let refused = try await viewer.ask("\(Self.path)/main-b/selected", method: "PUT")
        #expect(
            refused.status == 409 && refused.text.contains("streamid=main-b"),
            "\(refused.text)"
        )

        let backup = try Publisher.ffmpeg(Self.clip, to: mirror.publishURL("main-b"))
        defer { backup.stop() }
        try await waitFor(["on_air", "standby"], mirror, viewer)
        let selected = try await viewer.ask("\(Self.path)/main-b/selected", method: "PUT")
        #expect(selected.status == 200 && selected.text.contains("\"selected\" : \"main-b\""))
        try await waitFor(["standby", "on_air"], mirror, viewer)
        // Longer than the primary would have to be steady.
        try await Task.sleep(for: .seconds(5))
        try await waitFor(["standby", "on_air"], mirror, viewer)
        let released = try await viewer.ask("\(Self.path)/main-b/selected", method: "DELETE")
        #expect(released.status == 200)
        try await waitFor(["on_air", "standby"], mirror, viewer)
    }

    @Test func rtpStandsInForSRT() async throws {
        let mirror = try await MirrorProcess(
            yaml: Self.yaml + """
                ingestion: { rtp: { sessions: [{ stream: main-b, source: 127.0.0.1 }] } }
                """
        )
        let viewer = Viewer(mirror.address)
        let primary = try Publisher.ffmpeg(Self.clip, to: mirror.publishURL("main-a"))
        try await viewer.waitForSegments(of: "main", count: 1)
        let backup = try ExternalProcess(
            "gst-launch-1.0",
            [
                "-q", "filesrc", "location=\(MirrorProcess.fixture("bigbuckbunny.mp4"))", "!",
                "qtdemux", "!", "h264parse", "config-interval=-1", "!", "rtph264pay", "!",
                "udpsink", "host=127.0.0.1", "port=\(mirror.rtpPort)",
            ]
        )
        defer { backup.signal(SIGTERM) }
        try await waitFor(["on_air", "standby"], mirror, viewer)
        primary.kill()
        try await waitFor(["silent", "on_air"], mirror, viewer)
        let stream = try await state(mirror, viewer).stream
        #expect(stream?[path: "publisher.transport"] == "rtp")
        let isThere = try await eventually {
            try await viewer.playlist(Self.playlist).segments.contains(where: \.isDiscontinuity)
        }
        #expect(isThere)
        // Another format: another header.
        let playlist = try await viewer.playlist(Self.playlist)
        #expect(Set(playlist.segments.compactMap(\.map)).count == 2, "\(playlist.text)")
        #expect(try #require(try holes(in: playlist).last) <= 1, "\(playlist.text)")
    }

    /// The same RTP packets on two ways, of which each loses a fifth, and never the same.
    @Test func twoWaysThatLoseApartAreOneStreamWithoutALoss() async throws {
        let ports = [FreePort.udp, FreePort.udp]
        let mirror = try await MirrorProcess(
            yaml: """
                packaging: { segment_target: 1s }
                streams:
                  - { match: main, inputs: { names: [main-a, main-b], mode: hitless } }
                ingestion:
                  rtp:
                    sessions: [{ stream: main-a, port: \(ports[0]) }, { stream: main-b, port: \(ports[1]) }]

                """
        )
        let viewer = Viewer(mirror.address)
        let isCut = Mutex(false)
        let lines = try (0...1).map { leg in
            try DatagramLine(to: ports[leg], delay: .milliseconds(leg * 40)) { _, bytes in
                let number = Int(bytes[2]) << 8 | Int(bytes[3])
                let isLost = isCut.withLock { $0 } && number % 100 / 20 == leg * 2
                return isLost ? nil : bytes
            }
        }
        defer { for line in lines { line.stop() } }
        let sender = try ExternalProcess(
            "gst-launch-1.0",
            """
            -q videotestsrc is-live=true pattern=snow
            ! video/x-raw,width=320,height=180,framerate=30/1
            ! x264enc tune=zerolatency speed-preset=ultrafast key-int-max=30 bitrate=3000
            ! rtph264pay config-interval=-1 ! tee name=t
            """.split(whereSeparator: \.isWhitespace).map(String.init)
                + lines.flatMap {
                    ["t.", "!", "queue", "!", "udpsink", "host=127.0.0.1", "port=\($0.port)"]
                }
        )
        defer { sender.signal(SIGTERM) }
        try await waitFor(["leading", "following"], mirror, viewer)
        isCut.withLock { $0 = true }
        let members = "inputs.members"
        let hasLost = try await eventually {
            let legs = try await state(mirror, viewer).stream?[path: members]
            return [0, 1].allSatisfy { legs?[$0]?["leg"]?["missing_packets"]?.number ?? 0 > 200 }
        }
        #expect(hasLost && lines.allSatisfy { $0.lost > 200 })
        let stream = try #require(try await state(mirror, viewer).stream)
        let rtp = stream[path: "publisher.rtp.streams"]?[0]
        #expect(rtp?["damaged_units"] == 0 && rtp?["late_packets"] == 0, "\(stream)")
        let leg = stream[path: members]?[1]?["leg"]
        #expect(leg?["used_packets"]?.number ?? 0 > 150, "\(stream)")
        #expect(leg?["greatest_skew_milliseconds"]?.number ?? 0 >= 40, "\(stream)")
        let playlist = try await viewer.playlist(Self.playlist)
        let isBroken = playlist.segments.contains(where: \.isDiscontinuity)
        #expect(!isBroken, "\(playlist.text)")
    }
}

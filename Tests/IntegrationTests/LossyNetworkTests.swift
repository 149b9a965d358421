import TestSupport
import Testing

/// A live stream over lines that lose datagrams, on the way in and on the way out.
@Suite struct LossyNetworkTests {
    private static let path = "/live/live/video/playlist.m3u8"

    /// A latency of many round trips lets a packet be sent again often enough, though requests for it
    /// are lost too; six are enough on a machine that has nothing else to do.
    @Test func nothingIsMissingBehindALineToHereThatLosesATenth() async throws {
        let mirror = try await MirrorProcess()
        let viewer = Viewer(mirror.address)
        let line = try DatagramLine(
            to: mirror.srtPort,
            roundTrip: .milliseconds(30),
            lossPercent: 10
        )
        defer { line.stop() }
        let publisher = try Publisher.ffmpeg(
            MirrorProcess.fixture("h264.mkv"),
            to: "srt://127.0.0.1:\(line.port)?streamid=live&latency=400000&pkt_size=1316"
        )
        defer { publisher.stop() }
        var stream: JSONValue?
        let hasCome = try await eventually(within: .seconds(60)) {
            stream = try await mirror.stream("live", by: viewer)
            return stream?[path: "publisher.srt.received_packets"]?.number ?? 0 > 5_000
        }
        #expect(hasCome)
        let srt = try #require(stream?[path: "publisher.srt"])
        #expect(srt["latency_milliseconds"]?.number == 400)
        #expect(srt["lost_packets"]?.number ?? 0 > 400)
        #expect(srt["dropped_packets"]?.number == 0)
        let transport = try #require(stream?[path: "ingest.transport_stream"])
        #expect(transport["continuity_errors"]?.number == 0)
        #expect(transport["damaged_pes_packets"]?.number == 0)
        #expect(stream?[path: "packaging.discontinuities"]?.number == 0)
        #expect(stream?[path: "packaging.frame_gaps"]?.number == 0)
        try await viewer.shutDown()
    }

    /// Both viewers watch the same parts at the same time: what delays the publisher or the machine,
    /// delays both.
    @Test func aPlayerBehindALossyLineGetsEveryPartBeforeItNeedsIt() async throws {
        let mirror = try await MirrorProcess()
        let publisher = try await LiveSource.h264.publish(to: mirror, as: "live")
        defer { publisher.stop() }
        let lossy = try DatagramLine(
            to: mirror.http3Port,
            roundTrip: .milliseconds(30),
            lossPercent: 1
        )
        let clean = try DatagramLine(
            to: mirror.http3Port,
            roundTrip: .milliseconds(30),
            lossPercent: 0
        )
        defer {
            lossy.stop()
            clean.stop()
        }
        async let one = Self.watch(mirror, through: lossy)
        async let other = Self.watch(mirror, through: clean)
        let (suffering, happy) = try await (one, other)

        #expect(lossy.lost > 20)
        #expect(clean.lost == 0)
        #expect(suffering.parts.count > 45)
        #expect(suffering.parts.allSatisfy { $0.status == 200 })
        let bytes = Dictionary(happy.parts.map { ($0.uri, $0.bytes) }) { first, _ in first }
        let common = suffering.parts.filter { bytes[$0.uri] != nil }
        #expect(common.count > 40)
        #expect(common.allSatisfy { bytes[$0.uri] == $0.bytes })

        let delays = suffering.delays(against: happy).sorted()
        #expect(delays[delays.count / 2] < happy.partTarget, "\(delays)")
        // A machine that is busy with something else may hold up one of the two for a moment.
        let late = delays.filter { $0 > happy.holdBack }
        #expect(late.count <= 2, "\(late)")
    }

    private static func watch(
        _ mirror: MirrorProcess,
        through line: DatagramLine
    ) async throws -> LiveEdgeViewer {
        let viewer = try Viewer(of: mirror, with: HTTP3Client(port: line.port))
        var player = LiveEdgeViewer(viewer, path: path)
        try await player.watch(seconds: 16)
        try await viewer.shutDown()
        return player
    }
}

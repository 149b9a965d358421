import TestSupport
import Testing

/// A live stream over HTTP/3, and a line of 30 ms that loses a datagram in a hundred.
@Suite struct LossyNetworkTests {
    private static let path = "/live/live/video/playlist.m3u8"

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

import ArgumentParser
import TestSupport

/// A live stream over HTTP/3, watched at its edge through a line that delays and loses, and at the same
/// time through one that only delays.
struct LossyNetwork: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "lossy",
        abstract: "A live stream over HTTP/3 through a line that loses datagrams."
    )

    @Option(help: "Seconds of media to watch.") var seconds = 60.0
    @Option(help: "Of 100 datagrams, each way.") var loss = 1.0
    @Option(help: "Round trip in milliseconds.") var roundTrip = 30
    @Option(help: "Congestion control: reno, cubic, bbr, bbr2.") var congestionControl = "bbr"

    func run() async throws {
        let mirror = try await MirrorProcess(
            environment: ["MIRROR_SERVER_HTTP3_CONGESTION_CONTROL": congestionControl]
        )
        let publisher = try await LiveSource.h264.publish(to: mirror, as: "live")
        defer { publisher.stop() }
        let lossy = try line(to: mirror, lossPercent: loss)
        let clean = try line(to: mirror, lossPercent: 0)
        defer {
            lossy.stop()
            clean.stop()
        }
        async let one = watch(mirror, through: lossy)
        async let other = watch(mirror, through: clean)
        let (suffering, happy) = try await (one, other)
        guard suffering.parts.allSatisfy({ $0.status == 200 }), lossy.lost > 0 else {
            throw ValidationError("not every part came, or nothing was lost")
        }
        report(suffering, against: happy, lost: lossy.lost)
    }

    private func line(to mirror: MirrorProcess, lossPercent: Double) throws -> DatagramLine {
        try DatagramLine(
            to: mirror.http3Port,
            roundTrip: .milliseconds(roundTrip),
            lossPercent: lossPercent
        )
    }

    private func watch(
        _ mirror: MirrorProcess,
        through line: DatagramLine
    ) async throws -> LiveEdgeViewer {
        let viewer = try Viewer(of: mirror, with: HTTP3Client(port: line.port))
        var player = LiveEdgeViewer(viewer, path: "/live/live/video/playlist.m3u8")
        try await player.watch(seconds: seconds)
        try await viewer.shutDown()
        return player
    }

    private func report(_ one: LiveEdgeViewer, against other: LiveEdgeViewer, lost: Int) {
        let milliseconds = { (seconds: Double) in "\(Int((seconds * 1_000).rounded())) ms" }
        let line = "\(loss) % lost each way and a round trip of \(roundTrip) ms"
        Figure(
            name: "a live stream over HTTP/3, \(line): stalls of a player at PART-HOLD-BACK",
            value:
                "\(one.reserves.count { $0 < 0 }) in \(one.parts.count) parts, \(lost) datagrams lost; "
                + "least reserve \(milliseconds(one.reserves.min() ?? 0)), "
                + "without loss \(milliseconds(other.reserves.min() ?? 0))",
            target: "0"
        ).report()
        let delays = one.delays(against: other).sorted()
        guard let worst = delays.last else { return }
        Figure(
            name: "the same: a part later than without loss",
            value: "median \(milliseconds(delays[delays.count / 2])), "
                + "p95 \(milliseconds(delays[delays.count * 95 / 100])), worst \(milliseconds(worst))",
            target: "≤ a part: \(milliseconds(one.partTarget))"
        ).report()
    }
}

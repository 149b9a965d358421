import ArgumentParser
import Foundation
import TestSupport

/// What it costs to receive, demultiplex and package contributions, against a bare libsrt receiver.
///
/// Both receive the same contributions at the same time, each from senders of its own, and both are
/// measured over the same seconds once Mirror's window is full.
struct IngestCost: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ingest",
        abstract: "CPU of ingest and packaging, as a ratio to srt-live-transmit, and memory."
    )

    private struct Totals {
        /// What the senders sent and did not arrive: dropped SRT packets, broken continuity.
        var lost = 0
        var receivedBytes = 0
    }

    @Option(help: "Contributions of 50 Mbit/s at once.") var streams = 1
    /// The window of 20 s is full after 26; then memory is used again, and after 45 s hardly any page of
    /// it is new: before, faults that a stream pays for once are a twentieth of its cost.
    @Option(help: "Seconds before measuring.") var settle = 60
    @Option(help: "Seconds to measure.") var seconds = 30

    private static let clip = MirrorProcess.fixture("hevc-50m.ts")

    func run() async throws {
        let server = try await MirrorProcess()
        let ports = (0..<streams).map { _ in FreePort.udp }
        let bare = try await Self.startBareReceivers(on: ports)
        let idle = try ProcessUsage(of: server.process.identifier).residentBytes
        let senders = try ports.flatMap { port in
            [
                try Self.publish(to: server.publishURL("s\(port)")),
                try Self.publish(to: "srt://127.0.0.1:\(port)"),
            ]
        }
        defer { for process in senders + bare { process.signal(SIGKILL) } }
        try await Task.sleep(for: .seconds(settle))

        let processes = [server.process] + bare
        let start = try processes.map { try ProcessUsage(of: $0.identifier) }
        try await Task.sleep(for: .seconds(seconds))
        let end = try processes.map { try ProcessUsage(of: $0.identifier) }
        let totals = try await totals(of: server)

        let cost = zip(start, end).map { ($1.cpu - $0.cpu) / .seconds(1) }
        let bareCost = cost.dropFirst().reduce(0, +)
        let gigabits = try Self.bitsPerSecond() * Double(seconds * streams) / 1e9
        let arrived = Double(totals.receivedBytes * 8) / 1e6 / Double((settle + seconds) * streams)
        Figure(
            name: "ingest + package, \(streams) × 50 Mbit/s HEVC, against a bare receiver",
            value: String(
                format: "ratio %.2f (%.2f against %.2f CPU-s per Gbit; %.1f Mbit/s each, %d lost)",
                cost[0] / bareCost,
                cost[0] / gigabits,
                bareCost / gigabits,
                arrived,
                totals.lost
            ),
            target: "≤ 1.15, 0 lost"
        ).report()
        Figure(
            name: "memory a stream of 50 Mbit/s, window of 20 s, after \(settle + seconds) s",
            value: "\((end[0].residentBytes - idle) / 1_000_000 / streams) MB",
            target: "≤ 200 MB"
        ).report()
    }

    static func startBareReceivers(on ports: [Int]) async throws -> [ExternalProcess] {
        let receivers = try ports.map { port in
            try ExternalProcess(
                "sh",
                [
                    "-c",
                    """
                    exec srt-live-transmit -q -loglevel fatal \
                        'srt://127.0.0.1:\(port)?mode=listener' file://con >/dev/null
                    """,
                ]
            )
        }
        try await Task.sleep(for: .milliseconds(500))
        return receivers
    }

    private func totals(of server: MirrorProcess) async throws -> Totals {
        let viewer = Viewer(server.address)
        let answer = try await viewer.ask("/api/v1/streams")
        try await viewer.shutDown()
        let json = try JSONSerialization.jsonObject(with: answer.data) as? [String: Any]
        var totals = Totals()
        for stream in json?["streams"] as? [[String: Any]] ?? [] {
            let ingest = stream["ingest"] as? [String: Any]
            totals.receivedBytes += ingest?["received_bytes"] as? Int ?? 0
            let container = ingest?["transport_stream"] as? [String: Any]
            totals.lost += container?["continuity_errors"] as? Int ?? 0
            let srt = (stream["publisher"] as? [String: Any])?["srt"] as? [String: Any]
            totals.lost += srt?["dropped_packets"] as? Int ?? 0
        }
        return totals
    }

    /// The clip lasts 12 s.
    static func bitsPerSecond() throws -> Double {
        let size = try FileManager.default.attributesOfItem(atPath: clip)[.size] as? Int ?? 0
        return Double(size * 8) / 12
    }

    static func publish(to url: String) throws -> ExternalProcess {
        try ExternalProcess(
            "ffmpeg",
            [
                "-hide_banner", "-loglevel", "error", "-re", "-stream_loop", "-1", "-i", clip,
                "-map", "0", "-c", "copy", "-f", "mpegts", url,
            ]
        )
    }
}

import ArgumentParser
import Foundation
import TestSupport

/// What it costs to receive, demultiplex and package contributions, against a bare libsrt receiver of
/// the same contributions, in turns.
struct IngestCost: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ingest",
        abstract: "CPU of ingest and packaging, as a ratio to srt-live-transmit, and memory."
    )

    @Option(help: "Contributions of 50 Mbit/s at once.") var streams = 1
    @Option(help: "Seconds of each turn.") var seconds = 20
    @Option(help: "Turns of each receiver.") var rounds = 3

    private static let clip = MirrorProcess.fixture("hevc-50m.ts")

    func run() async throws {
        var mirror: [Double] = []
        var bare: [Double] = []
        for _ in 0..<rounds {
            mirror.append(try await costOfMirror())
            bare.append(try await costOfBareReceiver())
        }
        let ratios = zip(mirror, bare).map { $0 / $1 }.sorted()
        Figure(
            name: "ingest + package, \(streams) × 50 Mbit/s HEVC",
            value: String(
                format: "%.2f CPU-s per Gbit; bare receiver %.2f; ratio %.2f (%.2f to %.2f)",
                mirror.sorted()[rounds / 2],
                bare.sorted()[rounds / 2],
                ratios[rounds / 2],
                ratios[0],
                ratios[rounds - 1]
            ),
            target: "≤ 1.15"
        ).report()
    }

    private func costOfMirror() async throws -> Double {
        let server = try await MirrorProcess()
        let idle = try ProcessUsage(of: server.process.identifier)
        let publishers = try (0..<streams).map { try publish(to: server.publishURL("s\($0)")) }
        try await Task.sleep(for: .seconds(3))
        let start = try ProcessUsage(of: server.process.identifier)
        let before = try await received(server)
        try await Task.sleep(for: .seconds(seconds))
        let end = try ProcessUsage(of: server.process.identifier)
        let after = try await received(server)
        for publisher in publishers { publisher.signal(SIGTERM) }
        let megabytes = (end.residentBytes - idle.residentBytes) / 1_000_000 / streams
        print("  memory a stream after \(seconds + 3) s: \(megabytes) MB; lost: \(after.lost)")
        return (end.cpu - start.cpu) / .seconds(1) / (after.bits - before.bits) * 1e9
    }

    /// Bits received by all streams, and what did not come: dropped SRT packets, broken continuity.
    private func received(_ server: MirrorProcess) async throws -> (bits: Double, lost: Int) {
        let viewer = Viewer(server.address)
        let answer = try await viewer.ask("/api/v1/streams")
        try await viewer.shutDown()
        let json =
            try JSONSerialization.jsonObject(with: answer.data)
            as? [String: Any]
        var bits = 0.0
        var lost = 0
        for stream in json?["streams"] as? [[String: Any]] ?? [] {
            let ingest = stream["ingest"] as? [String: Any]
            bits += 8 * (ingest?["received_bytes"] as? Double ?? 0)
            let container = ingest?["transport_stream"] as? [String: Any]
            lost += container?["continuity_errors"] as? Int ?? 0
            let srt = (stream["publisher"] as? [String: Any])?["srt"] as? [String: Any]
            lost += srt?["dropped_packets"] as? Int ?? 0
        }
        return (bits, lost)
    }

    private func costOfBareReceiver() async throws -> Double {
        var receivers: [ExternalProcess] = []
        var publishers: [ExternalProcess] = []
        for index in 0..<streams {
            let port = 31_000 + index
            receivers.append(
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
            )
            try await Task.sleep(for: .milliseconds(200))
            publishers.append(try publish(to: "srt://127.0.0.1:\(port)"))
        }
        try await Task.sleep(for: .seconds(3))
        let start = try receivers.map { try ProcessUsage(of: $0.identifier).cpu }
        try await Task.sleep(for: .seconds(seconds))
        let end = try receivers.map { try ProcessUsage(of: $0.identifier).cpu }
        for process in publishers + receivers { process.signal(SIGTERM) }
        let cpu = zip(start, end).map { ($1 - $0) / .seconds(1) }.reduce(0, +)
        let size = try FileManager.default.attributesOfItem(atPath: Self.clip)[.size] as? Int ?? 0
        let bits = Double(size * 8) / 12 * Double(seconds * streams)
        return cpu / bits * 1e9
    }

    private func publish(to url: String) throws -> ExternalProcess {
        try ExternalProcess(
            "ffmpeg",
            [
                "-hide_banner", "-loglevel", "error", "-re", "-stream_loop", "-1", "-i", Self.clip,
                "-map", "0", "-c", "copy", "-f", "mpegts", url,
            ]
        )
    }
}

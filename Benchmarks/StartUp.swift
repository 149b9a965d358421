import ArgumentParser
import Foundation
import TestSupport

/// From the start of the process to listening, and from a publisher's connection to the first part
/// that a player can play.
struct StartUp: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "startup",
        abstract: "Cold start, and time to the first playable part."
    )

    @Option(help: "Runs; the median is printed.") var rounds = 5

    func run() async throws {
        var starts: [Double] = []
        var firstParts: [Double] = []
        for _ in 0..<rounds {
            let mirror = try await MirrorProcess(yaml: "packaging: { part_target: 200ms }\n")
            starts.append(mirror.startDuration / .milliseconds(1))
            let publisher = try ExternalProcess(
                "ffmpeg",
                [
                    "-hide_banner", "-loglevel", "error", "-re",
                    "-f", "lavfi", "-i", "testsrc2=size=1280x720:rate=30",
                    "-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000",
                    "-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-g", "30",
                    "-c:a", "aac", "-f", "mpegts", "-pes_payload_size", "0",
                    mirror.publishURL("live", "&latency=120000"),
                ]
            )
            let viewer = Viewer(mirror.address)
            _ = try await viewer.waitFor("/live/live/playlist.m3u8")
            let answer = try await viewer.ask("/api/v1/streams/live")
            try await viewer.shutDown()
            publisher.signal(SIGTERM)
            let stream =
                try JSONSerialization.jsonObject(with: answer.data)
                as? [String: Any]
            let delivery = stream?["delivery"] as? [String: Any]
            if let time = delivery?["first_part_after_milliseconds"] as? Double {
                firstParts.append(time)
            }
        }
        Figure(
            name: "cold start to listening, median of \(rounds)",
            value: String(format: "%.0f ms", starts.sorted()[rounds / 2]),
            target: "< 200 ms"
        ).report()
        Figure(
            name: "connection to first playable part, 200 ms parts, SRT latency 120 ms",
            value: String(format: "%.0f ms", firstParts.sorted()[firstParts.count / 2]),
            target: "≤ 450 ms"
        ).report()
    }
}

import ArgumentParser
import Foundation
import TestSupport

/// Whether the memory that abuse over HTTP/3 takes comes back when it ends.
///
/// Mirror is another process, with a live stream on it whose window is full; `Tests/Programs/http3_abuse.py`
/// is the strangers. A short first load warms caches: what it leaves is what must come back.
struct HTTP3Soak: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "http3-soak",
        abstract: "Memory before, under and after abuse over HTTP/3."
    )

    @Option(help: "Minutes of abuse.") var minutes = 30

    /// The longest that anything of a viewer who vanished is kept (60 s), and the trimmer's pause.
    private static let rest = Duration.seconds(100)

    func run() async throws {
        let mirror = try await MirrorProcess()
        let publisher = try await LiveSource.h264.publish(to: mirror, as: "live")
        defer { publisher.stop() }
        try await Task.sleep(for: .seconds(25))
        try await abuse(mirror, seconds: 30, seed: 1)
        try await Task.sleep(for: Self.rest)
        let before = mirror.residentBytes
        say("before: \(megabytes(before))")
        var most = before
        for minute in 1...max(minutes, 1) {
            try await abuse(mirror, seconds: 60, seed: minute + 1)
            most = max(most, mirror.residentBytes)
            say("minute \(minute): \(megabytes(mirror.residentBytes))")
        }
        try await Task.sleep(for: Self.rest)
        let after = mirror.residentBytes
        for line in try await remains(of: mirror) { say(line) }
        Figure(
            name: "memory after \(minutes) minutes of abuse over HTTP/3, against before",
            value: String(format: "%.2f", Double(after) / Double(max(before, 1)))
                + " (\(megabytes(before)), at most \(megabytes(most)), \(megabytes(after)))",
            target: "≤ 1.15"
        ).report()
    }

    private func abuse(_ mirror: MirrorProcess, seconds: Int, seed: Int) async throws {
        let output = try await ExternalProcess.run(
            "env",
            HTTP3Client.command("http3_abuse.py") + [
                "\(mirror.http3Port)", "live", "\(seconds)", "\(seed)",
            ]
        )
        say(output.text.trimmingCharacters(in: .newlines))
    }

    /// What is to be zero, and how much was done.
    private func remains(of mirror: MirrorProcess) async throws -> [String] {
        let viewer = Viewer("http://127.0.0.1:\(mirror.metricsPort)")
        let page = Metrics(String(decoding: try await viewer.ask("/metrics").data, as: UTF8.self))
        try await viewer.shutDown()
        let zero = page.samples.filter { sample in
            sample.key.hasPrefix("mirror_http_open_connections{protocol=\"h3\"")
                || sample.key.hasPrefix("mirror_http_requests_in_progress")
                || sample.key.hasPrefix("mirror_delivery_waiters")
        }
        let done = page.samples.filter { sample in
            sample.key.hasPrefix("mirror_quic_") && sample.key.hasSuffix("_total")
        }
        return [zero, done].flatMap { samples in
            samples.sorted { $0.key < $1.key }.map { "\($0.key) \(Int($0.value))" }
        }
    }

    /// Told at once, beside the figure.
    private func say(_ line: String) { FileHandle.standardError.write(Data("\(line)\n".utf8)) }

    private func megabytes(_ bytes: Int) -> String { "\(bytes / 1_000_000) MB" }
}

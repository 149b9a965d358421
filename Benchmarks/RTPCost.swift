import ArgumentParser
import Foundation
import Ingestion
import Logging
import Media
import Synchronization
import TestSupport

/// What it costs to receive RTP and take its packets apart, against a bare libsrt receiver.
///
/// The senders are another process. Nobody takes what comes out: packaging is measured by `packaging`.
struct RTPCost: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rtp",
        abstract: "CPU of receiving RTP, as a ratio to srt-live-transmit, and what is lost."
    )

    @Option(help: "Sessions of 50 Mbit/s at once.") var sessions = 25
    @Option(help: "Contributions of 50 Mbit/s over SRT at once.") var contributions = 4
    @Option(help: "Seconds before measuring.") var settle = 5
    @Option(help: "Seconds to measure.") var seconds = 20

    func run() async throws {
        let rtp = try await measureRTP()
        let srt = try await measureSRT()
        Figure(
            name:
                "receive + depacketize, \(sessions) × 50 Mbit/s HEVC, against a bare SRT receiver",
            value: String(
                format: "ratio %.2f (%.2f against %.2f CPU-s per Gbit; %.1f Mbit/s each, %d lost)",
                rtp.cost / srt,
                rtp.cost,
                srt,
                rtp.megabits / Double(sessions),
                rtp.lost
            ),
            target: "≤ 0.8, 0 lost"
        ).report()
    }

    private func measureRTP() async throws -> (cost: Double, megabits: Double, lost: UInt64) {
        let admission = OpenAdmission()
        var configuration = RTPListener.Configuration()
        configuration.bindAddress = "127.0.0.1"
        configuration.port = 0
        let listener = RTPListener(
            configuration: configuration,
            admission: admission,
            logger: Logger(label: "rtp") { _ in SwiftLogNoOpLogHandler() }
        )
        guard let port = try await listener.start().first(where: { $0.service == "rtp" })?.port
        else { throw ValidationError("no port") }
        let serving = Task { try await listener.run() }
        let load = try ExternalProcess(
            CommandLine.arguments[0],
            [
                "rtp-load", "--port", "\(port)", "--sessions", "\(sessions)",
                "--seconds", "\(settle + seconds + 60)",
            ]
        )
        while listener.statistics.sessions < sessions {
            try await Task.sleep(for: .milliseconds(100))
        }
        try await Task.sleep(for: .seconds(settle))
        let start = (
            usage: ProcessUsage.own, bytes: admission.receivedBytes, at: ContinuousClock.now
        )
        try await Task.sleep(for: .seconds(seconds))
        let bits = Double((admission.receivedBytes - start.bytes) * 8)
        let cpu = (ProcessUsage.own.cpu - start.usage.cpu) / .seconds(1)
        let elapsed = start.at.duration(to: .now) / .seconds(1)
        let lost = admission.lost
        load.signal(SIGKILL)
        serving.cancel()
        try? await serving.value
        return (cpu / (bits / 1e9), bits / 1e6 / elapsed, lost)
    }

    private func measureSRT() async throws -> Double {
        let ports = (0..<contributions).map { _ in FreePort.udp }
        let receivers = try await IngestCost.startBareReceivers(on: ports)
        let senders = try ports.map { try IngestCost.publish(to: "srt://127.0.0.1:\($0)") }
        defer { for process in senders + receivers { process.signal(SIGKILL) } }
        try await Task.sleep(for: .seconds(settle))
        let start = try receivers.map { try ProcessUsage(of: $0.identifier).cpu }
        try await Task.sleep(for: .seconds(seconds))
        let end = try receivers.map { try ProcessUsage(of: $0.identifier).cpu }
        let cost = zip(start, end).map { ($1 - $0) / .seconds(1) }.reduce(0, +)
        let bits = try IngestCost.bitsPerSecond() * Double(seconds * contributions)
        return cost / (bits / 1e9)
    }
}

/// Lets everybody in, and knows what came of them.
private final class OpenAdmission: StreamAdmission {
    private let publications = Mutex<[Publication]>([])

    var receivedBytes: UInt64 {
        publications.withLock { $0.reduce(0) { $0 + $1.statistics.receivedBytes } }
    }

    /// Packets that did not come, and pictures that were damaged.
    var lost: UInt64 {
        publications.withLock { publications in
            publications.flatMap { $0.statistics.rtp?.streams ?? [] }.reduce(0) { sum, stream in
                sum + stream.reordering.lost + stream.units.damagedUnits
            }
        }
    }

    func admit(_ request: PublishRequest) throws(PublishRefusal) -> PublishTerms {
        PublishTerms(passphrase: nil)
    }

    func publish(
        _ request: PublishRequest,
        disconnect: @escaping @Sendable () -> Void
    ) throws(PublishRefusal) -> Publication {
        publications.withLock { publications in
            let publication = Publication(
                id: UInt64(publications.count),
                request: request,
                startedAt: .now,
                deliver: { [stream = LiveStream(name: request.name)] in stream.send($0) },
                disconnect: disconnect,
                onEnd: { _, _ in }
            )
            publications.append(publication)
            return publication
        }
    }
}

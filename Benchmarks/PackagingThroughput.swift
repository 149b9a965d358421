import ArgumentParser
import Foundation
import Ingestion
import Media
import Packaging
import TestSupport

/// How much transport stream one core demultiplexes and packages, with no socket at either end.
struct PackagingThroughput: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "packaging",
        abstract: "Demultiplexing and packaging from memory, in bytes per CPU-second."
    )

    @Option(help: "Bytes to process.") var bytes = 4_000_000_000

    func run() async throws {
        for clip in ["hevc-50m.ts", "h264.ts"] {
            let stream = try Data(contentsOf: URL(filePath: MirrorProcess.fixture(clip)))
            let rounds = max(1, bytes / stream.count)
            let start = ProcessUsage.own
            var parts = 0
            for _ in 0..<rounds { parts += Self.package(stream) }
            let seconds = (ProcessUsage.own.cpu - start.cpu) / .seconds(1)
            let rate = Double(rounds * stream.count) / seconds / 1e9
            Figure(
                name: "demux + package, \(clip), \(parts / rounds) parts a round",
                value: String(format: "%.2f GB per CPU-second", rate),
                target: "≥ 2"
            ).report()
        }
    }

    /// In bites as SRT delivers them: 1316 bytes, seven packets.
    private static func package(_ stream: Data) -> Int {
        var session = IngestSession()
        let counter = PartCounter()
        stream.withUnsafeBytes { bytes in
            for start in stride(from: 0, to: bytes.count, by: 1_316) {
                session.receive(
                    UnsafeRawBufferPointer(
                        rebasing: bytes[start..<min(start + 1_316, bytes.count)]
                    ),
                    arrival: WallTime(microsecondsSinceEpoch: Int64(start)),
                    emit: counter.emit
                )
            }
        }
        return counter.parts.value
    }
}

/// Packages events and counts the parts; its closure is made once, as a connection's is.
private final class PartCounter {
    final class Count {
        var value = 0
    }

    let parts: Count
    let emit: (MediaEvent) -> Void

    init() {
        let parts = Count()
        var packager = StreamPackager(configuration: PackagingConfiguration())
        self.parts = parts
        emit = { event in
            for case .part in packager.consume(event) { parts.value += 1 }
        }
    }
}

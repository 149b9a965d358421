package import Foundation

/// The built `mirror` binary, started as a user would start it, on ports of its own.
package final class MirrorProcess: Sendable {
    package struct NotListening: Error, CustomStringConvertible {
        package let description: String
    }

    package let process: ExternalProcess
    package let folder: URL
    package let httpsPort: Int
    /// UDP.
    package let http3Port: Int
    package let httpPort: Int
    package let metricsPort: Int
    package let srtPort: Int
    package let rtpPort: Int
    package let rtcpPort: Int
    /// From starting the process to its word that it is ready, to about 2 ms.
    package let startDuration: Duration

    /// The root of the checkout.
    package static let project = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    /// The binary that was built with the tests.
    package static let binary = project.appending(path: ".build/release/mirror")

    /// A clip made by `scripts/fixtures`.
    package static func fixture(_ name: String) -> String {
        project.appending(path: ".cache/fixtures/\(name)").path
    }

    /// Starts `mirror serve` and waits until it says where it listens.
    ///
    /// `yaml` is configuration beside the ports and certificates; `environment` holds `MIRROR_*`
    /// variables; in a `network` it is the server, at all addresses.
    package init(
        yaml: String = "",
        environment: [String: String] = [:],
        in network: RoutedNetwork? = nil
    ) async throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "mirror-\(UUID())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try await ExternalProcess.run(
            Self.binary.path,
            ["certs", "--out", folder.path]
        )
        let file = folder.appending(path: "mirror.yaml")
        try Data(yaml.utf8).write(to: file)
        let ports = [
            "MIRROR_SERVER_BIND_ADDRESS": network == nil ? "127.0.0.1" : "::",
            "MIRROR_SERVER_HTTPS_PORT": "0",
            "MIRROR_SERVER_HTTP3_PORT": "0",
            "MIRROR_SERVER_TLS_CERT_FILE": folder.appending(path: "cert.pem").path,
            "MIRROR_SERVER_TLS_KEY_FILE": folder.appending(path: "key.pem").path,
            "MIRROR_SERVER_WEB_ASSETS": Self.project.appending(path: ".cache/web").path,
            "MIRROR_METRICS_PORT": "0",
            "MIRROR_INGESTION_SRT_BIND_ADDRESS": "127.0.0.1",
            "MIRROR_INGESTION_SRT_PORT": "0",
            "MIRROR_INGESTION_RTP_BIND_ADDRESS": "127.0.0.1",
            "MIRROR_INGESTION_RTP_PORT": "0",
            "MIRROR_LOGGING_FORMAT": "json",
        ]
        let start = ContinuousClock.now
        let command = network?.command(at: .server) ?? []
        process = try ExternalProcess(
            "env",
            command + [Self.binary.path, "serve", "--config", file.path],
            environment: ports.merging(environment) { $1 }
        )
        let found = try await Self.ports(of: process)
        startDuration = start.duration(to: .now)
        httpsPort = found["https"] ?? 0
        http3Port = found["http3"] ?? 0
        httpPort = found["http"] ?? 0
        metricsPort = found["metrics"] ?? 0
        srtPort = found["srt"] ?? 0
        rtpPort = found["rtp"] ?? 0
        rtcpPort = found["rtcp"] ?? 0
    }

    deinit {
        // Whoever asks a server that is gone is refused, and that is all that its test can say.
        if process.hasEndedByItself {
            FileHandle.standardError.write(Data("error: mirror is gone: \(lastWords)\n".utf8))
        }
        process.signal(SIGKILL)
        try? FileManager.default.removeItem(at: folder)
    }

    package var address: String { "https://127.0.0.1:\(httpsPort)" }
    /// Nobody is there over TCP.
    package var http3Address: String { "https://127.0.0.1:\(http3Port)" }

    /// The SRT address that publishes a stream.
    package func publishURL(_ name: String, _ extra: String = "") -> String {
        "srt://127.0.0.1:\(srtPort)?streamid=\(name)\(extra)"
    }

    /// Resident memory in bytes, as the kernel counts it.
    package var residentBytes: Int {
        let status = try? String(
            contentsOfFile: "/proc/\(process.identifier)/status",
            encoding: .utf8
        )
        let line = status?.split(separator: "\n").first { $0.hasPrefix("VmRSS:") }
        return line.flatMap { Int($0.filter(\.isNumber)) }.map { $0 * 1_024 } ?? 0
    }

    private static func ports(of process: ExternalProcess) async throws -> [String: Int] {
        for _ in 0..<5_000 {
            let log = String(decoding: process.output, as: UTF8.self) + process.errors
            var ports: [String: Int] = [:]
            for line in log.split(separator: "\n") {
                guard
                    let entry = try? JSONSerialization.jsonObject(with: Data(line.utf8))
                        as? [String: Any]
                else { continue }
                if entry["message"] as? String == "listening",
                    let service = entry["service"] as? String
                {
                    ports[service] =
                        (entry["port"] as? String).flatMap(Int.init) ?? entry["port"] as? Int
                }
                if entry["message"] as? String == "ready" { return ports }
            }
            guard process.isRunning else { break }
            try await Task.sleep(for: .milliseconds(2))
        }
        let result = await process.wait(atMost: .seconds(1))
        throw NotListening(description: "mirror did not start:\n\(result.errors)")
    }
}

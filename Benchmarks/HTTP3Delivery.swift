import ArgumentParser
import Distribution
import Foundation
import Hummingbird
import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle
import TestSupport

/// What a byte, and a small answer, cost over HTTP/3: against our HTTP/2, and against Caddy's HTTP/3
/// with the same client.
///
/// The doors run in this process, on one event loop; clients and Caddy are processes of their own.
struct HTTP3Delivery: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "http3",
        abstract: "Bytes and requests for a CPU-second over HTTP/3, HTTP/2 and Caddy's HTTP/3."
    )

    @Option(help: "Congestion control: reno, cubic, bbr, bbr2.")
    var congestionControl = CongestionControl.default.rawValue
    @Option(help: "Rounds; the best of each is reported.") var rounds = 3
    @Option(help: "Only this of 200k, 1m, small.") var only: String?
    @Flag(help: "HTTP/3 only, for a profiler.") var alone = false

    private struct Load {
        let name: String
        let path: String
        let bytes: Int
        let requests: Int
    }

    private static let loads = [
        Load(name: "200 kB", path: "200k", bytes: 200_000, requests: 3_000),
        Load(name: "1 MB", path: "1m", bytes: 1_000_000, requests: 600),
        Load(name: "10 bytes", path: "small", bytes: 10, requests: 15_000),
    ]

    func run() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "mirror-\(UUID())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let files = try await certificate(in: folder)
        let (listening, opened) = AsyncStream.makeStream(of: (String, Int).self)
        let services = try services(files) { opened.yield(($0, $1)) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await services.run() }
            var ports: [String: Int] = [:]
            for await (name, port) in listening {
                ports[name] = port
                if ports.count == 2 { break }
            }
            try await measure(ports, folder: folder, files: files)
            await services.triggerGracefulShutdown()
            try await group.waitForAll()
        }
    }

    private func measure(
        _ ports: [String: Int],
        folder: URL,
        files: (certificate: String, key: String)
    ) async throws {
        let caddy = try Caddy(
            folder: folder,
            files: files,
            loads: Self.loads.map { ($0.path, $0.bytes) }
        )
        for load in Self.loads where only == nil || only == load.path {
            var best = (http3: 0.0, http2: 0.0, caddy: 0.0)
            for _ in 0..<rounds {
                best.http3 = max(
                    best.http3,
                    try await own(load, gtlsclient(load, ports["h3"] ?? 0))
                )
                if alone { continue }
                best.http2 = max(best.http2, try await own(load, h2load(load, ports["h2"] ?? 0)))
                best.caddy = max(best.caddy, try await caddys(caddy, load))
            }
            report(load, http3: best.http3, http2: best.http2, caddy: best.caddy)
        }
    }

    /// Requests for a CPU-second of this process.
    private func own(_ load: Load, _ client: [String]) async throws -> Double {
        let before = ProcessUsage.own.cpu
        try await ExternalProcess.run(client[0], Array(client.dropFirst()))
        return Double(load.requests) / ((ProcessUsage.own.cpu - before) / .seconds(1))
    }

    private func caddys(_ caddy: Caddy, _ load: Load) async throws -> Double {
        let before = try ProcessUsage(of: caddy.process.identifier).cpu
        let client = gtlsclient(load, caddy.port)
        try await ExternalProcess.run(client[0], Array(client.dropFirst()))
        let after = try ProcessUsage(of: caddy.process.identifier).cpu
        return Double(load.requests) / ((after - before) / .seconds(1))
    }

    private func gtlsclient(_ load: Load, _ port: Int) -> [String] {
        [
            "gtlsclient", "-q", "--no-quic-dump", "--no-http-dump", "--exit-on-all-streams-close",
            "-n", "\(load.requests)", "localhost", "\(port)",
            "https://localhost:\(port)/\(load.path)",
        ]
    }

    private func h2load(_ load: Load, _ port: Int) -> [String] {
        [
            "h2load", "-n", "\(load.requests)", "-c", "1", "-m", "100",
            "https://localhost:\(port)/\(load.path)",
        ]
    }

    private func report(_ load: Load, http3: Double, http2: Double, caddy: Double) {
        let megabytes = { (rate: Double) in "\(Int(rate * Double(load.bytes) / 1e6)) MB" }
        let ratio = { (one: Double, other: Double) in
            String(format: "%.2f", one / max(other, .ulpOfOne))
        }
        if load.bytes > 1_000 {
            Figure(
                name: "HTTP/3, bodies of \(load.name): a CPU-second against Caddy 2.6's HTTP/3",
                value: "\(ratio(http3, caddy)) (\(megabytes(http3)) against \(megabytes(caddy)))",
                target: "≥ 3"
            ).report()
            Figure(
                name: "The same against our HTTP/2",
                value: "\(ratio(http3, http2)) (\(megabytes(http3)) against \(megabytes(http2)))",
                target: load.bytes == 200_000 ? "≥ 0.5" : "–"
            ).report()
        } else {
            Figure(
                name: "HTTP/3, answers of \(load.name): CPU of a request against our HTTP/2",
                value:
                    "\(ratio(http2, http3)) (\(Int(1e6 / http3)) µs against \(Int(1e6 / http2)) µs)",
                target: "≤ 1"
            ).report()
        }
    }

    private func certificate(in folder: URL) async throws -> (certificate: String, key: String) {
        let certificate = folder.appending(path: "cert.pem").path
        let key = folder.appending(path: "key.pem").path
        try await ExternalProcess.run(
            "openssl",
            [
                "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
                "-nodes",
                "-keyout", key, "-out", certificate, "-days", "2", "-subj", "/CN=localhost",
                "-addext", "subjectAltName=DNS:localhost",
            ]
        )
        return (certificate, key)
    }

    private func services(
        _ files: (certificate: String, key: String),
        onListening: @escaping @Sendable (String, Int) -> Void
    ) throws -> ServiceGroup {
        let credentials = try TLSCredentials(certificatePath: files.certificate, keyPath: files.key)
        let statistics = DistributionStatistics()
        let logger = Logger(label: "bench") { _ in SwiftLogNoOpLogHandler() }
        let loop = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let responder = MirrorRouter.makeResponder { router in
            for load in Self.loads {
                let body = ByteBuffer(repeating: 7, count: load.bytes)
                router.get("/\(load.path)") { _, _ in
                    Response(status: .ok, body: ResponseBody(byteBuffer: body))
                }
            }
        }
        let http3 = HTTP3FrontDoor(
            address: "::",
            port: 0,
            credentials: credentials,
            congestionControl: CongestionControl(rawValue: congestionControl) ?? .default,
            responder: responder,
            statistics: statistics,
            logger: logger,
            eventLoopGroup: loop
        ) { onListening("h3", $0) }
        let http2 = HTTPFrontDoor(
            address: "::",
            port: 0,
            security: .tls(credentials),
            responder: responder,
            statistics: statistics,
            logger: logger,
            eventLoopGroup: loop
        ) { onListening("h2", $0) }
        return ServiceGroup(
            configuration: .init(
                services: [.init(service: http3), .init(service: http2)],
                logger: logger
            )
        )
    }
}

/// Caddy, serving files of the same sizes over HTTP/3.
private struct Caddy {
    let process: ExternalProcess
    let port = FreePort.udp

    init(
        folder: URL,
        files: (certificate: String, key: String),
        loads: [(path: String, bytes: Int)]
    ) throws {
        for load in loads {
            let file = folder.appending(path: load.path)
            try Data(repeating: 7, count: load.bytes).write(to: file)
        }
        let configuration = folder.appending(path: "Caddyfile")
        let text = """
            { admin off
              auto_https off
            }
            https://localhost:\(port) {
              tls \(files.certificate) \(files.key)
              root * \(folder.path)
              file_server
            }
            """
        try Data(text.utf8).write(to: configuration)
        process = try ExternalProcess(
            "caddy",
            ["run", "--config", configuration.path, "--adapter", "caddyfile"],
            environment: ["XDG_CONFIG_HOME": folder.path, "XDG_DATA_HOME": folder.path]
        )
    }
}

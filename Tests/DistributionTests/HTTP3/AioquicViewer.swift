import Foundation
import Testing

/// A viewer over HTTP/3 that is not ours: `Tests/Programs/http3_client.py`.
struct AioquicViewer {
    /// One line of what it says.
    struct Line: Decodable {
        var status: Int?
        var bytes: Int?
        var sha256: String?
        /// The last 8,000 bytes.
        var text: String?
        var head: [String: String]?
        /// The codes that a stream and the connection ended with.
        var reset: Int?
        var closed: Int?
        var retried: Bool?
        var answered: Int?
        var asked: Bool?
        var sent: Int?
        /// Requests that the server would let begin.
        var free: Int?
        var received: Int?
        var same: Bool?
        /// The common name of the certificate.
        var subject: String?
        var offered: [String]?
    }

    let command: Command

    init(port: Int, _ scenario: String, _ arguments: [String] = []) throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        command = try Command(
            [
                "env", "PYTHONPATH=\(root.appending(path: ".cache/python").path())", "python3",
                root.appending(path: "Tests/Programs/http3_client.py").path(), "\(port)", scenario,
            ] + arguments
        )
    }

    /// What it has said until now.
    var lines: [Line] {
        command.output.split(separator: "\n").compactMap {
            try? JSONDecoder().decode(Line.self, from: Data($0.utf8))
        }
    }

    /// What it says until its end, which must be a good one.
    static func run(
        port: Int,
        _ scenario: String,
        _ arguments: String...
    ) async throws -> [Line] {
        let viewer = try AioquicViewer(port: port, scenario, arguments)
        let status = await viewer.command.status()
        try #require(status == 0, "\(viewer.command.output)")
        return viewer.lines
    }
}

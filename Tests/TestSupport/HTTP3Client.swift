import Foundation
import NIOCore
import NIOFoundationCompat
import Synchronization

/// Asks over HTTP/3 with a client that we did not write: aioquic or qh3, in
/// `Tests/Programs/http3_gateway.py`.
///
/// Requests share one connection, unless the options say otherwise. When this is dropped the program
/// is killed, and the server hears no word of goodbye.
package final class HTTP3Client: Sendable {
    private struct Request: Encodable {
        let id: Int
        let path: String
        let method: String
        let headers: [[String]]
        let seconds: Double
    }

    private let replies = HTTP3Replies()
    private let input: Mutex<FileHandle>
    package let process: ExternalProcess

    /// `options` are those of the program; `isYielding` lets it run only where nobody else
    /// wants to: the kernel then counts its core as free, as it does not with the highest niceness.
    package init(port: Int, _ options: [String] = [], isYielding: Bool = false) throws {
        let pipe = Pipe()
        input = Mutex(pipe.fileHandleForWriting)
        process = try ExternalProcess(
            isYielding ? "chrt" : "env",
            (isYielding ? ["--idle", "0", "env"] : []) + Self.command("http3_gateway.py")
                + ["\(port)"] + options,
            input: pipe.fileHandleForReading
        ) { [replies] data in replies.receive(data) }
        // Only the program may hold it open: a write after its end is to fail.
        try pipe.fileHandleForReading.close()
    }

    /// What `env` is told to start a program of `Tests/Programs`, with the packages that `scripts/setup`
    /// has fetched for it.
    package static func command(_ program: String) -> [String] {
        [
            "PYTHONPATH=\(MirrorProcess.project.appending(path: ".cache/python").path)", "python3",
            MirrorProcess.project.appending(path: "Tests/Programs/\(program)").path,
        ]
    }

    package func ask(
        _ path: String,
        method: String = "GET",
        headers: [(String, String)] = [],
        atMost limit: Duration = .seconds(20)
    ) async throws -> Viewer.Answer {
        try await replies.reply { id in
            let request = Request(
                id: id,
                path: path,
                method: method,
                headers: headers.map { [$0, $1] },
                seconds: limit / .seconds(1)
            )
            let line = try JSONEncoder().encode(request) + [UInt8(ascii: "\n")]
            try self.input.withLock { try $0.write(contentsOf: line) }
        }
    }

    /// Closes the connection as a viewer who leaves.
    package func shutDown() async {
        input.withLock { try? $0.close() }
        _ = await process.wait(atMost: .seconds(5))
    }
}

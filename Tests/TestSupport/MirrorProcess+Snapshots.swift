import Foundation

/// What a running Mirror says of itself.
extension MirrorProcess {
    package var plainAddress: String { "http://127.0.0.1:\(httpPort)" }
    package var metricsAddress: String { "http://127.0.0.1:\(metricsPort)" }

    /// What was logged so far, one JSON object a line.
    package var log: String { process.errors }

    /// What was logged last, the newest first, each line without what they all have.
    ///
    /// For what a failed test has to say: all on one line, since only the first is in a summary.
    package var lastWords: String {
        log.split(separator: "\n").suffix(40).reversed()
            .map { line in
                line.replacing("\"message\":", with: "").replacing("\"level\":", with: "")
                    .replacing(/"time":"[^T]*T([^"]*)Z"/) { "\($0.1)" }
            }
            .joined(separator: " ")
    }

    /// The lines of the log that hold all of these.
    package func logged(_ words: String...) -> [Substring] {
        log.split(separator: "\n").filter { line in words.allSatisfy { line.contains($0) } }
    }

    /// `/api/v1/streams/{name}`; `nil` where there is no such stream.
    package func stream(_ name: String, by viewer: Viewer) async throws -> JSONValue? {
        let answer = try await viewer.ask("\(address)/api/v1/streams/\(name)")
        guard answer.status == 200 else { return nil }
        return try JSONDecoder().decode(JSONValue.self, from: answer.data)
    }

    package func metrics(by viewer: Viewer) async throws -> Metrics {
        Metrics(try await viewer.ask("\(metricsAddress)/metrics").text)
    }

    /// Writes the configuration file anew, as an editor does it: whole, under its old name.
    package func rewriteConfiguration(_ yaml: String) throws {
        try Data(yaml.utf8).write(to: folder.appending(path: "mirror.yaml"), options: .atomic)
    }
}

extension JSONValue {
    /// A member of members: `"packaging.gop.last_seconds"`.
    package subscript(path path: String) -> JSONValue? {
        path.split(separator: ".").reduce(self as JSONValue?) { $0?[String($1)] }
    }
}

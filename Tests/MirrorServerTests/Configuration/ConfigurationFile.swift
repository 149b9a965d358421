import Foundation
import Media
import MirrorServer

/// A configuration file for one test, which removes it when it is done.
struct ConfigurationFile {
    let path: String

    init(_ text: String) throws {
        path = NSTemporaryDirectory() + "mirror-\(UUID().uuidString).yaml"
        try write(text)
    }

    func remove() {
        try? FileManager.default.removeItem(atPath: path)
    }

    func write(_ text: String) throws {
        try Data(text.utf8).write(to: URL(filePath: path))
    }

    /// What is wrong with the text, a line a problem, with `file` for the path.
    static func problems(in text: String) throws -> [String] {
        let file = try ConfigurationFile(text)
        defer { file.remove() }
        do throws(ConfigurationError) {
            _ = try ConfigurationSource(file: file.path).load()
            return []
        } catch {
            return error.problems.map { "\($0)".replacing(file.path, with: "file") }
        }
    }

    static func load(_ text: String) throws -> ServerConfiguration {
        let file = try ConfigurationFile(text)
        defer { file.remove() }
        return try ConfigurationSource(file: file.path).load().configuration
    }
}

extension StreamName {
    init(checked text: String) throws {
        guard let name = StreamName(text) else { throw CocoaError(.formatting) }
        self = name
    }
}

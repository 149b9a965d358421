import Foundation
import Testing

/// The project's own files, wherever the tests run from.
enum Project {
    struct File {
        /// From the project's folder on.
        let path: String
        let lines: [String]

        var name: String { (path as NSString).lastPathComponent }
    }

    static let root = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    static func exists(_ path: String) -> Bool {
        FileManager.default.fileExists(atPath: root.appending(path: path).path)
    }

    static func text(_ path: String) throws -> String {
        try String(contentsOf: root.appending(path: path), encoding: .utf8)
    }

    /// Files below the folders with one of the extensions, hidden folders left out.
    static func files(under folders: [String], _ extensions: Set<String>) throws -> [File] {
        var files: [File] = []
        for folder in folders {
            let start = folder == "." ? root : root.appending(path: folder)
            let walk = try #require(
                FileManager.default.enumerator(
                    at: start,
                    includingPropertiesForKeys: nil,
                    options: [.skipsHiddenFiles]
                )
            )
            for case let url as URL in walk where extensions.contains(url.pathExtension) {
                let path = String(url.path.dropFirst(root.path.count + 1))
                files.append(File(path: path, lines: try text(path).components(separatedBy: "\n")))
            }
        }
        return files
    }

    /// The raw values of an enum of strings, one case a line, as its source has them.
    static func rawValues(of type: String, in file: String) throws -> [String] {
        let text = try text("Sources/\(file).swift")
        let start = try #require(text.firstRange(of: "enum \(type): String"))
        var values: [String] = []
        for line in text[start.upperBound...].split(separator: "\n").dropFirst() {
            if let match = line.firstMatch(of: /^ *case (\w+)(?: = "(\w+)")?$/) {
                values.append(String(match.2 ?? match.1))
            } else if line.wholeMatch(of: /[ ]*(?:\/\/\/.*)?/) == nil {
                break
            }
        }
        return values
    }
}

import Foundation
import Testing

/// What a linter cannot hold: lengths, words, imports, docs, links.
@Suite struct TidyTests {
    @Test func noSourceFileIsLongerThan500Lines() throws {
        for file in try Project.files(under: ["Sources", "Tests", "Benchmarks"], ["swift"]) {
            #expect(file.lines.count <= 500, "\(file.path) has \(file.lines.count) lines")
        }
    }

    @Test func noSourceFileIsNamedAfterNothing() throws {
        let banned = ["Utils", "Helpers", "Manager", "Common", "Base", "Extensions", "Misc"]
        for file in try Project.files(under: ["Sources", "Tests"], ["swift"]) {
            let name = (file.path as NSString).lastPathComponent
            #expect(
                !banned.contains { name == "\($0).swift" || name.hasSuffix("\($0).swift") },
                "\(file.path): name it after what it holds"
            )
        }
    }

    @Test func sourcesHoldNoBannedCalls() throws {
        let banned = [
            "try!", "as!", "fatalError(", "@unchecked Sendable", "nonisolated(unsafe)",
            "Task.detached", "Thread.sleep", "usleep(", "DispatchSemaphore", "TO" + "DO",
            "FIX" + "ME",
        ]
        for file in try Project.files(under: ["Sources"], ["swift", "js"]) {
            for (number, line) in file.lines.enumerated() {
                for call in banned where line.contains(call) {
                    Issue.record("\(file.path):\(number + 1): \(call)")
                }
            }
        }
    }

    @Test func eachCLibraryIsImportedByOneTarget() throws {
        let owners = ["CSRT": "Ingestion", "CZlib": "Packaging"]
        for file in try Project.files(under: ["Sources"], ["swift"]) {
            for line in file.lines {
                for (module, target) in owners where line.hasSuffix("import \(module)") {
                    #expect(
                        file.path.hasPrefix("Sources/\(target)/"),
                        "\(file.path) imports \(module), which belongs to \(target)"
                    )
                }
            }
        }
    }

    @Test func packageTypesAreDocumented() throws {
        let declaration =
            /^(?:package|public) (?:final )?(?:struct|class|enum|protocol|actor) (\w+)/
        for file in try Project.files(under: ["Sources"], ["swift"]) {
            for (number, line) in file.lines.enumerated() {
                guard let match = line.firstMatch(of: declaration) else { continue }
                var above = number - 1
                while above >= 0, file.lines[above].hasPrefix("@") { above -= 1 }
                #expect(
                    above >= 0 && file.lines[above].hasPrefix("///"),
                    "\(file.path):\(number + 1): \(match.1) says nothing of itself"
                )
            }
        }
    }

    @Test func linksInDocumentsLead() throws {
        let link = /\]\(([^)#:\s]+)(?:#[^)]*)?\)/
        for file in try Project.files(under: ["."], ["md"]) {
            let folder = (file.path as NSString).deletingLastPathComponent
            for line in file.lines {
                for match in line.matches(of: link) {
                    let target = Project.root.appending(path: folder).appending(
                        path: String(match.1)
                    )
                    #expect(
                        FileManager.default.fileExists(atPath: target.path),
                        "\(file.path): \(match.1) is not there"
                    )
                }
            }
        }
    }
}

/// The project's own files, wherever the tests run from.
enum Project {
    struct File {
        let path: String
        let lines: [String]
    }

    static let root = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    /// Files below the folders with one of the extensions, hidden folders left out.
    static func files(under folders: [String], _ extensions: Set<String>) throws -> [File] {
        var files: [File] = []
        for folder in folders {
            let start = folder == "." ? root : root.appending(path: folder)
            guard
                let walk = FileManager.default.enumerator(
                    at: start,
                    includingPropertiesForKeys: nil,
                    options: [.skipsHiddenFiles]
                )
            else { continue }
            for case let url as URL in walk where extensions.contains(url.pathExtension) {
                let text = try String(contentsOf: url, encoding: .utf8)
                files.append(
                    File(
                        path: String(url.path.dropFirst(root.path.count + 1)),
                        lines: text.components(separatedBy: "\n")
                    )
                )
            }
        }
        return files
    }
}

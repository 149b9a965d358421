import Foundation
import Testing

/// What a linter cannot hold: lengths, names, words, docs.
@Suite struct TidyTests {
    @Test func noSourceFileIsLongerThan500Lines() throws {
        for file in try Project.files(under: ["Sources", "Tests", "Benchmarks"], ["swift"]) {
            #expect(file.lines.count <= 500, "\(file.path) has \(file.lines.count) lines")
        }
    }

    @Test func noSourceFileIsNamedAfterNothing() throws {
        let banned = ["Utils", "Helpers", "Manager", "Common", "Base", "Extensions", "Misc"]
        for file in try Project.files(under: ["Sources", "Tests"], ["swift"]) {
            #expect(
                !banned.contains { file.name.hasSuffix("\($0).swift") },
                "\(file.path): name it after what it holds"
            )
        }
    }

    @Test func sourcesHoldNoBannedCalls() throws {
        let banned = [
            "try!", "as!", "fatalError(", "@unchecked Sendable", "nonisolated(unsafe)",
            "precondition(", "preconditionFailure(", "Task.detached", "Thread.sleep",
            "DispatchSemaphore", "TO" + "DO", "FIX" + "ME",
        ]
        // Only threads of their own may sleep, and only SRT has such threads.
        let sleeps = ["usleep(", "nanosleep("]
        for file in try Project.files(under: ["Sources"], ["swift", "js"]) {
            let calls = file.path.hasPrefix("Sources/Ingestion/SRT/") ? banned : banned + sleeps
            for (number, line) in file.lines.enumerated() {
                for call in calls where line.contains(call) {
                    Issue.record("\(file.path):\(number + 1): \(call)")
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
}

import Foundation
import Synchronization

/// A program of this machine, as an oracle.
final class Command: Sendable {
    struct Result: Sendable {
        let status: Int32
        let output: String
    }

    private let outcome = Outcome()
    private let outputFile: URL
    private let input = Pipe()
    private let identifier: Int32

    /// Standard output and standard error go to one file.
    init(_ arguments: [String]) throws {
        outputFile = FileManager.default.temporaryDirectory.appending(path: "mirror-\(UUID()).out")
        try Data().write(to: outputFile)
        let output = try FileHandle(forWritingTo: outputFile)
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = arguments
        process.standardInput = input
        process.standardOutput = output
        process.standardError = output
        process.terminationHandler = { [outcome] in outcome.end($0.terminationStatus) }
        try process.run()
        identifier = process.processIdentifier
    }

    deinit {
        kill()
        try? FileManager.default.removeItem(at: outputFile)
    }

    static func run(_ arguments: String...) async throws -> Result {
        let command = try Command(arguments)
        return Result(status: await command.status(), output: command.output)
    }

    /// What it has written until now.
    var output: String {
        String(decoding: (try? Data(contentsOf: outputFile)) ?? Data(), as: UTF8.self)
    }

    func write(_ text: String) throws {
        try input.fileHandleForWriting.write(contentsOf: Data(text.utf8))
    }

    func kill() {
        if outcome.isRunning { Foundation.kill(identifier, SIGKILL) }
    }

    func status() async -> Int32 { await outcome.status() }
}

/// How a program ended, for those who wait for it.
private final class Outcome: Sendable {
    private struct State {
        var status: Int32?
        var waiters: [CheckedContinuation<Int32, Never>] = []
    }

    private let state = Mutex(State())

    var isRunning: Bool { state.withLock { $0.status == nil } }

    func status() async -> Int32 {
        await withCheckedContinuation { continuation in
            let status = state.withLock { state in
                if state.status == nil { state.waiters.append(continuation) }
                return state.status
            }
            if let status { continuation.resume(returning: status) }
        }
    }

    func end(_ status: Int32) {
        let waiters = state.withLock { state in
            state.status = status
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume(returning: status) }
    }
}

import Foundation
import Synchronization

/// A Chromium process and the DevTools messages to and from it, over its standard input and output.
///
/// Chromium reads commands from descriptor 3 and writes answers to descriptor 4, each message ended by
/// a zero byte; a shell ties those to the pipes. Source: Chrome DevTools Protocol;
/// chromium's `--remote-debugging-pipe`.
final class ChromiumConnection: Sendable {
    struct Failure: Error, CustomStringConvertible {
        let description: String

        /// The page went to another before it had answered.
        var isOfPageLeft: Bool {
            description.contains("navigated or closed")
                || description.contains("context was destroyed")
        }
    }

    private final class Handle: Sendable {
        let process: Mutex<Process>

        init(_ process: sending Process) {
            self.process = Mutex(process)
        }
    }

    private struct State {
        var handle: Handle?
        var input: FileHandle?
        var received: [UInt8] = []
        var lastID = 0
        var answers: [Int: CheckedContinuation<JSONValue, any Error>] = [:]
        var problems: [String] = []
        var failedLoads: [String] = []
    }

    private let state = Mutex(State())

    init(arguments: [String]) throws {
        let process = Process()
        process.executableURL = URL(filePath: "/bin/sh")
        process.arguments = ["-c", #"exec chromium "$@" 3<&0 4>&1"#, "sh"] + arguments
        let (input, output) = (Pipe(), Pipe())
        process.standardInput = input
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        PipeReader.read(output) { [weak self] data in self?.receive(data) }
        try process.run()
        let handle = Handle(process)
        let writing = input.fileHandleForWriting
        state.withLock { state in
            state.handle = handle
            state.input = writing
        }
    }

    /// Uncaught exceptions and `console.error` lines of the page so far.
    var problems: [String] { state.withLock { $0.problems } }
    /// What the page asked for and did not get (a 404, say) so far.
    var failedLoads: [String] { state.withLock { $0.failedLoads } }

    func command(
        _ method: String,
        _ parameters: JSONValue,
        session: String?
    ) async throws -> JSONValue {
        try await withCheckedThrowingContinuation { continuation in
            let failure: (any Error)? = state.withLock { state in
                state.lastID += 1
                var message: [String: JSONValue] = [
                    "id": .number(Double(state.lastID)),
                    "method": .string(method),
                    "params": parameters,
                ]
                if let session { message["sessionId"] = .string(session) }
                do {
                    guard let input = state.input else {
                        throw Failure(description: "chromium is not running")
                    }
                    try input.write(contentsOf: JSONEncoder().encode(message) + [0])
                    state.answers[state.lastID] = continuation
                    return nil
                } catch {
                    return error
                }
            }
            if let failure { continuation.resume(throwing: failure) }
        }
    }

    /// Ends the process; commands without an answer fail.
    func close() {
        let (handle, answers) = state.withLock { state in
            defer {
                state.handle = nil
                state.input = nil
                state.answers = [:]
            }
            return (state.handle, state.answers)
        }
        handle?.process.withLock { process in
            process.terminate()
            process.waitUntilExit()
        }
        for answer in answers.values {
            answer.resume(throwing: Failure(description: "chromium ended"))
        }
    }

    private func receive(_ data: Data) {
        guard !data.isEmpty else { return close() }
        let messages = state.withLock { state in
            state.received += data
            var messages = state.received.split(separator: 0, omittingEmptySubsequences: false)
            state.received = messages.popLast().map(Array.init) ?? []
            return messages.map(Array.init)
        }
        for message in messages {
            guard let message = try? JSONDecoder().decode(JSONValue.self, from: Data(message))
            else { continue }
            handle(message)
        }
    }

    private func handle(_ message: JSONValue) {
        guard let id = message["id"]?.number else { return note(message) }
        let answer = state.withLock { $0.answers.removeValue(forKey: Int(id)) }
        if let error = message["error"]?["message"]?.string {
            answer?.resume(throwing: Failure(description: error))
        } else {
            answer?.resume(returning: message["result"] ?? .null)
        }
    }

    private func note(_ event: JSONValue) {
        let parameters = event["params"]
        switch event["method"]?.string {
        case "Runtime.exceptionThrown":
            let details = parameters?["exceptionDetails"]
            let text = details?["exception"]?["description"] ?? details?["text"]
            state.withLock { $0.problems.append("exception: \(text?.string ?? "?")") }
        case "Runtime.consoleAPICalled" where parameters?["type"]?.string == "error":
            let words = (parameters?["args"]?.array ?? []).map { argument in
                (argument["value"] ?? argument["description"])?.string ?? "?"
            }
            state.withLock { $0.problems.append("console: \(words.joined(separator: " "))") }
        case "Log.entryAdded" where parameters?["entry"]?["level"]?.string == "error":
            let entry = parameters?["entry"]
            let words = "\(entry?["text"]?.string ?? "?") \(entry?["url"]?.string ?? "")"
            state.withLock { state in
                if entry?["source"]?.string == "network" {
                    state.failedLoads.append(words)
                } else {
                    state.problems.append("log: \(words)")
                }
            }
        default:
            break
        }
    }
}

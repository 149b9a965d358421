package import Foundation
import Synchronization

/// A program that a test runs beside Mirror.
///
/// Its output is kept; it is killed when the test drops it.
package final class ExternalProcess: Sendable {
    package struct Failure: Error, CustomStringConvertible {
        package let description: String
    }

    package struct Result: Sendable {
        package let status: Int32
        package let output: Data
        package let errors: String

        package var text: String { String(decoding: output, as: UTF8.self) }
    }

    private struct State {
        var output = Data()
        var errors = Data()
        var isSignalled = false
    }

    private final class Handle: Sendable {
        let process: Mutex<Process>

        init(_ process: sending Process) {
            self.process = Mutex(process)
        }
    }

    /// Programs that run, for the end of the tests: what a static property holds is never dropped.
    private static let running = Mutex<Set<Int32>>([])

    private static let killRunningAtExit: Void = {
        _ = atexit {
            for identifier in ExternalProcess.running.withLock({ $0 }) { kill(identifier, SIGKILL) }
        }
    }()

    private let name: String
    private let handle: Handle
    private let exit: AsyncStream<Int32>
    /// One element for each of the two outputs that has come to its end.
    private let outputEnds: AsyncStream<Void>
    private let outputEnded: AsyncStream<Void>.Continuation
    private let state = Mutex(State())
    package let identifier: Int32

    /// Starts `/usr/bin/env NAME ARGUMENTS...`.
    ///
    /// `input` is what the program reads from its standard input; none means end of file. `onOutput`
    /// gets its standard output, and nothing once, at the end; then it is not kept.
    package init(
        _ name: String,
        _ arguments: [String],
        input: FileHandle? = nil,
        environment: [String: String] = [:],
        onOutput: (@Sendable (Data) -> Void)? = nil
    ) throws {
        // A program that ends while a test still writes to it must not end the test.
        _ = Self.ignoreBrokenPipes
        _ = Self.killRunningAtExit
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        // Threads of the pool block signals, and children inherit that: SIGTERM would wait for ever.
        process.arguments = ["--default-signal", name] + arguments
        process.standardInput = input ?? FileHandle.nullDevice
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        let output = Pipe()
        let errors = Pipe()
        process.standardOutput = output
        process.standardError = errors
        let (exit, continuation) = AsyncStream.makeStream(of: Int32.self)
        process.terminationHandler = { process in
            _ = Self.running.withLock { $0.remove(process.processIdentifier) }
            continuation.yield(process.terminationStatus)
            continuation.finish()
        }
        self.name = name
        self.exit = exit
        let (outputEnds, outputEnded) = AsyncStream.makeStream(of: Void.self)
        self.outputEnds = outputEnds
        self.outputEnded = outputEnded
        try process.run()
        identifier = process.processIdentifier
        if process.isRunning { _ = Self.running.withLock { $0.insert(process.processIdentifier) } }
        handle = Handle(process)
        PipeReader.read(output) { [weak self] data in
            if let onOutput {
                onOutput(data)
            } else {
                self?.state.withLock { $0.output.append(data) }
            }
            if data.isEmpty { outputEnded.yield() }
        }
        PipeReader.read(errors) { [weak self] data in
            self?.state.withLock { $0.errors.append(data) }
            if data.isEmpty { outputEnded.yield() }
        }
    }

    deinit {
        signal(SIGKILL)
    }

    private static let ignoreBrokenPipes: Void = {
        _ = Foundation.signal(SIGPIPE, SIG_IGN)
    }()

    package var isRunning: Bool {
        handle.process.withLock { $0.isRunning }
    }

    package func signal(_ number: Int32) {
        guard isRunning else { return }
        state.withLock { $0.isSignalled = true }
        kill(identifier, number)
    }

    /// Whether it is over although nobody here wanted it to be.
    package var hasEndedByItself: Bool {
        !isRunning && !state.withLock { $0.isSignalled }
    }

    /// What it wrote to its standard output so far.
    package var output: Data { state.withLock { $0.output } }
    /// What it wrote to its standard error so far.
    package var errors: String { state.withLock { String(decoding: $0.errors, as: UTF8.self) } }

    /// Waits for the end; a program that takes longer than the limit is killed.
    package func wait(atMost limit: Duration = .seconds(120)) async -> Result {
        let watchdog = Task {
            try await Task.sleep(for: limit)
            signal(SIGKILL)
        }
        var status: Int32 = -1
        for await value in exit { status = value }
        watchdog.cancel()
        // The pipes are read on another thread, to their ends; a child of the program that lives on may
        // hold them open.
        let patience = Task {
            try await Task.sleep(for: .seconds(2))
            outputEnded.finish()
        }
        for await _ in outputEnds.prefix(2) {}
        patience.cancel()
        return Result(status: status, output: output, errors: errors)
    }

    /// Runs a program to its end and throws, with its last words, unless it succeeds.
    @discardableResult
    package static func run(
        _ name: String,
        _ arguments: [String],
        atMost limit: Duration = .seconds(120)
    ) async throws -> Result {
        let result = await (try ExternalProcess(name, arguments)).wait(atMost: limit)
        guard result.status == 0 else {
            throw Failure(
                description: """
                    \(name) \(arguments.joined(separator: " ")) ended with \(result.status):
                    \(result.errors.suffix(2_000))
                    """
            )
        }
        return result
    }
}

import Logging
import TestSupport

/// Keeps log lines for a test that waits for one.
final class LogCollector: Sendable {
    let logger: Logger
    private let lines: AsyncStream<LogLine>

    init() {
        let (lines, continuation) = AsyncStream.makeStream(of: LogLine.self)
        self.lines = lines
        logger = Logger { line in continuation.yield(line) }
    }

    /// The next line that says this; the lines before it are passed over.
    func next(_ message: String) async -> LogLine? {
        for await line in lines where line.message == message { return line }
        return nil
    }
}

import Logging
import Synchronization

/// Keeps log lines for a test that waits for one.
final class LogCollector: Sendable {
    struct Line: Sendable {
        let message: String
        let metadata: Logger.Metadata

        subscript(key: String) -> String? { metadata[key]?.description }
    }

    private struct Handler: LogHandler {
        let continuation: AsyncStream<Line>.Continuation
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.info

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            let metadata = metadata.merging(event.metadata ?? [:]) { $1 }
            continuation.yield(Line(message: "\(event.message)", metadata: metadata))
        }
    }

    let logger: Logger
    private let lines: AsyncStream<Line>

    init() {
        let (lines, continuation) = AsyncStream.makeStream(of: Line.self)
        self.lines = lines
        logger = Logger(label: "test") { _ in Handler(continuation: continuation) }
    }

    /// The next line that says this; the lines before it are passed over.
    func next(_ message: String) async -> Line? {
        for await line in lines where line.message == message { return line }
        return nil
    }
}

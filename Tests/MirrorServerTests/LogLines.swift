import Logging
import Synchronization

/// Keeps the lines of a log.
final class LogLines: Sendable {
    private struct Handler: LogHandler {
        let lines: LogLines
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.info

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            let metadata = metadata.merging(event.metadata ?? [:]) { $1 }
            lines.all.withLock { $0.append(("\(event.message)", metadata)) }
        }
    }

    private let all = Mutex<[(message: String, metadata: Logger.Metadata)]>([])

    var logger: Logger { Logger(label: "test") { _ in Handler(lines: self) } }

    /// A field of every line with this message, in order.
    subscript(message: String, field: String) -> [String?] {
        all.withLock { lines in
            lines.filter { $0.message == message }.map { $0.metadata[field]?.description }
        }
    }
}

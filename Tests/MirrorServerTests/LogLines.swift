import Logging
import Synchronization
import TestSupport

/// Keeps the lines of a log.
final class LogLines: Sendable {
    private let all = Mutex<[LogLine]>([])

    var logger: Logger {
        Logger { line in self.all.withLock { $0.append(line) } }
    }

    /// A field of every line with this message, in order.
    subscript(message: String, field: String) -> [String?] {
        all.withLock { lines in lines.filter { $0.message == message }.map { $0[field] } }
    }
}

package import Logging

/// One line of a log, as a test sees it.
package struct LogLine: Sendable {
    package let message: String
    package let metadata: Logger.Metadata

    package subscript(key: String) -> String? { metadata[key]?.description }
}

extension Logger {
    /// Hands each line to `receive`, on the thread that writes it.
    package init(receive: @escaping @Sendable (LogLine) -> Void) {
        self.init(label: "test") { _ in LineHandler(receive: receive) }
    }
}

private struct LineHandler: LogHandler {
    let receive: @Sendable (LogLine) -> Void
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.info

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let metadata = metadata.merging(event.metadata ?? [:]) { $1 }
        receive(LogLine(message: "\(event.message)", metadata: metadata))
    }
}

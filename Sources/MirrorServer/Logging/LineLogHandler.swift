import Foundation
package import Logging
import Synchronization

/// Writes each log entry as one line to standard error: words for people, or JSON for machines.
///
/// ```
/// 2026-05-01T12:00:00.123Z info  stream started  source=192.0.2.7 stream=news
/// {"time":"2026-05-01T12:00:00.123Z","level":"info","message":"stream started","source":"192.0.2.7"}
/// ```
///
/// Metadata of JSON lines stands beside the message, keys in order, values as strings.
package struct LineLogHandler: LogHandler {
    /// The level of every logger made here; a reload changes them all at once.
    package final class Threshold: Sendable {
        private let level: Mutex<Logger.Level>

        package init(_ level: Logger.Level) {
            self.level = Mutex(level)
        }

        package var value: Logger.Level {
            get { level.withLock { $0 } }
            set { level.withLock { $0 = newValue } }
        }
    }

    package var metadata: Logger.Metadata = [:]

    private let format: ServerConfiguration.LogFormat
    private let threshold: Threshold
    private let write: @Sendable (String) -> Void
    private var ownLevel: Logger.Level?

    package init(
        format: ServerConfiguration.LogFormat,
        threshold: Threshold,
        write: @escaping @Sendable (String) -> Void = Self.writeToStandardError
    ) {
        self.format = format
        self.threshold = threshold
        self.write = write
    }

    /// The threshold of all, unless this logger was given its own.
    package var logLevel: Logger.Level {
        get { ownLevel ?? threshold.value }
        set { ownLevel = newValue }
    }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        let all = metadata.merging(event.metadata ?? [:]) { $1 }
            .map { (key: $0.key, value: "\($0.value)") }
            .sorted { $0.key < $1.key }
        let time = Date.now.formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))
        switch format {
        case .text:
            let level = event.level.rawValue.padding(toLength: 7, withPad: " ", startingAt: 0)
            var line = "\(time) \(level) \(event.message)"
            for (key, value) in all { line += " \(key)=\(Self.quotedIfNeeded(value))" }
            write(line + "\n")
        case .json:
            var line = "{\"time\":\"\(time)\",\"level\":\"\(event.level.rawValue)\",\"message\":"
            line += Self.jsonString("\(event.message)")
            for (key, value) in all {
                line += ",\(Self.jsonString(key)):\(Self.jsonString(value))"
            }
            write(line + "}\n")
        }
    }

    private static func quotedIfNeeded(_ value: String) -> String {
        let isPlain =
            !value.isEmpty && value.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f && $0 != 0x22 }
        return isPlain ? value : jsonString(value)
    }

    /// A JSON string literal; control characters are escaped, so a line stays a line.
    private static func jsonString(_ value: String) -> String {
        var literal = "\""
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\"": literal += "\\\""
            case "\\": literal += "\\\\"
            case "\n": literal += "\\n"
            case "\u{0}"..<" ", "\u{7f}":
                let digits = String(scalar.value, radix: 16)
                literal += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: literal.unicodeScalars.append(scalar)
            }
        }
        return literal + "\""
    }

    /// One call for each line, so lines of several threads do not mix.
    package static let writeToStandardError: @Sendable (String) -> Void = { line in
        var line = line
        line.withUTF8 { bytes in
            _ = Glibc.write(STDERR_FILENO, bytes.baseAddress, bytes.count)
        }
    }
}

import Logging
import Synchronization

/// What the log says of publishers who are turned away, so that one who tries again and again does
/// not bury the others.
///
/// Threads: any.
final class RefusalLog: Sendable {
    private let throttle = Mutex(LogThrottle(now: .now))

    /// The metadata of one refusal's line; `nil` when that line is held back.
    ///
    /// `stream` is what the publisher called itself: anything at all.
    func line(
        _ refusal: PublishRefusal,
        stream: String,
        host: String,
        port: Int,
        cure: String
    ) -> Logger.Metadata? {
        let stream = stream.loggable
        let subject = "\(refusal.rawValue) \(stream) \(host)"
        guard let heldBack = throttle.withLock({ $0.take(subject: subject, now: .now) }) else {
            return nil
        }
        var metadata: Logger.Metadata = [
            "reason": "\(refusal.rawValue)",
            "stream": "\(stream)",
            "peer": "\(String(host: host, port: port))",
            "cure": "\(cure)",
        ]
        if heldBack > 0 { metadata["refusals_not_logged"] = "\(heldBack)" }
        return metadata
    }
}

extension String {
    /// Fit for a log line: printable ASCII, cut to 80 bytes.
    fileprivate var loggable: String {
        String(
            decoding: utf8.prefix(80).map { (0x20...0x7e).contains($0) ? $0 : UInt8(ascii: "?") },
            as: UTF8.self
        )
    }
}

import Foundation
import Synchronization

/// Sends what is handed out when it is due, on a thread of its own: sending may block.
final class PacedFeed: Sendable {
    private let isCancelled = Mutex(false)

    /// `next` gives what follows and when it is due, counted from the start; `nil` ends the feed, and so
    /// does a `send` that fails.
    init<Bytes>(
        next: @escaping @Sendable () -> (due: Duration, Bytes)?,
        send: @escaping @Sendable (Bytes) -> Bool,
        end: @escaping @Sendable () -> Void = {}
    ) {
        Thread.detachNewThread { [self] in
            let start = ContinuousClock.now
            while !isCancelled.withLock({ $0 }), let (due, bytes) = next() {
                let wait = ContinuousClock.now.duration(to: start.advanced(by: due))
                if wait > .zero { Thread.sleep(forTimeInterval: wait / .seconds(1)) }
                guard send(bytes) else { break }
            }
            end()
        }
    }

    func cancel() {
        isCancelled.withLock { $0 = true }
    }
}

import CFFmpeg
import DequeModule
import Glibc
import Synchronization

/// Hands work to a thread of its own, in order.
///
/// Threads: any may append; one takes, and sleeps while there is nothing.
/// Bound: what `append` is told. Where the system has no descriptor to spare, nothing is taken.
final class WorkQueue<Work: Sendable>: Sendable {
    private struct State {
        var waiting: Deque<(work: Work, cost: Int)> = []
        var cost = 0
        var isClosed = false
    }

    private let state = Mutex(State())
    /// Counts what was appended and not taken.
    private let counter = eventfd(0, Int32(EFD_CLOEXEC) | Int32(EFD_SEMAPHORE))

    deinit {
        if counter >= 0 { Glibc.close(counter) }
    }

    /// Appends, unless what waits would then cost more than `limit`; work without a cost always fits.
    ///
    /// - Returns: Whether it was appended.
    @discardableResult
    func append(_ work: Work, cost: Int = 0, limit: Int = .max) -> Bool {
        let isAppended = state.withLock { state in
            guard counter >= 0, !state.isClosed, cost == 0 || state.cost <= limit - cost else {
                return false
            }
            state.waiting.append((work, cost))
            state.cost += cost
            return true
        }
        if isAppended { eventfd_write(counter, 1) }
        return isAppended
    }

    /// Nothing more comes; what waits is taken first, or left out.
    func close(leavingOut: Bool = false) {
        state.withLock { state in
            state.isClosed = true
            guard leavingOut else { return }
            state.waiting.removeAll()
            state.cost = 0
        }
        eventfd_write(counter, 1)
    }

    /// Waits for the next piece of work.
    ///
    /// - Returns: `nil` when the queue is closed and empty.
    func next() -> Work? {
        var count: eventfd_t = 0
        while eventfd_read(counter, &count) < 0 {
            guard errno == EINTR else { return nil }
        }
        return state.withLock { state in
            let first = state.waiting.popFirst()
            state.cost -= first?.cost ?? 0
            return first?.work
        }
    }

    var count: Int { state.withLock { $0.waiting.count } }
}

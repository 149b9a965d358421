import Synchronization

/// One consumer's bounded queue of a live stream's events.
///
/// Iterated by one task only.
///
/// A consumer that is too slow loses access units by dependency (see `QueueAdmission`), and goes on at
/// a keyframe; it sees so by the times of what it gets. Tracks, discontinuities and ends are never
/// lost.
package final class LiveStreamSubscription: AsyncSequence, Sendable {
    package typealias Element = MediaEvent
    package typealias Failure = Never

    /// The queue holds at most this much media.
    ///
    /// Both are counts of what is waiting, not of what passed.
    package struct Limit: Sendable {
        package var accessUnits: Int
        package var bytes: Int

        package init(accessUnits: Int, bytes: Int) {
            self.accessUnits = accessUnits
            self.bytes = bytes
        }
    }

    /// How well the consumer keeps up.
    package struct Pressure: Sendable, Equatable {
        package var consumer: String
        /// How full the queue is, 0 to 1: by units or by bytes, whichever is more.
        package var fill: Double
        /// The highest `fill` since the subscription began.
        package var highestFill: Double
        /// Since the subscription began.
        package var losses: QueueLosses

        package init(consumer: String, fill: Double, highestFill: Double, losses: QueueLosses) {
            self.consumer = consumer
            self.fill = fill
            self.highestFill = highestFill
            self.losses = losses
        }
    }

    private struct State {
        var queue: EventQueue
        var isFinished = false
        var waiter: CheckedContinuation<MediaEvent?, Never>?
    }

    private let consumer: String
    private let state: Mutex<State>

    /// `consumer` names it in figures; of a bounded set.
    init(consumer: String, limit: Limit) {
        self.consumer = consumer
        state = Mutex(State(queue: EventQueue(limit: limit)))
    }

    package var pressure: Pressure {
        state.withLock { state in
            Pressure(
                consumer: consumer,
                fill: state.queue.fill,
                highestFill: state.queue.highestFill,
                losses: state.queue.losses
            )
        }
    }

    func enqueue(_ events: [MediaEvent]) {
        let (waiter, first): (CheckedContinuation<MediaEvent?, Never>?, MediaEvent?)
        (waiter, first) = state.withLock { state in
            guard !state.isFinished else { return (nil, nil) }
            for event in events { state.queue.append(event) }
            guard let waiter = state.waiter, let first = state.queue.popFirst() else {
                return (nil, nil)
            }
            state.waiter = nil
            return (waiter, first)
        }
        waiter?.resume(returning: first)
    }

    func finish() {
        let waiter = state.withLock { state in
            state.isFinished = true
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume(returning: nil)
    }

    package func makeAsyncIterator() -> Iterator {
        Iterator(subscription: self)
    }

    package struct Iterator: AsyncIteratorProtocol {
        fileprivate let subscription: LiveStreamSubscription

        package mutating func next() async -> MediaEvent? {
            await subscription.next()
        }

        package mutating func next(
            isolation actor: isolated (any Actor)?
        ) async -> MediaEvent? {
            await subscription.next()
        }
    }

    private func next() async -> MediaEvent? {
        if let event = state.withLock({ $0.queue.popFirst() }) { return event }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let ready: MediaEvent?? = state.withLock { state in
                    if let event = state.queue.popFirst() { return .some(event) }
                    if state.isFinished || Task.isCancelled { return .some(nil) }
                    state.waiter = continuation
                    return nil
                }
                if let ready { continuation.resume(returning: ready) }
            }
        } onCancel: {
            finish()
        }
    }
}

import DequeModule
import NIOCore
import Synchronization

/// One consumer's bounded queue of a live stream's events.
///
/// Iterated by one task only.
///
/// When the queue is full, access units are dropped until a keyframe of video fits again (any frame,
/// for a stream with no video); the consumer then meets `.discontinuity(.overrun)` first. Tracks,
/// discontinuities and ends are never dropped.
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

    private struct State {
        var queue: Deque<MediaEvent> = []
        var queuedAccessUnits = 0
        var queuedBytes = 0
        var droppedAccessUnits = 0
        var isDropping = false
        var videoTrack: Track.ID?
        var isFinished = false
        var waiter: CheckedContinuation<MediaEvent?, Never>?

        mutating func append(_ event: MediaEvent, limit: LiveStreamSubscription.Limit) {
            guard case .accessUnit(let unit) = event else {
                if case .tracks(let tracks) = event { videoTrack = tracks.video?.id }
                queue.append(event)
                return
            }
            let fits =
                queuedAccessUnits < limit.accessUnits
                && queuedBytes + unit.payload.readableBytes <= limit.bytes
            let mayResume = unit.isKeyframe && (videoTrack == nil || unit.track == videoTrack)
            if isDropping ? !(fits && mayResume) : !fits {
                isDropping = true
                droppedAccessUnits += 1
                return
            }
            if isDropping {
                isDropping = false
                queue.append(.discontinuity(.overrun))
            }
            queuedAccessUnits += 1
            queuedBytes += unit.payload.readableBytes
            queue.append(event)
        }

        mutating func popFirst() -> MediaEvent? {
            guard let event = queue.popFirst() else { return nil }
            if case .accessUnit(let unit) = event {
                queuedAccessUnits -= 1
                queuedBytes -= unit.payload.readableBytes
            }
            return event
        }
    }

    private let limit: Limit
    private let state = Mutex(State())

    init(limit: Limit) {
        self.limit = limit
    }

    /// Access units this consumer lost because it was too slow.
    package var droppedAccessUnits: Int {
        state.withLock { $0.droppedAccessUnits }
    }

    func enqueue(_ events: [MediaEvent]) {
        let (waiter, first) = state.withLock { state in
            for event in events { state.append(event, limit: limit) }
            guard let waiter = state.waiter, let first = state.popFirst() else {
                return (nil as CheckedContinuation<MediaEvent?, Never>?, nil as MediaEvent?)
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
        if let event = state.withLock({ $0.popFirst() }) { return event }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let ready: MediaEvent?? = state.withLock { state in
                    if let event = state.popFirst() { return .some(event) }
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

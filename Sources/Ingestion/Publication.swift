package import Media
import Synchronization

/// One publisher's claim on a live stream, from admission to its end.
///
/// Threads: `send`, `update` and `end` are called by the transport's thread; `revoke` and
///          `statistics` by any.
package final class Publication: Sendable {
    package let id: UInt64
    package let request: PublishRequest
    package let startedAt: WallTime
    /// Where its transport stream is merged with others; `nil`: it is the stream's own.
    package let leg: MergedFeed.Leg?

    private struct State {
        var statistics = IngestStatistics()
        var endReason: EndReason?
        var lastArrival: WallTime
    }

    private let deliver: @Sendable ([MediaEvent]) -> Void
    private let state: Mutex<State>
    private let disconnect: @Sendable () -> Void
    private let onEnd: @Sendable (Publication, EndReason) -> Void

    /// A claim that begins now.
    ///
    /// `deliver` takes what is sent, one call at a time, and must not block; nothing is delivered of a
    /// leg. `onEnd` is called once, on the thread that ends or revokes the publication.
    package init(
        id: UInt64,
        request: PublishRequest,
        startedAt: WallTime,
        leg: MergedFeed.Leg? = nil,
        deliver: @escaping @Sendable ([MediaEvent]) -> Void,
        disconnect: @escaping @Sendable () -> Void,
        onEnd: @escaping @Sendable (Publication, EndReason) -> Void
    ) {
        self.id = id
        self.request = request
        self.deliver = deliver
        self.startedAt = startedAt
        self.leg = leg
        state = Mutex(State(lastArrival: startedAt))
        self.disconnect = disconnect
        self.onEnd = onEnd
    }

    package var statistics: IngestStatistics {
        state.withLock { $0.statistics }
    }

    /// When bytes came last; before the first, when the publisher came.
    package var lastArrival: WallTime {
        state.withLock { $0.lastArrival }
    }

    /// Hands events to the stream's consumers, together; after the end it does nothing.
    ///
    /// The lock is held while handing on, so nothing of this publisher can follow its own `.end`.
    package func send(_ events: [MediaEvent]) {
        state.withLock { state in
            // What comes of a leg comes of all: their feed hands it on.
            guard state.endReason == nil, leg == nil, !events.isEmpty else { return }
            deliver(events)
        }
    }

    /// Hands on bytes of the transport stream of a leg; after the end it does nothing.
    ///
    /// The bytes are read during the call. `isAfterLoss`: the transport knows that some are missing in
    /// front of them.
    package func send(_ bytes: UnsafeRawBufferPointer, arrival: WallTime, isAfterLoss: Bool) {
        state.withLock { state in
            guard state.endReason == nil else { return }
            leg?.receive(bytes, arrival: arrival, isAfterLoss: isAfterLoss)
        }
    }

    /// Notes that bytes came, whatever they turn out to be.
    ///
    /// Once a read burst is often enough.
    package func noteReceived(bytes: Int, at arrival: WallTime) {
        state.withLock { state in
            state.lastArrival = arrival
            state.statistics.receivedBytes &+= UInt64(max(bytes, 0))
        }
    }

    package func update(_ change: (inout IngestStatistics) -> Void) {
        state.withLock { change(&$0.statistics) }
    }

    /// The publisher is gone: consumers get `.end`, and the name is free.
    package func end(_ reason: EndReason) {
        let isFirst = state.withLock { state in
            guard state.endReason == nil else { return false }
            state.endReason = reason
            if let leg {
                leg.leave(reason, at: state.lastArrival)
            } else {
                deliver([.end(reason)])
            }
            return true
        }
        if isFirst { onEnd(self, reason) }
    }

    /// Takes the stream away from its publisher and has the transport disconnect it.
    package func revoke(_ reason: EndReason) {
        end(reason)
        disconnect()
    }
}

import Synchronization

/// One live stream: the events of its publisher, handed to every consumer.
///
/// A stream outlives its publishers: one may leave and another come, and consumers stay subscribed.
/// Only `close()` ends their sequences.
///
/// Bounds: each subscription has a queue of its own with its own limit. A consumer that falls behind
///         loses media by dependency; it never slows the publisher or the other consumers.
/// Threads: `send` may be called from any thread, one caller at a time; it never blocks.
package final class LiveStream: Sendable {
    package let name: StreamName

    /// A coded picture that can be decoded by itself, and what it is coded in.
    package struct Keyframe: Sendable {
        package let format: VideoFormat
        package let unit: AccessUnit
        /// Counts the keyframes of the stream, the first is 1: tells a newer one from this.
        package let number: UInt64
    }

    private struct State {
        var tracks: TrackList?
        var picture: Track.ID?
        var keyframe: Keyframe?
        var keyframeCount: UInt64 = 0
        var subscriptions: [LiveStreamSubscription] = []
        var isClosed = false

        mutating func note(_ event: MediaEvent) {
            switch event {
            case .tracks(let tracks):
                self.tracks = tracks
                picture = tracks.video?.id
                if picture == nil { keyframe = nil }
            case .accessUnit(let unit) where unit.isKeyframe && unit.track == picture:
                guard let format = tracks?.video?.video else { return }
                keyframeCount &+= 1
                keyframe = Keyframe(format: format, unit: unit, number: keyframeCount)
            case .accessUnit, .discontinuity, .end:
                break
            }
        }
    }

    private let state = Mutex(State())

    package init(name: StreamName) {
        self.name = name
    }

    /// The tracks announced last; `nil` before the first announcement.
    package var tracks: TrackList? {
        state.withLock { $0.tracks }
    }

    /// The newest keyframe of the picture; `nil` before the first, and while there is no picture.
    package var keyframe: Keyframe? {
        state.withLock { $0.keyframe }
    }

    /// How well each consumer keeps up, in the order in which they came.
    package var pressure: [LiveStreamSubscription.Pressure] {
        state.withLock { $0.subscriptions }.map(\.pressure)
    }

    package func send(_ event: MediaEvent) {
        send([event])
    }

    /// Hands events on together: a consumer that waits is woken once.
    package func send(_ events: [MediaEvent]) {
        let subscriptions = state.withLock { state in
            guard !state.isClosed else { return [LiveStreamSubscription]() }
            for event in events { state.note(event) }
            return state.subscriptions
        }
        for subscription in subscriptions { subscription.enqueue(events) }
    }

    /// Events from now on; the first is the present track list, when there is one.
    ///
    /// `consumer` names it in figures; of a bounded set.
    package func subscribe(
        as consumer: String,
        limit: LiveStreamSubscription.Limit
    ) -> LiveStreamSubscription {
        let subscription = LiveStreamSubscription(consumer: consumer, limit: limit)
        let isClosed = state.withLock { state in
            if let tracks = state.tracks { subscription.enqueue([.tracks(tracks)]) }
            state.subscriptions.append(subscription)
            return state.isClosed
        }
        if isClosed { subscription.finish() }
        return subscription
    }

    /// No publisher will come back: every subscription ends once its queue is empty.
    package func close() {
        let subscriptions = state.withLock { state in
            state.isClosed = true
            return state.subscriptions
        }
        for subscription in subscriptions { subscription.finish() }
    }
}

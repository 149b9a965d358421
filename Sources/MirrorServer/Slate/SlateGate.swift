package import Logging
package import Media
package import Processing
import Synchronization

/// The last stretch to a live stream, where a slate steps in for inputs that send nothing.
///
/// Threads: any. The lock is held while handing on, so that nothing of the slate follows what came of
///          an input that took its place.
package final class SlateGate: Sendable {
    private struct State {
        var slate = SlateSwitch()
        /// What a slate was asked for last, whatever came of it.
        var order: Order?
        var timesShown: UInt64 = 0
    }

    private struct Order: Equatable {
        let file: String
        let tracks: TrackList
    }

    /// What the slate is doing; the raw value is an API field.
    package enum Condition: String, Sendable, CaseIterable {
        /// It is being made, or cannot be made.
        case missing
        case ready
        case onAir = "on_air"
        /// It was shown for as long as it may be.
        case over
    }

    private let live: LiveStream
    private let logger: Logger
    private let state = Mutex(State())

    package init(_ live: LiveStream, logger: Logger) {
        self.live = live
        var logger = logger
        logger[metadataKey: "stream"] = "\(live.name)"
        self.logger = logger
    }

    package var condition: Condition {
        state.withLock { state in
            switch state.slate.phase {
            case .inputs: state.slate.isReady ? .ready : .missing
            case .slate: .onAir
            case .over: .over
            }
        }
    }

    /// When it went on air; `nil` while it is not.
    package var shownSince: WallTime? { state.withLock { $0.slate.shownSince } }

    /// A slate was asked for.
    package var isWanted: Bool {
        state.withLock { $0.order != nil || $0.slate.isReady || $0.slate.phase != .inputs }
    }

    /// How often it went on air.
    package var timesShown: UInt64 { state.withLock { $0.timesShown } }

    // MARK: Media

    /// Hands on what the inputs send.
    package func send(_ events: [MediaEvent]) {
        let isBack = state.withLock { state in
            let before = state.slate.phase
            let outgoing = state.slate.receive(events)
            if !outgoing.isEmpty { live.send(outgoing) }
            return before == .slate && state.slate.phase == .inputs
        }
        if isBack { logger.notice("slate off air", metadata: ["reason": "input_back"]) }
    }

    /// Shows what is due; `terms` are `nil` where no slate is configured.
    ///
    /// - Returns: Whether the slate has left just now, and nothing came in its place.
    package func advance(to now: WallTime, _ terms: SlateSwitch.Terms?) -> Bool {
        let (before, after) = state.withLock { state in
            let before = state.slate.phase
            let outgoing = state.slate.advance(to: now, terms)
            if !outgoing.isEmpty { live.send(outgoing) }
            let after = state.slate.phase
            if before == .inputs, after == .slate { state.timesShown += 1 }
            return (before, after)
        }
        if before == .inputs, after == .slate { logger.notice("slate on air") }
        guard before == .slate, after == .over else { return false }
        let reason = terms == nil ? "not_wanted" : "limit"
        logger.notice("slate off air", metadata: ["reason": "\(reason)"])
        return true
    }

    // MARK: Making

    /// What is to be made of a file now; `nil` where that was asked for already, or nothing has come.
    package func order(_ file: String) -> SlateSwitch.Model? {
        state.withLock { state in
            guard state.slate.phase == .inputs, let model = state.slate.model else { return nil }
            let order = Order(file: file, tracks: model.tracks)
            guard state.order != order else { return nil }
            state.order = order
            return model
        }
    }

    /// Takes the slate that was ordered; `nil` has it ordered again.
    package func take(_ slate: ReadySlate?, of file: String) {
        state.withLock { state in
            guard state.order?.file == file else { return }
            if let slate { state.slate.prepare(slate) } else { state.order = nil }
        }
    }

    /// Has a slate ordered anew: another file, or the same with other content.
    package func renew() {
        state.withLock { $0.order = nil }
    }
}

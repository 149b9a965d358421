package import Media

/// Which of a stream's inputs is on air, and when another takes its place.
///
/// In:    the events of every input, each in its own order, and once a second what each has lost.
/// Out:   the events of one publisher. Another input comes in behind
///        `discontinuity(.publisherChange)` and its `tracks`, with a keyframe first.
/// Off air nobody → on air, with the first keyframe of any input (an only input: with its first
///        event).
/// On air an input → another, at once and from the keyframe that is held of it: when the one on air
///        has been silent, or its publisher has left. → another, at the next keyframe of that: when
///        it loses for long and the other does not, when the preferred input has been steady for long
///        enough, or when an operator says so. → nobody: its publisher has left, and no other is fit.
/// Prefers the input that an operator has selected, else the first. It is left like any other when it
///        falls silent (but not for loss, when it was selected), and taken back when it is steady.
/// Hysteresis: a return that does not hold for a minute doubles the time of the next, up to 32-fold.
/// Time:  of arrival, in band. While another input sends, its media is the clock; while none does,
///        there is nothing to switch to.
/// Bound: the newest group of pictures of each input that is off air, 32 MiB and 10 s of it.
///
/// A value with no clock, no lock and no I/O.
package struct InputSwitch: Sendable {
    package struct Configuration: Sendable, Equatable {
        /// In the order of preference.
        package var names: [StreamName]
        /// What the one on air may stay silent.
        package var silence: Duration
        /// How long the preferred input must be steady before it is taken back.
        package var returnAfter: Duration

        package init(
            names: [StreamName],
            silence: Duration = .milliseconds(500),
            returnAfter: Duration = .seconds(10)
        ) {
            self.names = names
            self.silence = silence
            self.returnAfter = returnAfter
        }
    }

    /// Why another input went on air; the raw value is a metric label.
    package enum Reason: String, Sendable, CaseIterable {
        case silence
        case loss
        /// The publisher of the one before had left.
        case ended
        /// The preferred input is back.
        case returned
        /// An operator's command.
        case selected
    }

    package struct Change: Sendable, Equatable {
        package let from: StreamName
        package let to: StreamName
        package let reason: Reason
        package let at: WallTime
    }

    private static let lookInterval = Duration.seconds(1)
    /// A return that lasts no longer has failed.
    private static let shortReturn = Duration.seconds(60)
    private static let setbackLimit = 5

    private(set) var configuration: Configuration
    private(set) var inputs: [RedundantInput]
    private(set) var onAir: Int?
    /// What an operator prefers; `nil`: the first.
    private(set) var selected: StreamName?
    private(set) var counts: [Reason: UInt64] = [:]
    /// Of all reasons.
    private(set) var changeCount: UInt64 = 0
    private(set) var latestChange: Change?
    /// What was on air last, and still is where `onAir` is set.
    private var latest: StreamName?
    /// The selected input goes on air at its next keyframe, steady or not.
    private var isOrdered = false
    private var returnedAt: WallTime?
    private var setbacks = 0
    private var lookedAt: WallTime?

    package init(_ configuration: Configuration) {
        self.configuration = configuration
        inputs = configuration.names.map { RedundantInput(name: $0) }
    }

    /// Takes what an input sends, and returns what goes on air for it.
    package mutating func receive(
        _ events: [MediaEvent],
        from name: StreamName
    ) -> [MediaEvent] {
        guard let index = index(of: name) else { return [] }
        let isOnAir = index == onAir
        let known = inputs[index].tracks
        let isFresh = inputs[index].take(
            events,
            silence: configuration.silence,
            keeping: !isOnAir && inputs.count > 1
        )
        if case .end? = events.last { return leave(index, isOnAir ? events : []) }
        if isOnAir { return events }
        guard inputs.count == 1 else { return consider(index, isFresh: isFresh) }
        let start = putOnAir(index, because: .ended)
        return start + [known.map { MediaEvent.tracks($0) }].compactMap(\.self) + events
    }

    /// Takes how many packets each input has lost so far, of those that have a publisher.
    ///
    /// Calls within a second of the last do nothing.
    package mutating func look(at losses: [StreamName: UInt64], now: WallTime) {
        if let lookedAt, (.zero..<Self.lookInterval).contains(now.duration(since: lookedAt)) {
            return
        }
        lookedAt = now
        for index in inputs.indices {
            inputs[index].noteLoss(losses[inputs[index].name], at: now)
        }
    }

    /// Prefers an input from now on, and puts it on air at its next keyframe; `nil` prefers the first
    /// again, which returns when it is steady.
    ///
    /// - Returns: Whether there is such an input.
    package mutating func select(_ name: StreamName?) -> Bool {
        guard let name else {
            selected = nil
            isOrdered = false
            return true
        }
        guard let index = index(of: name) else { return false }
        selected = name
        isOrdered = index != onAir
        return true
    }

    /// Goes on with other inputs, or other times: those of the same name stay as they are.
    ///
    /// An input that is named no more and still has its publisher stays as the last.
    package mutating func reconfigure(_ wanted: Configuration, keeping claimed: Set<StreamName>) {
        let onAirName = onAir.map { inputs[$0].name }
        let rest = inputs.map(\.name).filter { name in
            claimed.contains(name) && !wanted.names.contains(name)
        }
        inputs = (wanted.names + rest).map { name in
            inputs.first { $0.name == name } ?? RedundantInput(name: name)
        }
        configuration = wanted
        onAir = onAirName.flatMap { index(of: $0) }
        if let selected, index(of: selected) == nil { _ = select(nil) }
    }

    // MARK: Decisions

    /// What goes on air now that an input which is not on air has sent media.
    ///
    /// `isFresh`: a keyframe has just come, so that what is held of it begins now.
    private mutating func consider(_ index: Int, isFresh: Bool) -> [MediaEvent] {
        guard let now = inputs[index].latestArrival else { return [] }
        guard let current = onAir else {
            return inputs[index].canBegin ? begin(with: index, because: .ended) : []
        }
        if inputs[current].isSilent(at: now, for: configuration.silence) {
            return best(at: now).map { begin(with: $0, because: .silence) } ?? []
        }
        guard isFresh, let reason = reason(for: index, inPlaceOf: current, at: now) else {
            return []
        }
        return begin(with: index, because: reason)
    }

    /// Why an input should take the place of one that sends.
    private func reason(for index: Int, inPlaceOf current: Int, at now: WallTime) -> Reason? {
        let input = inputs[index]
        if index == preferred {
            if isOrdered { return .selected }
            let wait = configuration.returnAfter * (1 << setbacks)
            if input.isSteady(at: now, for: wait), !input.loss.isSustained { return .returned }
        }
        let isHeldByHand = selected != nil && current == preferred
        let isBetter =
            inputs[current].loss.isSustained && input.loss.isNone
            && input.isSteady(at: now, for: configuration.silence)
        return isBetter && !isHeldByHand ? .loss : nil
    }

    /// The input to go on with at once, of those off air.
    private func best(at now: WallTime) -> Int? {
        let fit = inputs.indices.filter { index in
            index != onAir && inputs[index].canBegin
                && !inputs[index].isSilent(at: now, for: configuration.silence)
        }
        return fit.first { $0 == preferred && !inputs[$0].loss.isSustained }
            ?? fit.first { !inputs[$0].loss.isSustained } ?? fit.first
    }

    private var preferred: Int { selected.flatMap { index(of: $0) } ?? 0 }

    private func index(of name: StreamName) -> Int? {
        inputs.firstIndex { $0.name == name }
    }

    // MARK: Changes

    private mutating func leave(_ index: Int, _ events: [MediaEvent]) -> [MediaEvent] {
        if index == preferred { isOrdered = false }
        let last = inputs[index].latestArrival
        inputs[index] = RedundantInput(name: inputs[index].name)
        guard index == onAir else { return [] }
        onAir = nil
        guard let now = last, let next = best(at: now) else { return events }
        return events.dropLast() + begin(with: next, because: .ended)
    }

    /// Puts on air what is held of an input.
    private mutating func begin(with index: Int, because reason: Reason) -> [MediaEvent] {
        putOnAir(index, because: reason) + inputs[index].begin()
    }

    private mutating func putOnAir(_ index: Int, because reason: Reason) -> [MediaEvent] {
        let name = inputs[index].name
        let isFirst = latest == nil
        if let latest, latest != name, let now = inputs[index].latestArrival {
            note(Change(from: latest, to: name, reason: reason, at: now))
        }
        onAir = index
        latest = name
        if index == preferred { isOrdered = false }
        return isFirst ? [] : [.discontinuity(.publisherChange)]
    }

    private mutating func note(_ change: Change) {
        counts[change.reason, default: 0] += 1
        changeCount += 1
        latestChange = change
        if change.reason == .returned {
            returnedAt = change.at
        } else if change.from == inputs[preferred].name, let returnedAt {
            let hasHeld = change.at.duration(since: returnedAt) >= Self.shortReturn
            setbacks = hasHeld ? 0 : min(setbacks + 1, Self.setbackLimit)
        }
    }
}

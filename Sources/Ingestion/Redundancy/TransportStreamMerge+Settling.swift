import Media

/// Decides which of the packets that wait go on, and when.
extension TransportStreamMerge {
    /// More than come at once, so that none are left for long.
    static let roundLimit = 512

    /// Hands on all that need not wait any longer.
    ///
    /// Bound: `roundLimit` rounds, of which each takes packets that wait; the next call takes the rest.
    mutating func settle(at now: WallTime, _ emit: (Output) -> Void) {
        var rounds = Self.roundLimit
        while rounds > 0, settleOne(at: now, emit) { rounds -= 1 }
    }

    /// The leg whose packets wait longest.
    func oldest(of candidates: [Int]) -> Int? {
        candidates
            .compactMap { leg in legs[leg].waiting.oldestArrival.map { (leg: leg, arrival: $0) } }
            .min { $0.arrival < $1.arrival }?.leg
    }

    private mutating func settleOne(at now: WallTime, _ emit: (Output) -> Void) -> Bool {
        var waiting: [Int] = []
        for leg in legs.indices where !legs[leg].waiting.isEmpty {
            if let match = find(leg) {
                place(leg, match, emit)
                return true
            }
            waiting.append(leg)
        }
        guard !waiting.isEmpty else { return false }
        let guides = legs.indices.filter { legs[$0].isKnown && isHeard($0, at: now) }
        if guides.isEmpty { return goOnWithoutGuide(waiting, at: now, emit) }
        let isEndBrought = guides.contains { legs[$0].place == .known(history.end) }
        for leg in waiting where isOverdue(leg, at: now) {
            // One that is behind would wait for what the leg with the gap has lost as well.
            guard isEndBrought || !legs[leg].isProven else {
                force(leg, emit)
                return true
            }
            stray(leg, at: now)
        }
        return false
    }

    /// What to do while nobody brings packets of which it is known where they belong.
    private mutating func goOnWithoutGuide(
        _ waiting: [Int],
        at now: WallTime,
        _ emit: (Output) -> Void
    ) -> Bool {
        for (place, leg) in waiting.enumerated() {
            for other in waiting[..<place] {
                guard let (first, overlap) = earlier(of: leg, other) else { continue }
                force(first, overlapping: overlap, emit)
                return true
            }
        }
        let proven = oldest(of: waiting.filter { legs[$0].isProven })
        guard let leg = proven ?? oldest(of: waiting) else { return false }
        let others = legs.indices.filter { $0 != leg }
        let isAlone = !others.contains { isHeard($0, at: now) && !legs[$0].isStray }
        let isAwaited = others.contains {
            legs[$0].isProven && legs[$0].isHeard(within: configuration.silence, of: now)
        }
        let isOverdue = isOverdue(leg, at: now)
        let mayGoOn = legs[leg].isProven || !isAwaited
        guard history.end == 0 || mayGoOn && (isAlone || isOverdue) else {
            for leg in waiting where self.isOverdue(leg, at: now) { stray(leg, at: now) }
            return false
        }
        force(leg, emit)
        return true
    }

    private func isHeard(_ leg: Int, at now: WallTime) -> Bool {
        legs[leg].isHeard(within: configuration.maximumSkew, of: now)
    }

    private func isOverdue(_ leg: Int, at now: WallTime) -> Bool {
        guard let oldest = legs[leg].waiting.oldestArrival else { return false }
        let waited = now.duration(since: oldest)
        // Much less than nothing: the machine's clock was set back.
        return waited >= configuration.maximumSkew || waited <= .zero - configuration.maximumSkew
            || legs[leg].waiting.byteCount > configuration.byteLimit
    }

    /// The feed goes on without the oldest packets of this leg.
    private mutating func stray(_ leg: Int, at now: WallTime) {
        let earliest = now.advanced(by: .zero - configuration.maximumSkew)
        var dropped = legs[leg].waiting.count(before: earliest)
        if legs[leg].waiting.byteCount > configuration.byteLimit {
            dropped = max(dropped, legs[leg].waiting.count / 2)
        }
        legs[leg].isStray = true
        legs[leg].dropWaiting(max(dropped, 1))
    }

    /// Which of two legs that both wait has the packets that come first.
    ///
    /// - Returns: `nil` while that cannot be told; else the leg, and how many of its packets the end of
    ///   the output may be at most, which the other has brought.
    private mutating func earlier(
        of left: Int,
        _ right: Int
    ) -> (leg: Int, overlap: Int?)? {
        guard let match = common(left, right) else { return nil }
        if legs[left].isProven || legs[right].isProven {
            legs[left].isProven = true
            legs[right].isProven = true
        }
        switch (match.left, match.right) {
        case (0, 0):
            // All that is missing, if anything is, is missing on both.
            legs[left].settleSuspicion(isMissing: false)
            let isAtEnd = max(legs[left].reached ?? 0, legs[right].reached ?? 0) == history.end
            return (left, isAtEnd ? 0 : nil)
        case (0, let ahead):
            return (right, match.isCertain && legs[left].reached == history.end ? ahead : nil)
        case (let ahead, 0):
            return (left, match.isCertain && legs[right].reached == history.end ? ahead : nil)
        case (let ours, let theirs):
            // Both have lost packets on the way to it. The leg that brought more of them, up to the first
            // that is the same, began before.
            let places = firstShared(left, right, before: (ours, theirs)) ?? (ours, theirs)
            return (places.left >= places.right ? left : right, nil)
        }
    }
}

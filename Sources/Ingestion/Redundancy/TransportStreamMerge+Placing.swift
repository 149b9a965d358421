/// Finds where packets that wait belong, by those that are like no other.
extension TransportStreamMerge {
    /// A packet that waits is the one with this index of the output, and all between the two before.
    struct Match {
        var waiting: Int
        var index: Int
    }

    /// Packets that are looked for in one attempt, in each direction.
    private static let attempts = 8
    /// The same between two legs that both wait.
    private static let commonAttempts = 32
    /// The same before packets go on unmatched, where the output ends and where they begin.
    private static let lastAttempts = 256
    /// Telling packets that must fit in a row: tables come again as they were, and several together.
    private static let evidence = 4
    /// The same of a leg that may carry another feed, which may have the same tables and silence.
    private static let proof = 16

    /// Where the packets of a leg that wait belong, as far as they or the output are new.
    mutating func find(_ leg: Int) -> Match? {
        let waiting = legs[leg].searched.waiting..<legs[leg].waiting.count
        let index = max(legs[leg].searched.history, notBefore(leg))..<history.end
        legs[leg].searched.waiting = waiting.upperBound
        legs[leg].searched.history = index.upperBound
        if let match = findNext(leg) { return match }
        return find(
            leg,
            Self.samples(of: waiting, count: Self.attempts),
            Self.samples(of: index, count: Self.attempts),
            evidence: legs[leg].isProven ? Self.evidence : Self.proof
        )
    }

    /// Where a leg goes on that has lost nothing, but has brought what the output lacks: it must come
    /// to what it was to bring.
    private mutating func findNext(_ leg: Int) -> Match? {
        let index = notBefore(leg)
        let waiting = legs[leg].waiting
        guard legs[leg].isProven, index == legs[leg].reached, index < history.end,
            !waiting.isEmpty, !waiting.beginsAfterGap
        else { return nil }
        let run = waiting.run(of: 0)
        let row = index..<history.end
        let place = DigestSearch.firstFit(
            of: row,
            in: legs[leg].searched.next..<run.upperBound,
            rowDigest: { history[$0] },
            textDigest: { waiting[$0] }
        )
        // Those in front of it have another one behind them than the output has.
        legs[leg].searched.next = place ?? run.upperBound
        guard let place,
            min(run.upperBound - place, row.count) >= min(Self.evidence, row.count)
        else { return nil }
        return Match(waiting: place, index: index)
    }

    private func notBefore(_ leg: Int) -> Int {
        switch legs[leg].place {
        case .known(let index), .unknown(let index): max(index, history.start)
        }
    }

    /// Looks for some of the packets that wait in the output, and the other way round.
    private func find(
        _ leg: Int,
        _ waiting: StrideTo<Int>,
        _ indices: StrideTo<Int>,
        evidence: Int
    ) -> Match? {
        let earliest = notBefore(leg)
        guard earliest < history.end else { return nil }
        // One that was compared beside another would be compared with the same packets once more.
        var compared = 0
        for place in waiting where place >= compared {
            let digest = legs[leg].waiting[place]
            guard let index = history.onlyIndex(of: digest), index >= earliest,
                legs[leg].waiting.onlyIndex(of: digest) == place
            else { continue }
            let (match, ahead) = verify(Match(waiting: place, index: index), of: leg, evidence)
            if let match { return match }
            compared = place + ahead
        }
        compared = 0
        for index in indices where index >= compared {
            let digest = history[index]
            guard let place = legs[leg].waiting.onlyIndex(of: digest),
                history.onlyIndex(of: digest) == index
            else { continue }
            let (match, ahead) = verify(Match(waiting: place, index: index), of: leg, evidence)
            if let match { return match }
            compared = index + ahead
        }
        return nil
    }

    /// A match whose neighbours fit as well, moved back to the first that does, and how many fit ahead.
    private func verify(
        _ match: Match,
        of leg: Int,
        _ evidence: Int
    ) -> (match: Match?, ahead: Int) {
        let waiting = legs[leg].waiting
        let run = waiting.run(of: match.waiting)
        let ahead = min(run.upperBound - match.waiting, history.end - match.index)
        var fitting = 0
        for step in 0..<ahead {
            let digest = waiting[match.waiting + step]
            guard digest == history[match.index + step] else { return (nil, step) }
            if PacketDigest.isTelling(digest) { fitting += 1 }
        }
        let earliest = notBefore(leg)
        var match = match
        while match.waiting > 0, match.index > earliest,
            waiting[match.waiting - 1] == history[match.index - 1]
        {
            match.waiting -= 1
            match.index -= 1
            if PacketDigest.isTelling(waiting[match.waiting]) { fitting += 1 }
        }
        return (fitting >= evidence ? match : nil, ahead)
    }

    /// Goes on from a match: what is new behind it goes out.
    mutating func place(_ leg: Int, _ match: Match, _ emit: (Output) -> Void) {
        var isMissing = match.waiting > 0
        if let reached = legs[leg].reached {
            let missing = match.index - max(reached, history.start) - match.waiting
            legs[leg].counts.missingPackets &+= UInt64(max(missing, 0))
            isMissing = isMissing || match.index != reached
        }
        legs[leg].settleSuspicion(isMissing: isMissing)
        if match.waiting > 0 {
            // What this leg has and the output lacks is what the others lost before they saw it.
            for other in legs.indices { legs[other].settleSuspicion(isMissing: true) }
        }
        legs[leg].dropWaiting(match.waiting)
        release(leg, from: match.index, emit)
    }

    /// Has the feed go on with the packets of a leg that wait, whatever is missing in front of them.
    ///
    /// `most`: how many of them the end of the output may be at most; `nil` when that is not known.
    mutating func force(
        _ leg: Int,
        overlapping most: Int? = nil,
        _ emit: (Output) -> Void
    ) {
        // Their first may be the last that went out.
        let waiting = 0..<min(legs[leg].waiting.count, Self.lastAttempts)
        let indices = max(notBefore(leg), history.end - Self.lastAttempts)..<history.end
        let match = find(
            leg,
            Self.samples(of: waiting, count: waiting.count),
            Self.samples(of: indices, count: indices.count),
            evidence: legs[leg].isProven ? Self.evidence : Self.proof
        )
        if let match = match ?? earliest(leg, most) { return place(leg, match, emit) }
        if legs[leg].isProven {
            counts.holes &+= 1
            legs[leg].settleSuspicion(isMissing: true)
            legs[leg].dropWaiting(outdated(leg, most))
            guard !legs[leg].waiting.isEmpty else { return }
        } else if history.end > 0 {
            counts.restarts &+= 1
            history.forget()
            for other in legs.indices {
                legs[other].losePlace()
                legs[other].isProven = false
            }
            emit(.restarted)
        }
        release(leg, from: history.end, emit)
    }

    /// The first place in the output where all that waits up to a gap fits, look-alikes or not.
    ///
    /// Where it belongs fits as well and is not before this, so that nothing goes out twice. With
    /// look-alikes only, some of them may be left out.
    private func earliest(_ leg: Int, _ most: Int?) -> Match? {
        guard legs[leg].isProven else { return nil }
        let waiting = legs[leg].waiting
        let run = waiting.run(of: 0)
        var first = notBefore(leg)
        // Not with a gap among them: of unknown length.
        if let most, most <= run.upperBound { first = max(first, history.end - most) }
        guard first < history.end else { return nil }
        return DigestSearch.firstFit(
            of: run,
            in: first..<history.end,
            rowDigest: { waiting[$0] },
            textDigest: { history[$0] }
        ).map { Match(waiting: 0, index: $0) }
    }

    /// How many packets that wait come too late: behind them are some that went out.
    ///
    /// So it is where a loss was seen only behind packets that came after it.
    private func outdated(_ leg: Int, _ most: Int?) -> Int {
        let waiting = legs[leg].waiting
        let indices = max(notBefore(leg), history.end - Self.lastAttempts)..<history.end
        guard let end = indices.last else { return 0 }
        if let most, most > 0, waiting[most - 1] == history[end] { return most }
        let last = (0..<min(waiting.count, Self.lastAttempts)).last { place in
            let digest = waiting[place]
            return waiting.onlyIndex(of: digest) == place
                && history.onlyIndex(of: digest).map(indices.contains) == true
        }
        return last.map { $0 + 1 } ?? 0
    }

    /// Takes the packets of a leg that wait up to the next gap: the first is the one with this index.
    private mutating func release(_ leg: Int, from index: Int, _ emit: (Output) -> Void) {
        let end = legs[leg].waiting.run(of: 0).upperBound
        var index = index
        var taken = 0
        while taken < end, index < history.end, history[index] == legs[leg].waiting[taken] {
            taken += 1
            index += 1
        }
        if index == history.end, taken < end {
            if let arrival = legs[leg].waiting.oldestArrival { history.noteArrival(arrival) }
            for place in taken..<end { history.append(legs[leg].waiting[place]) }
            legs[leg].waiting.withBytes(of: taken..<end) { emit(.packets($0)) }
            legs[leg].counts.usedPackets &+= UInt64(end - taken)
            index = history.end
            taken = end
        }
        legs[leg].place = .known(index)
        legs[leg].isProven = true
        legs[leg].isStray = false
        legs[leg].removeWaiting(taken)
        legs[leg].searched = .init()
        if !legs[leg].waiting.isEmpty || !legs[leg].isPresent { legs[leg].losePlace() }
    }

    /// A packet that waits on both legs and is like no other: the first of those that follow one another
    /// up to it on both.
    func common(_ left: Int, _ right: Int) -> (left: Int, right: Int, isCertain: Bool)? {
        let (ours, theirs) = (legs[left].waiting, legs[right].waiting)
        let isProven = legs[left].isProven && legs[right].isProven
        var compared = 0
        for sample in Self.samples(of: 0..<ours.count, count: Self.commonAttempts)
        where sample >= compared {
            let digest = ours[sample]
            guard let found = theirs.onlyIndex(of: digest), ours.onlyIndex(of: digest) == sample,
                history.onlyIndex(of: digest) == nil
            else { continue }
            let (run, other) = (ours.run(of: sample), theirs.run(of: found))
            let back = min(sample - run.lowerBound, found - other.lowerBound)
            let ahead = min(run.upperBound - sample, other.upperBound - found)
            // Outwards, so that no other sample's neighbours are compared as well.
            let fits = (0..<ahead).first { ours[sample + $0] != theirs[found + $0] } ?? ahead
            compared = sample + fits
            guard fits == ahead,
                (0..<back).allSatisfy({ ours[sample - 1 - $0] == theirs[found - 1 - $0] }),
                (-back..<ahead).count(where: { PacketDigest.isTelling(ours[sample + $0]) })
                    >= (isProven ? Self.evidence : Self.proof)
            else { continue }
            var match = (left: sample - back, right: found - back, isCertain: true)
            // A gap that both have, in one place, is none.
            while match.left > 0, match.right > 0, ours[match.left - 1] == theirs[match.right - 1] {
                match = (match.left - 1, match.right - 1, false)
            }
            return match
        }
        return nil
    }

    /// Where the first packet is that waits on both legs in front of two places, however few are beside it.
    func firstShared(
        _ left: Int,
        _ right: Int,
        before places: (left: Int, right: Int)
    ) -> (left: Int, right: Int)? {
        let (ours, theirs) = (legs[left].waiting, legs[right].waiting)
        for place in Self.samples(of: 0..<places.left, count: Self.commonAttempts) {
            let digest = ours[place]
            guard let other = theirs.onlyIndex(of: digest), other < places.right,
                ours.onlyIndex(of: digest) == place
            else { continue }
            return (place, other)
        }
        return nil
    }

    private static func samples(of range: Range<Int>, count: Int) -> StrideTo<Int> {
        let step = max(1, range.count / max(count, 1))
        return stride(from: range.lowerBound, to: range.upperBound, by: step)
    }
}

package import Media

/// One feed that comes on several ways becomes one transport stream: hitless redundancy.
///
/// In:    on each leg the same transport packets in the same order, of which any may be missing; legs
///        come and go. Packets of 188, 192 or 204 bytes, split anywhere.
/// Out:   each packet of the feed once, in its order, as long as one leg has it; 188 bytes each.
/// Place: a leg is at an index of the output. One that is behind brings what was handed on, and is
///        compared with it packet by packet; one that is at the end brings what is new, which goes on
///        at once. Behind a gap, or with another packet than the output has, a leg has lost its place:
///        its packets wait until one of them that is like no other is found among those of the others.
///        So repeated packets, null packets and counters that have come round are no matter.
/// Gaps:  the transport tells of them where it can; else a continuity counter does. A counter that
///        breaks again and again with nothing missing is not listened to until it has been right for
///        a while. Where the first packet behind a gap does not show it, that has gone out: what is
///        missing has no place any more, or some go out twice.
/// Wait:  `maximumSkew`. What no leg brought by then is lost, and what is behind it goes on. Where no
///        other leg could bring it, nothing waits.
/// Stray: a leg that is not found in the feed within that time carries another one, or is too far
///        off. Its packets are left out, unless all others are silent for `silence`: then it takes
///        over, behind `Output.restarted`.
/// Bound: `byteLimit` of what waits on a leg, and as many digests of the output as that has packets.
/// Cost:  of a search, so many look-ups and once over what waits and the digests, look-alikes or not.
/// Errors: none; any bytes may come.
///
/// Threads: one owner. Nothing here blocks, reads a clock or does I/O.
///
/// Source: SMPTE ST 2022-7 for the idea, which takes RTP's sequence numbers for what are digests here.
package struct TransportStreamMerge: Sendable {
    package struct Configuration: Sendable, Equatable {
        /// How much later one leg may bring what another has brought.
        package var maximumSkew: Duration
        /// After which time without a packet a leg is nobody's hope any more.
        package var silence: Duration
        /// Of packets that wait, on each leg.
        package var byteLimit: Int

        package init(
            maximumSkew: Duration = .milliseconds(500),
            silence: Duration = .seconds(1),
            byteLimit: Int = 12_000_000
        ) {
            self.maximumSkew = maximumSkew
            self.silence = silence
            self.byteLimit = byteLimit
        }
    }

    package enum Output {
        /// Whole packets of 188 bytes, to be read during the call.
        case packets(UnsafeRawBufferPointer)
        /// What follows is another feed than what came before.
        case restarted
    }

    let configuration: Configuration
    var legs: [MergeLeg]
    var history: PacketHistory
    var counts = TransportStreamMergeStatistics()

    /// A merge of as many legs, which nobody sends on yet.
    package init(legs: Int, configuration: Configuration = .init()) {
        self.configuration = configuration
        self.legs = (0..<max(legs, 1)).map { _ in MergeLeg() }
        history = PacketHistory(capacity: configuration.byteLimit / TransportPacket.byteCount)
    }

    package var statistics: TransportStreamMergeStatistics {
        var statistics = counts
        statistics.packets = UInt64(history.end)
        statistics.legs = legs.map { leg in
            var counts = leg.counts
            counts.heldBytes = leg.waiting.byteCount
            counts.skippedBytes &+= leg.framer.skippedBytes
            counts.state = state(of: leg)
            return counts
        }
        return statistics
    }

    private func state(of leg: MergeLeg) -> LegStatistics.State {
        guard leg.isPresent else { return .absent }
        switch leg.place {
        case .known(let index): return index == history.end ? .leading : .following
        case .unknown: return leg.isStray ? .stray : .aligning
        }
    }

    /// Somebody begins to send on a leg.
    package mutating func join(_ leg: Int) {
        guard legs.indices.contains(leg) else { return }
        legs[leg].join()
    }

    /// Nobody sends on a leg any more; what waits of it is handed on where it belongs.
    package mutating func leave(_ leg: Int, arrival: WallTime, emit: (Output) -> Void) {
        guard legs.indices.contains(leg) else { return }
        legs[leg].leave()
        settle(at: arrival, emit)
    }

    /// Takes the next bytes of a leg.
    ///
    /// - Parameters:
    ///   - bytes: Read during the call only.
    ///   - leg: Which; one that has not joined, or is none, is not listened to.
    ///   - arrival: When they came: about in order, over all legs.
    ///   - isAfterLoss: The transport knows that something is missing in front of them.
    ///   - emit: Called in order, within this call.
    package mutating func receive(
        _ bytes: UnsafeRawBufferPointer,
        from leg: Int,
        arrival: WallTime,
        isAfterLoss: Bool = false,
        emit: (Output) -> Void
    ) {
        guard legs.indices.contains(leg), legs[leg].isPresent else { return }
        legs[leg].note(arrival: arrival)
        if isAfterLoss { legs[leg].noteLoss() }
        if case .known(history.end) = legs[leg].place { history.noteArrival(arrival) }
        take(bytes, leg, arrival: arrival, emit)
        settle(at: arrival, emit)
        measureSkew(of: leg, at: arrival)
    }

    /// Gives up on what is overdue; to be called a few times a second.
    package mutating func advance(to now: WallTime, emit: (Output) -> Void) {
        settle(at: now, emit)
    }

    /// The feed is over: hands on what waits of legs that were found in it.
    ///
    /// Bound: as `settle`; what more gaps than that have torn to pieces is left out.
    package mutating func finish(emit: (Output) -> Void) {
        for _ in 0..<Self.roundLimit {
            guard let leg = oldest(of: legs.indices.filter({ legs[$0].isProven })) else { return }
            force(leg, emit)
        }
    }

    /// Finds packets; those that are the next of the feed go on from where they lie.
    private mutating func take(
        _ bytes: UnsafeRawBufferPointer,
        _ leg: Int,
        arrival: WallTime,
        _ emit: (Output) -> Void
    ) {
        let input = bytes.assumingMemoryBound(to: UInt8.self).span
        var position = 0
        var run = 0..<0
        while let found = legs[leg].framer.next(in: input, from: &position) {
            switch found {
            case .input(let range):
                guard follow(input.extracting(range), leg, arrival: arrival) else { continue }
                if run.upperBound == range.lowerBound, !run.isEmpty {
                    run = run.lowerBound..<range.upperBound
                } else {
                    hand(on: bytes, run, emit)
                    run = range
                }
            case .carried(let range):
                hand(on: bytes, run, emit)
                run = 0..<0
                let carry = legs[leg].framer.carry
                guard follow(carry.span.extracting(range), leg, arrival: arrival) else { continue }
                carry.withUnsafeBytes { hand(on: $0, range, emit) }
            }
        }
        hand(on: bytes, run, emit)
    }

    private func hand(
        on bytes: UnsafeRawBufferPointer,
        _ range: Range<Int>,
        _ emit: (Output) -> Void
    ) {
        guard !range.isEmpty else { return }
        emit(.packets(UnsafeRawBufferPointer(rebasing: bytes[range])))
    }

    /// Takes the next packet of a leg.
    ///
    /// - Returns: Whether it is the next of the feed; else it is there already, or waits.
    @inline(__always)
    private mutating func follow(
        _ packet: Span<UInt8>,
        _ leg: Int,
        arrival: WallTime
    ) -> Bool {
        let (digest, isAfterGap) = legs[leg].examine(packet)
        if case .known(let index) = legs[leg].place, !isAfterGap {
            if index == history.end {
                history.append(digest)
                legs[leg].place = .known(index + 1)
                legs[leg].counts.usedPackets &+= 1
                return true
            }
            if index >= history.start, history[index] == digest {
                legs[leg].place = .known(index + 1)
                return false
            }
        }
        legs[leg].losePlace()
        legs[leg].waiting.append(packet, digest, isAfterGap: isAfterGap, arrival: arrival)
        return false
    }

    private mutating func measureSkew(of leg: Int, at arrival: WallTime) {
        guard case .known(let index) = legs[leg].place, index > history.start else { return }
        var skew = Duration.zero
        if index < history.end {
            guard let first = history.arrival(of: index - 1) else { return }
            skew = max(skew, arrival.duration(since: first))
        }
        legs[leg].counts.skew = skew
        legs[leg].counts.greatestSkew = max(legs[leg].counts.greatestSkew, skew)
    }
}

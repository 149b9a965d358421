package import Media
package import NIOCore

/// One RTP session that comes on several ways becomes one contribution: hitless redundancy.
///
/// In:    on each leg the same RTP packets, of which any may be missing; legs come and go.
/// Out:   as `RTPSession`, of what any leg brought. A packet goes on with the first leg that brings it.
/// Place: packets are those of the same SSRC, number, timestamp and payload, whatever their way.
///        A leg is *found* in a stream when four of its packets in a row are those of a leg that is,
///        or when no other is there. Of one that is not found, nothing goes on.
/// Wait:  for what is missing, until every leg has come to it; what each of them lost is reordering, as
///        `RTPReorderBuffer` has it. `maximumSkew`, and 4,032 packets, are the most that a leg may be
///        behind; one that is further off is not found.
/// Stray: a leg takes over when all that are found are silent for `silence`. One with another SSRC
///        takes over as `RTPSession` has it.
/// RTCP:  one report on what came of all legs goes to the sender on each. Packets are asked for again
///        when every leg is past them. A stream says goodbye when it did on every leg.
/// Bound: `flowLimit` streams a leg, each with what `RTPLegFlow` keeps.
///
/// Threads: one owner. Nothing here blocks, reads a clock or does I/O.
///
/// Source: SMPTE ST 2022-7 for the idea; RFC 3550, 5.1, for what tells packets apart.
package struct RTPLegMerge: Sendable {
    /// What a leg is said to carry, and how it is received.
    package struct Description: Sendable {
        package let configuration: RTPSession.Configuration
        package let media: [MediaDescription]

        package init(configuration: RTPSession.Configuration, media: [MediaDescription]) {
            self.configuration = configuration
            self.media = media
        }

        /// Whether packets mean the same with either.
        package func agrees(with other: Description) -> Bool {
            media.map { $0.payloads.mapValues(\.kind) }
                == other.media.map { $0.payloads.mapValues(\.kind) }
        }
    }

    private struct Leg: Sendable {
        var isPresent = false
        var flows: [RTPLegFlow] = []
        var counts = LegStatistics()
        /// The newest packet of it was the first of its kind.
        var isFirst = false
        var lastArrival: WallTime?
        /// Reports for its sender.
        var reports: [ByteBuffer] = []

        func index(of stream: RTPLegFlow.Stream) -> Int? {
            flows.firstIndex { $0.stream == stream }
        }

        /// The newest number of a stream that it is found in; `nil` when it is not, or silent.
        func newest(of stream: RTPLegFlow.Stream, since start: WallTime) -> UInt16? {
            guard isPresent, let index = index(of: stream), flows[index].isFound,
                flows[index].lastArrival > start
            else { return nil }
            return flows[index].newest
        }
    }

    private static let flowLimit = 16
    private static let reportLimit = 4
    /// Arrivals are told by several clocks, which differ by less than this.
    private static let clockTolerance = Duration.seconds(1)

    package let description: Description
    private let maximumSkew: Duration
    private let silence: Duration
    private var session: RTPSession
    private var legs: [Leg]
    private var newest = WallTime(microsecondsSinceEpoch: .min / 2)

    /// A merge of as many legs, which nobody sends on yet.
    package init(
        legs: Int,
        of description: Description,
        maximumSkew: Duration = .milliseconds(500),
        silence: Duration = .seconds(1)
    ) {
        self.description = description
        self.maximumSkew = maximumSkew
        self.silence = silence
        self.legs = (0..<max(legs, 1)).map { _ in Leg() }
        var configuration = description.configuration
        configuration.reordering.maximumLatency = max(
            configuration.reordering.maximumLatency,
            maximumSkew
        )
        session = RTPSession(configuration: configuration, media: description.media)
    }

    /// Somebody begins to send on a leg.
    package mutating func join(_ leg: Int) {
        guard legs.indices.contains(leg) else { return }
        legs[leg].isPresent = true
        legs[leg].flows = []
        legs[leg].lastArrival = nil
    }

    /// Nobody sends on a leg any more.
    ///
    /// What it brought is remembered: others may be behind it.
    package mutating func leave(_ leg: Int) {
        guard legs.indices.contains(leg) else { return }
        legs[leg].isPresent = false
        legs[leg].reports = []
    }

    /// Takes a packet.
    ///
    /// - Parameters:
    ///   - packet: Its header.
    ///   - datagram: What it lies in; copied if it must outlive the call.
    ///   - medium: Which of the media its port belongs to; `nil` when the port does not tell.
    ///   - leg: Which; one that has not joined, or is none, is not listened to.
    ///   - arrival: When it came: about in order, over all legs.
    ///   - emit: Called in order, within this call.
    package mutating func receive(
        _ packet: RTPPacket,
        datagram: ByteBuffer,
        of medium: Int?,
        from leg: Int,
        arrival: WallTime,
        emit: (MediaEvent) -> Void
    ) {
        guard legs.indices.contains(leg), legs[leg].isPresent else { return }
        let arrival = ordered(arrival)
        let stream = RTPLegFlow.Stream(ssrc: packet.ssrc, medium: medium)
        let flow = flow(of: stream, leg, before: packet.sequenceNumber, arrival: arrival)
        let digest = PacketDigest.make(packet, in: datagram.readableBytesUInt8Span)
        legs[leg].lastArrival = arrival
        legs[leg].counts.packets &+= 1
        guard follow(packet, digest, leg, flow, arrival: arrival) else { return }
        let isFirst = isFirst(packet, digest, leg, flow, arrival: arrival)
        notePassed(in: stream, at: arrival)
        guard isFirst else { return }
        legs[leg].counts.usedPackets &+= 1
        session.receive(packet, datagram: datagram, of: medium, arrival: arrival, emit: emit)
    }

    /// Takes one packet of a compound RTCP packet.
    package mutating func receive(
        _ report: RTCPPacket,
        from leg: Int,
        arrival: WallTime,
        emit: (MediaEvent) -> Void
    ) {
        guard legs.indices.contains(leg) else { return }
        let arrival = ordered(arrival)
        switch report {
        case .senderReport(let told):
            // One way's: another's would have the clock go to and fro by the skew.
            guard speaker(for: told.ssrc, at: arrival) ?? leg == leg else { return }
            session.receive(report, arrival: arrival, emit: emit)
        case .bye(let ssrcs):
            for ssrc in ssrcs { legs[leg].flows.removeAll { $0.stream.ssrc == ssrc } }
            let gone = ssrcs.filter { speaker(for: $0, at: arrival) == nil }
            if !gone.isEmpty { session.receive(.bye(gone), arrival: arrival, emit: emit) }
        case .sourceDescription, .receiverReport, .feedback:
            session.receive(report, arrival: arrival, emit: emit)
        }
    }

    /// Takes a packet of forward error correction; it protects the packets of all legs.
    package mutating func correct(
        _ datagram: ByteBuffer,
        ssrc: UInt32,
        from leg: Int,
        arrival: WallTime,
        emit: (MediaEvent) -> Void
    ) {
        guard legs.indices.contains(leg), legs[leg].flows.contains(where: \.isFound) else { return }
        session.correct(datagram, ssrc: ssrc, arrival: ordered(arrival), emit: emit)
    }

    /// Gives up on what is overdue; to be called some hundred times a second.
    package mutating func advance(to now: WallTime, emit: (MediaEvent) -> Void) {
        guard let deadline = session.deadline, deadline <= now else { return }
        let now = ordered(now)
        // A leg that falls silent tells of it by nothing else.
        for leg in legs {
            for flow in leg.flows { notePassed(in: flow.stream, at: now) }
        }
        session.advance(to: now, emit: emit)
    }

    /// The feed is over: emits what is complete and was still held.
    package mutating func finish(arrival: WallTime, emit: (MediaEvent) -> Void) {
        session.finish(arrival: ordered(arrival), emit: emit)
    }

    /// RTCP for the sender of a leg; `nil` when nothing is due.
    package mutating func takeFeedback(for leg: Int, now: WallTime) -> ByteBuffer? {
        guard legs.indices.contains(leg) else { return nil }
        if !legs[leg].reports.isEmpty { return legs[leg].reports.removeFirst() }
        guard let report = session.takeFeedback(now: now) else { return nil }
        for other in legs.indices where other != leg && legs[other].isPresent {
            if legs[other].reports.count >= Self.reportLimit { legs[other].reports.removeFirst() }
            legs[other].reports.append(report)
        }
        return report
    }
}

// MARK: - What belongs together

extension RTPLegMerge {
    private mutating func ordered(_ arrival: WallTime) -> WallTime {
        if arrival > newest || newest.duration(since: arrival) > Self.clockTolerance {
            newest = arrival
        }
        return newest
    }

    /// The place of a stream; that which was silent longest makes room for a new one.
    private mutating func flow(
        of stream: RTPLegFlow.Stream,
        _ leg: Int,
        before first: UInt16,
        arrival: WallTime
    ) -> Int {
        if let index = legs[leg].index(of: stream) { return index }
        if legs[leg].flows.count >= Self.flowLimit {
            let oldest = legs[leg].flows.indices.min {
                legs[leg].flows[$0].lastArrival < legs[leg].flows[$1].lastArrival
            }
            if let oldest { legs[leg].flows.remove(at: oldest) }
        }
        legs[leg].flows.append(RTPLegFlow(stream, before: first, arrival: arrival))
        return legs[leg].flows.count - 1
    }

    /// Counts what a packet shows of its own leg.
    ///
    /// - Returns: Whether it is to be looked at.
    private mutating func follow(
        _ packet: RTPPacket,
        _ digest: UInt64,
        _ leg: Int,
        _ flow: Int,
        arrival: WallTime
    ) -> Bool {
        switch legs[leg].flows[flow].note(packet.sequenceNumber, digest, arrival: arrival) {
        case .onward(missing: 0): break
        case .onward(let missing):
            legs[leg].counts.missingPackets &+= UInt64(missing)
            legs[leg].counts.gaps &+= 1
        case .late:
            if legs[leg].counts.missingPackets > 0 { legs[leg].counts.missingPackets -= 1 }
        case .duplicate:
            legs[leg].counts.unusedPackets &+= 1
            return false
        case .jump:
            legs[leg].flows[flow].lose(at: arrival)
        }
        return true
    }

    /// Compares a packet with those of the other legs, and learns which legs bring the same.
    ///
    /// - Returns: Whether it is of the feed, and goes on: no other leg's did.
    private mutating func isFirst(
        _ packet: RTPPacket,
        _ digest: UInt64,
        _ leg: Int,
        _ flow: Int,
        arrival: WallTime
    ) -> Bool {
        let stream = legs[leg].flows[flow].stream
        let start = arrival.advanced(by: .zero - maximumSkew)
        var isHere = false
        var skew = Duration.zero
        for other in legs.indices where other != leg {
            guard let index = legs[other].index(of: stream),
                let twin = legs[other].flows[index].packet(packet.sequenceNumber, since: start)
            else { continue }
            guard twin.digest == digest else {
                // Which one went on is the feed's.
                if twin.isOut {
                    legs[leg].flows[flow].lose(at: arrival)
                } else {
                    legs[other].flows[index].lose(at: arrival)
                }
                continue
            }
            skew = max(skew, arrival.duration(since: twin.arrival))
            if twin.isOut {
                isHere = true
                legs[leg].flows[flow].agree(at: arrival)
            } else if legs[leg].flows[flow].isFound {
                legs[other].flows[index].agree(at: arrival)
            }
        }
        if !isHere { takeOver(leg, flow, at: arrival) }
        guard isHere || legs[leg].flows[flow].isFound else {
            legs[leg].counts.unusedPackets &+= 1
            return false
        }
        legs[leg].flows[flow].handOn(packet.sequenceNumber)
        legs[leg].isFirst = !isHere
        legs[leg].counts.skew = skew
        legs[leg].counts.greatestSkew = max(legs[leg].counts.greatestSkew, skew)
        return !isHere
    }

    /// Has a leg be the one that is believed when there is none, or none that still sends.
    private mutating func takeOver(_ leg: Int, _ flow: Int, at now: WallTime) {
        guard !legs[leg].flows[flow].isFound else { return }
        let stream = legs[leg].flows[flow].stream
        let others = legs.indices.filter { $0 != leg }
        guard !others.contains(where: { hasFound(stream, legs[$0], at: now) }) else { return }
        for other in others {
            guard let index = legs[other].index(of: stream) else { continue }
            legs[other].flows[index].lose(at: now)
        }
        legs[leg].flows[flow].find(at: now)
    }

    /// Whether a leg that still sends is found in a stream.
    private func hasFound(_ stream: RTPLegFlow.Stream, _ leg: Leg, at now: WallTime) -> Bool {
        leg.newest(of: stream, since: now.advanced(by: .zero - silence)) != nil
    }

    /// Tells the session how far the last of the legs has come.
    private mutating func notePassed(in stream: RTPLegFlow.Stream, at now: WallTime) {
        let start = now.advanced(by: .zero - silence)
        var last: UInt16?
        for leg in legs {
            guard let newest = leg.newest(of: stream, since: start) else { continue }
            if let before = last, Int16(bitPattern: newest &- before) >= 0 { continue }
            last = newest
        }
        if let last { session.setPassed(last, of: stream.ssrc, stream.medium, at: now) }
    }

    /// The first of the legs that are found in the stream of an SSRC and still send.
    private func speaker(for ssrc: UInt32, at now: WallTime) -> Int? {
        legs.firstIndex { leg in
            leg.flows.contains { $0.stream.ssrc == ssrc && hasFound($0.stream, leg, at: now) }
        }
    }
}

// MARK: - Statistics

extension RTPLegMerge {
    /// Of what came of all legs.
    package func sessionStatistics(at now: WallTime) -> RTPStatistics {
        session.statistics(at: now)
    }

    /// By leg.
    package var statistics: [LegStatistics] {
        let carriers = legs.indices.filter { carries(legs[$0]) }
        return legs.indices.map { leg in
            var counts = legs[leg].counts
            counts.state = state(of: legs[leg], isAlone: carriers.allSatisfy { $0 == leg })
            return counts
        }
    }

    private func state(of leg: Leg, isAlone: Bool) -> LegStatistics.State {
        guard leg.isPresent else { return .absent }
        guard let last = leg.lastArrival else { return .aligning }
        let isSilent = newest.duration(since: last) >= silence
        if carries(leg) {
            return leg.isFirst && !isSilent ? .leading : .following
        }
        let since = leg.flows.map(\.since).min() ?? last
        let isStray =
            !isAlone && !isSilent && last.duration(since: since) > max(maximumSkew, silence)
        return isStray ? .stray : .aligning
    }

    /// Whether something of it goes on, or would.
    private func carries(_ leg: Leg) -> Bool {
        leg.isPresent
            && leg.flows.contains {
                $0.isFound && session.carries($0.stream.ssrc, $0.stream.medium)
            }
    }
}

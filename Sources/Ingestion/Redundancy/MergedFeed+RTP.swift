package import Media
package import NIOCore
import Synchronization

/// Legs whose media are in RTP without a transport stream.
extension MergedFeed.Leg {
    /// As `RTPLegMerge.receive`; `description` says what the packets carry.
    package func receive(
        _ packet: RTPPacket,
        datagram: ByteBuffer,
        of medium: Int?,
        as description: RTPLegMerge.Description,
        arrival: WallTime
    ) {
        change(as: description) { merge, events in
            merge.receive(packet, datagram: datagram, of: medium, from: index, arrival: arrival) {
                events.append($0)
            }
        }
    }

    package func receive(_ report: RTCPPacket, arrival: WallTime) {
        change { merge, events in
            merge.receive(report, from: index, arrival: arrival) { events.append($0) }
        }
    }

    /// Takes a packet of forward error correction.
    package func correct(_ datagram: ByteBuffer, ssrc: UInt32, arrival: WallTime) {
        change { merge, events in
            merge.correct(datagram, ssrc: ssrc, from: index, arrival: arrival) {
                events.append($0)
            }
        }
    }

    /// Gives up on what is overdue; to be called some hundred times a second.
    package func advance(to now: WallTime) {
        change { merge, events in merge.advance(to: now) { events.append($0) } }
    }

    /// RTCP for the sender of this leg, when some is due.
    package func takeFeedback(now: WallTime) -> ByteBuffer? {
        var feedback: ByteBuffer?
        change { merge, _ in feedback = merge.takeFeedback(for: index, now: now) }
        return feedback
    }

    /// Of what came of all legs; `nil` while this is not one of them.
    package func sessionStatistics(at now: WallTime) -> RTPStatistics? {
        var statistics: RTPStatistics?
        change { merge, _ in statistics = merge.sessionStatistics(at: now) }
        return statistics
    }

    /// Does something with the merge that this leg takes part in.
    ///
    /// With a description, the leg takes part from here on, or is set aside.
    private func change(
        as description: RTPLegMerge.Description? = nil,
        _ body: (inout RTPLegMerge, inout [MediaEvent]) -> Void
    ) {
        feed.state.withLock { state in
            guard state.connections[index] == connection else { return }
            if let description { state.take(description, of: index, feed.configuration) }
            guard state.takesPart[index] == true, state.packets != nil else { return }
            var events: [MediaEvent] = []
            state.packets?.apply(body, &events)
            if !events.isEmpty { feed.deliver(events) }
        }
    }
}

extension MergedFeed.State {
    /// Has a leg take part when what it carries is what the feed carries, or the first.
    mutating func take(
        _ description: RTPLegMerge.Description,
        of leg: Int,
        _ configuration: TransportStreamMerge.Configuration
    ) {
        guard takesPart[leg] == nil else { return }
        if packets == nil, !hasTransportStream {
            packets = RTPLegMerge(
                legs: connections.count,
                of: description,
                maximumSkew: configuration.maximumSkew,
                silence: configuration.silence
            )
        }
        takesPart[leg] = packets?.description.agrees(with: description) ?? false
        if takesPart[leg] == true { packets?.join(leg) }
    }
}

extension RTPLegMerge {
    fileprivate mutating func apply(
        _ body: (inout RTPLegMerge, inout [MediaEvent]) -> Void,
        _ events: inout [MediaEvent]
    ) {
        body(&self, &events)
    }
}

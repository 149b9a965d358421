package import Media
import Synchronization

/// The legs of one stream, which come on threads of their own, merged to one contribution.
///
/// In:    of each leg, the bytes of its transport stream, or the RTP packets of media without one. What
///        comes first says which; a leg that carries other than those before it is set aside until they
///        have left.
/// Out:   media events, as of one publisher; `.end` when the last leg has left.
/// Threads: any. The lock is taken once for each run of packets, and held while handing on, so that
///          what comes of one leg does not overtake what came of another.
package final class MergedFeed: Sendable {
    /// One connection's claim on a leg.
    package struct Leg: Sendable {
        let index: Int
        /// Counts connections: the bytes and the end of one whose place was taken are nobody's.
        let connection: UInt64
        let feed: MergedFeed

        /// As `TransportStreamMerge.receive`.
        package func receive(
            _ bytes: UnsafeRawBufferPointer,
            arrival: WallTime,
            isAfterLoss: Bool
        ) {
            feed.receive(bytes, from: self, arrival: arrival, isAfterLoss: isAfterLoss)
        }

        package func leave(_ reason: EndReason, at arrival: WallTime) {
            feed.leave(self, reason, at: arrival)
        }

        package var statistics: LegStatistics { feed.legs[index] }

        /// Of what came of all legs.
        package var transportStream: TransportStreamStatistics { feed.transportStream }
    }

    struct State {
        var merge: TransportStreamMerge
        var session = IngestSession()
        /// Something came of a transport stream.
        var hasTransportStream = false
        /// In place of both: of media that are in RTP without a transport stream.
        var packets: RTPLegMerge?
        /// By leg; 0 while nobody sends on it.
        var connections: [UInt64]
        /// By leg: whether it carries what the feed does; `nil` while nothing came of it.
        var takesPart: [Bool?]
        var lastConnection: UInt64 = 0

        init(legs count: Int, _ configuration: TransportStreamMerge.Configuration) {
            merge = TransportStreamMerge(legs: count, configuration: configuration)
            connections = [UInt64](repeating: 0, count: max(count, 1))
            takesPart = connections.map { _ in nil }
        }
    }

    package let names: [StreamName]
    let configuration: TransportStreamMerge.Configuration
    let deliver: @Sendable ([MediaEvent]) -> Void
    let state: Mutex<State>

    /// A feed whose legs have these names; `deliver` is called in order, and must not block.
    package init(
        legs names: [StreamName],
        configuration: TransportStreamMerge.Configuration = .init(),
        deliver: @escaping @Sendable ([MediaEvent]) -> Void
    ) {
        self.names = names
        self.configuration = configuration
        self.deliver = deliver
        state = Mutex(State(legs: names.count, configuration))
    }

    /// Claims a leg, whoever has it.
    ///
    /// - Returns: `nil` when there is none of this name.
    package func join(_ name: StreamName) -> Leg? {
        guard let index = names.firstIndex(of: name) else { return nil }
        return state.withLock { state in
            state.lastConnection += 1
            state.connections[index] = state.lastConnection
            state.merge.join(index)
            state.packets?.leave(index)
            state.takesPart[index] = nil
            return Leg(index: index, connection: state.lastConnection, feed: self)
        }
    }

    /// Of a transport stream.
    package var statistics: TransportStreamMergeStatistics {
        state.withLock { $0.merge.statistics }
    }

    /// Of whatever the legs carry, by leg.
    package var legs: [LegStatistics] {
        state.withLock { state in
            var legs = state.packets?.statistics ?? state.merge.statistics.legs
            for index in legs.indices where state.connections[index] != 0 {
                switch state.takesPart[index] {
                case true: break
                case nil: legs[index].state = .aligning
                case false:
                    legs[index].state = .stray
                    legs[index].isSetAside = true
                }
            }
            return legs
        }
    }

    /// The leg that brings the packets first; `nil` while none is known to.
    package var leading: StreamName? {
        legs.firstIndex { $0.state == .leading }.map { names[$0] }
    }

    package var transportStream: TransportStreamStatistics {
        state.withLock { $0.session.statistics }
    }

    /// Gives up on what is overdue; to be called about twice a second.
    package func advance(to now: WallTime) {
        change(at: now) { merge, emit in merge.advance(to: now, emit: emit) }
    }

    private func receive(
        _ bytes: UnsafeRawBufferPointer,
        from leg: Leg,
        arrival: WallTime,
        isAfterLoss: Bool
    ) {
        change(at: arrival, by: leg) { merge, emit in
            merge.receive(
                bytes,
                from: leg.index,
                arrival: arrival,
                isAfterLoss: isAfterLoss,
                emit: emit
            )
        }
    }

    private func leave(_ leg: Leg, _ reason: EndReason, at arrival: WallTime) {
        state.withLock { state in
            guard state.connections[leg.index] == leg.connection else { return }
            var events = Self.events(&state.merge, &state.session, at: arrival) { merge, emit in
                merge.leave(leg.index, arrival: arrival, emit: emit)
            }
            state.packets?.leave(leg.index)
            state.connections[leg.index] = 0
            state.takesPart[leg.index] = nil
            let others = names.indices.filter { state.connections[$0] != 0 }
            // What remains may be legs of this feed, or those that were set aside while it lasted.
            if others.allSatisfy({ state.takesPart[$0] == false }) {
                finish(&state, at: arrival) { events.append($0) }
                events.append(others.isEmpty ? .end(reason) : .discontinuity(.publisherChange))
            }
            if !events.isEmpty { deliver(events) }
        }
    }

    /// Hands on what is held; those who still send begin another feed.
    private func finish(
        _ state: inout State,
        at arrival: WallTime,
        _ emit: (MediaEvent) -> Void
    ) {
        let rest = Self.events(&state.merge, &state.session, at: arrival) { merge, emit in
            merge.finish(emit: emit)
        }
        rest.forEach(emit)
        state.session.finish(emit: emit)
        state.packets?.finish(arrival: arrival, emit: emit)
        var next = State(legs: names.count, configuration)
        next.connections = state.connections
        next.lastConnection = state.lastConnection
        for index in names.indices where next.connections[index] != 0 { next.merge.join(index) }
        state = next
    }

    private func change(
        at arrival: WallTime,
        by leg: Leg? = nil,
        _ body: (inout TransportStreamMerge, (TransportStreamMerge.Output) -> Void) -> Void
    ) {
        state.withLock { state in
            if let leg {
                guard state.connections[leg.index] == leg.connection else { return }
                state.takesPart[leg.index] = state.packets == nil
                guard state.packets == nil else { return }
                state.hasTransportStream = true
            }
            let events = Self.events(&state.merge, &state.session, at: arrival, body)
            if !events.isEmpty { deliver(events) }
        }
    }

    private static func events(
        _ merge: inout TransportStreamMerge,
        _ session: inout IngestSession,
        at arrival: WallTime,
        _ body: (inout TransportStreamMerge, (TransportStreamMerge.Output) -> Void) -> Void
    ) -> [MediaEvent] {
        var events: [MediaEvent] = []
        let emit: (MediaEvent) -> Void = { events.append($0) }
        body(&merge) { output in
            switch output {
            case .packets(let bytes):
                session.receive(bytes, arrival: arrival, emit: emit)
            case .restarted:
                session.finish(emit: emit)
                session = IngestSession()
                emit(.discontinuity(.publisherChange))
            }
        }
        return events
    }
}

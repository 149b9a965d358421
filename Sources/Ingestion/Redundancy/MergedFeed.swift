package import Media
import Synchronization

/// The legs of one stream, which come on threads of their own, merged to one contribution.
///
/// In:    the bytes of each leg.
/// Out:   media events, as of one publisher; `.end` when the last leg has left.
/// Threads: any. The lock is taken once for each run of packets, and held while handing on, so that
///          what comes of one leg does not overtake what came of another.
package final class MergedFeed: Sendable {
    /// One connection's claim on a leg.
    package struct Leg: Sendable {
        fileprivate let index: Int
        /// Counts connections: the bytes and the end of one whose place was taken are nobody's.
        fileprivate let connection: UInt64
        fileprivate let feed: MergedFeed

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

        package var statistics: TransportStreamMergeStatistics.Leg {
            feed.statistics.legs[index]
        }

        /// Of what came of all legs.
        package var transportStream: TransportStreamStatistics { feed.transportStream }
    }

    private struct State {
        var merge: TransportStreamMerge
        var session = IngestSession()
        /// By leg; 0 while nobody sends on it.
        var connections: [UInt64]
        var lastConnection: UInt64 = 0
    }

    package let names: [StreamName]
    private let configuration: TransportStreamMerge.Configuration
    private let deliver: @Sendable ([MediaEvent]) -> Void
    private let state: Mutex<State>

    /// A feed whose legs have these names; `deliver` is called in order, and must not block.
    package init(
        legs names: [StreamName],
        configuration: TransportStreamMerge.Configuration = .init(),
        deliver: @escaping @Sendable ([MediaEvent]) -> Void
    ) {
        self.names = names
        self.configuration = configuration
        self.deliver = deliver
        state = Mutex(
            State(
                merge: TransportStreamMerge(legs: names.count, configuration: configuration),
                connections: [UInt64](repeating: 0, count: max(names.count, 1))
            )
        )
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
            return Leg(index: index, connection: state.lastConnection, feed: self)
        }
    }

    package var statistics: TransportStreamMergeStatistics {
        state.withLock { $0.merge.statistics }
    }

    /// The leg that brings the packets first; `nil` while none is known to.
    package var leading: StreamName? {
        let legs = statistics.legs
        return legs.firstIndex { $0.state == .leading }.map { names[$0] }
    }

    package var transportStream: TransportStreamStatistics {
        state.withLock { $0.session.statistics }
    }

    /// Gives up on what is overdue; to be called about twice a second.
    package func advance(to now: WallTime) {
        change(at: now) { merge, emit in merge.advance(to: now, emit: emit) }
    }

    fileprivate func receive(
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

    fileprivate func leave(_ leg: Leg, _ reason: EndReason, at arrival: WallTime) {
        change(at: arrival, by: leg) { merge, emit in
            merge.leave(leg.index, arrival: arrival, emit: emit)
        }
        state.withLock { state in
            guard state.connections[leg.index] == leg.connection else { return }
            state.connections[leg.index] = 0
            guard state.connections.allSatisfy({ $0 == 0 }) else { return }
            var events = Self.events(&state.merge, &state.session, at: arrival) { merge, emit in
                merge.finish(emit: emit)
            }
            state.session.finish { events.append($0) }
            deliver(events + [.end(reason)])
            state.merge = TransportStreamMerge(legs: names.count, configuration: configuration)
            state.session = IngestSession()
        }
    }

    private func change(
        at arrival: WallTime,
        by leg: Leg? = nil,
        _ body: (inout TransportStreamMerge, (TransportStreamMerge.Output) -> Void) -> Void
    ) {
        state.withLock { state in
            if let leg, state.connections[leg.index] != leg.connection { return }
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

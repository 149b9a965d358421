/// What a merge of legs counted since it began.
package struct TransportStreamMergeStatistics: Sendable, Equatable {
    package enum LegState: String, Sendable, CaseIterable {
        /// Nobody sends on it.
        case absent
        /// Where its packets belong is not found yet, or was lost with packets.
        case aligning
        /// It brings the packets first.
        case leading
        /// It brings what another leg brought before.
        case following
        /// What it brings is not found in the feed: it is another, or too far off.
        case stray
    }

    package struct Leg: Sendable, Equatable {
        package var state = LegState.absent
        /// Transport packets that came.
        package var packets: UInt64 = 0
        /// Of those, how many it brought first, or alone.
        package var usedPackets: UInt64 = 0
        /// Packets of the feed that it did not bring.
        package var missingPackets: UInt64 = 0
        /// Packets that were not handed on because they came too late, or are not of the feed.
        package var unusedPackets: UInt64 = 0
        /// Times that something was missing, by the transport or by a continuity counter.
        package var gaps: UInt64 = 0
        /// How long after the first leg it brought the same packet, last and at most.
        package var skew = Duration.zero
        package var greatestSkew = Duration.zero
        package var heldBytes = 0
        /// Bytes in which no packet was found.
        package var skippedBytes: UInt64 = 0

        package init() {}
    }

    /// Transport packets that were handed on.
    package var packets: UInt64 = 0
    /// Times that something was missing which no leg had, or none in time.
    package var holes: UInt64 = 0
    /// Times that another feed took over.
    package var restarts: UInt64 = 0
    package var legs: [Leg] = []

    package init() {}
}

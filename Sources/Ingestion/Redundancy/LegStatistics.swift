/// What one leg of a merged feed counted since the feed began.
///
/// Packets are those of the transport stream; of media that are in RTP by themselves, those of RTP.
package struct LegStatistics: Sendable, Equatable {
    package enum State: String, Sendable, CaseIterable {
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

    package var state = State.absent
    /// It carries what cannot be merged with what the legs before it carry.
    package var isSetAside = false
    /// Packets that came.
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

/// A snapshot of what one publisher's transport and container look like.
///
/// Counts are since it came.
package struct IngestStatistics: Sendable, Equatable {
    package var receivedBytes: UInt64 = 0
    /// Over the last second or so.
    package var bitrateBitsPerSecond: Double = 0
    package var srt: SRTStatistics?
    package var rtp: RTPStatistics?
    /// Of what came of all legs, where it is one.
    package var transportStream = TransportStreamStatistics()
    /// What it brings to the feed that it is a leg of.
    package var leg: LegStatistics?

    package init() {}

    /// What was lost on the way and not made good: packets of SRT and RTP, and places in the transport
    /// stream where some are missing.
    package var losses: UInt64 {
        let overRTP = rtp?.streams.reduce(0) { $0 &+ $1.reordering.lost } ?? 0
        return (srt?.droppedPackets ?? 0) &+ transportStream.continuityErrors &+ overRTP
    }

    /// How much the source's clock runs fast against this machine's, in millionths: that of the PCR, or
    /// of the RTP stream where it is most.
    ///
    /// `nil` until it is known.
    package var clockDriftPPM: Double? {
        let drifts = rtp?.streams.compactMap(\.clock.driftPPM) ?? []
        return transportStream.errors.clockDriftPPM
            ?? drifts.max { $0.magnitude < $1.magnitude }
    }
}

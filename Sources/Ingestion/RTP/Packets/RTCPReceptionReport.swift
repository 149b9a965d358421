/// What a receiver says of one source: a report block.
///
/// Source: RFC 3550, 6.4.1.
package struct RTCPReceptionReport: Sendable, Equatable {
    /// The source that is reported on.
    package var ssrc: UInt32
    /// Of the packets expected since the last report, in 1/256; 0 when more came than were expected.
    package var fractionLost: UInt8 = 0
    /// Since reception began, within 24 bits; negative when duplicates outnumber losses.
    package var cumulativeLost: Int32 = 0
    package var extendedHighestSequence: UInt32 = 0
    /// In ticks of the source's RTP clock.
    package var jitter: UInt32 = 0
    /// The middle 32 bits of the NTP time in the source's last report; 0 when there was none.
    package var lastSenderReport: UInt32 = 0
    /// In 1/65,536 s.
    package var delaySinceLastSenderReport: UInt32 = 0

    package init(ssrc: UInt32) {
        self.ssrc = ssrc
    }
}

/// What has come of one source, and how.
///
/// Counts are of packets, since the source came.
package struct RTPReceptionStatistics: Sendable, Equatable {
    /// Without duplicates.
    package var received: UInt64 = 0
    /// Expected by the sequence numbers, and not here; late ones still may come.
    package var lost: UInt64 = 0
    package var duplicates: UInt64 = 0
    /// Behind a packet with a higher number.
    package var reordered: UInt64 = 0
    /// Of no place in the sequence: left out.
    package var invalid: UInt64 = 0
    /// Times that the sequence began anew.
    package var restarts: UInt64 = 0
    /// How much the spacing of packets changes on the way, smoothed (RFC 3550, 6.4.1).
    package var jitter = Duration.zero

    package init() {}
}

/// A snapshot of what one publisher's transport and container look like.
///
/// Counts are since it came.
package struct IngestStatistics: Sendable, Equatable {
    package var receivedBytes: UInt64 = 0
    /// Over the last second or so.
    package var bitrateBitsPerSecond: Double = 0
    package var srt: SRTStatistics?
    package var rtp: RTPStatistics?
    package var transportStream = TransportStreamStatistics()

    package init() {}
}

import NIOCore

/// One access unit as a sample of a CMAF track.
///
/// Units: ticks of the track's timescale. `compositionOffset` is presentation minus decode time; it
///        is never negative, because access units are presented at or after their decode time.
struct Sample: Sendable {
    var decodeTime: Int64
    var compositionOffset: UInt32
    var duration: UInt32
    var flags: SampleFlags
    var payload: ByteBuffer
}

/// What a sample depends on and what depends on it.
///
/// Layout: reserved(4) is_leading(2) depends_on(2) is_depended_on(2) has_redundancy(2) padding(3)
///         is_non_sync(1) degradation_priority(16).
/// Source: ISO/IEC 14496-12, 8.8.3.1 and 8.6.4.3.
struct SampleFlags: Sendable, Hashable {
    let rawValue: UInt32

    /// Decoding can start here: depends on nothing.
    static let sync = SampleFlags(rawValue: 0x0200_0000)
    /// Needs earlier samples.
    static let dependent = SampleFlags(rawValue: 0x0101_0000)
    /// Needs earlier samples, and nothing needs it.
    static let disposable = SampleFlags(rawValue: 0x0181_0000)
}

/// What an MPEG transport stream's demultiplexer counted. Counts are since the publisher came.
package struct TransportStreamStatistics: Sendable, Equatable {
    package var packets: UInt64 = 0
    package var nullPackets: UInt64 = 0
    /// Bytes skipped to find packet boundaries again.
    package var resynchronisedBytes: UInt64 = 0
    package var continuityErrors: UInt64 = 0
    /// Packets whose sender set `transport_error_indicator`.
    package var transportErrors: UInt64 = 0
    package var scrambledPackets: UInt64 = 0
    package var sectionErrors: UInt64 = 0
    /// PES packets that were damaged or larger than the limit, dropped whole.
    package var damagedPESPackets: UInt64 = 0
    package var accessUnits: UInt64 = 0
    package var discontinuities: UInt64 = 0
    /// Units with a timestamp outside the timeline, dropped.
    package var misplacedAccessUnits: UInt64 = 0
    package var programs: Int = 0
    package var selectedProgram: Int?

    package init() {}
}

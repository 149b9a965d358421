/// What an MPEG transport stream's demultiplexer counted, since the publisher came.
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
    /// Units whose times contradicted each other or those of the unit before, set right.
    package var correctedTimestamps: UInt64 = 0
    /// Pictures that came before the first keyframe, dropped.
    package var undecodableAccessUnits: UInt64 = 0
    /// Packets of the program's data streams: recognised, not carried.
    package var dataPackets: UInt64 = 0
    /// Listed by the program association table; one is selected.
    package var programs: Int = 0
    package var selectedProgram: Int?
    /// By their names in ETSI TR 101 290, but for those above.
    package var errors = TransportStreamErrors()
    /// The source tells the time: dates are by its clock, not by when media arrives here.
    package var hasSourceClock = false

    package init() {}
}

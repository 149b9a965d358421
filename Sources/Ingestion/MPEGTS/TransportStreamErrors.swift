/// Errors of a transport stream by their names in ETSI TR 101 290, counted since the publisher came.
///
/// Two of the list are counted elsewhere: Continuity_count_error is
/// `TransportStreamStatistics.continuityErrors`, Transport_error is `transportErrors`. One is not
/// judged: PCR_accuracy_error asks for ±500 ns, and behind a network nobody can tell the source's
/// error from the line's; `clockJitterMicroseconds` says what both come to.
///
/// Source: ETSI TR 101 290, 5.2.1 (first priority) and 5.2.2 (second priority).
package struct TransportStreamErrors: Sendable, Equatable {
    /// 1.1 TS_sync_loss: packets were not found where they belong twice in a row or more.
    package var syncLosses: UInt64 = 0
    /// 1.2 Sync_byte_error: a packet did not begin with 0x47.
    package var syncByteErrors: UInt64 = 0
    /// 1.3 and 1.3.a, PAT_error: none for 0.5 s, another table on its PID, or scrambled.
    package var associationErrors: UInt64 = 0
    /// 1.5 and 1.5.a, PMT_error: none for 0.5 s on a PID that the PAT names, or scrambled.
    package var mapErrors: UInt64 = 0
    /// 1.6 PID_error: a stream of the program that is carried did not come for the time configured.
    package var absences: UInt64 = 0
    /// 2.2 CRC_error: of a PAT, CAT or PMT.
    package var checksumErrors: UInt64 = 0
    /// 2.3a PCR_repetition_error: no PCR for more than 100 ms.
    package var clockRepetitionErrors: UInt64 = 0
    /// 2.3b PCR_discontinuity_indicator_error: the PCR jumped and was not said to.
    package var clockDiscontinuityErrors: UInt64 = 0
    /// 2.5 PTS_error: no PTS for more than 700 ms of the program's clock.
    package var timestampErrors: UInt64 = 0
    /// 2.6 CAT_error: packets are scrambled and there is no CAT, or another table is on its PID.
    package var conditionalAccessErrors: UInt64 = 0
    /// How unevenly PCRs arrive against what they say, smoothed.
    package var clockJitterMicroseconds: Double = 0
    /// How much the PCR runs fast against this machine's clock, in millionths; `nil` until it is known.
    package var clockDriftPPM: Double?

    package init() {}
}

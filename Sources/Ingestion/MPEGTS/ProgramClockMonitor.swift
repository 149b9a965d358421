import Media

/// Judges how often a program's clock reference comes and whether it goes on; keeps the program's time.
///
/// In:     each PCR with its arrival.
/// Step:   a PCR is to be 0 to 100 ms after the one before. One that is further on is late when at
///         least half of the step has passed here too, and else has jumped; so a burst that a network
///         held up is no error, and neither is the wrap every 26.5 hours.
/// Jitter: the mean difference of two PCRs' distances, as they say and as they arrive, each new one
///         with a weight of 1/16; the estimator of RFC 3550, 6.4.1.
/// Drift:  the slope of the line under all delays of five minutes (`ArrivalEnvelope`), which jitter does
///         not move; it begins anew where the clock does not go on.
/// Units:  PCRs are ticks of 27 MHz modulo 2^33 × 300; arrivals are microseconds of any clock.
///
/// Source: ISO/IEC 13818-1, 2.4.3.5 (PCR) and 2.7.2 (at least every 100 ms); ETSI TR 101 290, 5.2.2.
struct ProgramClockMonitor: Sendable {
    private static let modulus: Int64 = (1 << 33) * 300
    private static let ticksPerMicrosecond: Int64 = 27
    private static let intervalLimit: Int64 = 100_000 * ticksPerMicrosecond

    private(set) var repetitionErrors: UInt64 = 0
    private(set) var discontinuityErrors: UInt64 = 0
    private(set) var jitterMicroseconds = 0.0
    /// How far the program's time has gone on since the first PCR; jumps leave it where it is.
    private(set) var elapsedMicroseconds: Int64 = 0
    private var last: (value: Int64, arrival: Int64)?
    private var delays = Self.noDelays
    /// Ticks of 27 MHz since `delays` began.
    private var ticks: Int64 = 0

    private static let noDelays = ArrivalEnvelope(stretchLength: .seconds(10))

    /// PCRs come; without, nothing is known of the program's time.
    var isRunning: Bool { last != nil }

    /// How much the program's clock runs fast against this machine's, in millionths.
    ///
    /// - Returns: `nil` while it has not gone on for a minute and a half.
    var driftPPM: Double? { delays.driftPPM }

    /// Takes the next PCR.
    mutating func receive(_ value: Int64, arrival: Int64) {
        defer {
            last = (value, arrival)
            delays.add(
                delay: arrival &- ticks / Self.ticksPerMicrosecond,
                at: WallTime(microsecondsSinceEpoch: arrival)
            )
        }
        guard let last else { return }
        let step = ((value - last.value) % Self.modulus + Self.modulus) % Self.modulus
        let (passed, hasOverflowed) = arrival.subtractingReportingOverflow(last.arrival)
        guard !hasOverflowed else {
            forgetDelays()
            return
        }
        let length = step / Self.ticksPerMicrosecond
        if step <= Self.intervalLimit {
            // A clock of the machine that is set moves the mean by a second's share at most.
            let error = min(abs(Double(passed) - Double(length)), 1_000_000)
            jitterMicroseconds += (error - jitterMicroseconds) / 16
            elapsedMicroseconds &+= length
            ticks &+= step
        } else if step < Self.modulus / 2, passed >= length / 2 {
            repetitionErrors &+= 1
            elapsedMicroseconds &+= length
            ticks &+= step
        } else {
            discontinuityErrors &+= 1
            forgetDelays()
        }
    }

    /// No PCR came for so long that the next one cannot be judged by the last.
    mutating func miss() {
        repetitionErrors &+= 1
        restart()
    }

    /// Another clock comes, one that begins anew, or none.
    mutating func restart() {
        last = nil
        forgetDelays()
    }

    /// The program has no clock, and time passed here.
    mutating func pass(microseconds: Int64) {
        elapsedMicroseconds &+= microseconds
    }

    private mutating func forgetDelays() {
        delays = Self.noDelays
        ticks = 0
    }
}

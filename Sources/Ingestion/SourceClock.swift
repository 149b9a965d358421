package import Media

/// The source's own clock, as its time tables tell it, on the timeline of the program.
///
/// A table tells whole seconds, and comes with the pictures of about that moment. So the first one
/// sets the clock, and a later one moves it only when it is off by more than 2 s: what is read from
/// the clock does not jitter.
/// Jumps: where the timeline begins anew, the clock goes on by what passed here since the last table.
/// Refused: dates before 2020, which come from clocks that were never set.
/// Units: ticks of the 90 kHz clock.
package struct SourceClock: Sendable {
    private static let tolerance = Duration.seconds(2)
    /// 2020-01-01.
    private static let earliest = WallTime(microsecondsSinceEpoch: 1_577_836_800_000_000)

    /// What was told last, and when that was here.
    private var told: (instant: WallTime, arrival: WallTime)?
    private var anchor: (ticks: Int64, instant: WallTime)?

    package init() {}

    package var isSet: Bool { told != nil }

    /// Takes an instant that the source told.
    ///
    /// - Parameters:
    ///   - instant: By the source's clock.
    ///   - ticks: The newest decoding time of the program; `nil` before the first.
    ///   - arrival: By the clock of this machine.
    package mutating func set(_ instant: WallTime, at ticks: Int64?, arrival: WallTime) {
        guard instant >= Self.earliest else { return }
        told = (instant, arrival)
        guard let ticks else { return }
        if let shown = time(at: ticks), abs(shown.duration(since: instant)) <= Self.tolerance {
            return
        }
        anchor = (ticks, instant)
    }

    /// The timeline does not go on.
    package mutating func beginEpoch() {
        anchor = nil
    }

    /// What the source's clock showed when it sent the unit with this decoding time.
    ///
    /// - Returns: `nil` when the source does not tell the time.
    package mutating func time(at ticks: Int64, arrival: WallTime) -> WallTime? {
        guard let told else { return nil }
        if anchor == nil {
            let passed = arrival.microsecondsSinceEpoch
                .subtractingReportingOverflow(told.arrival.microsecondsSinceEpoch).partialValue
            let since = MediaTime(ticks: passed, timescale: 1_000_000)
            anchor = (ticks, told.instant.advanced(by: since))
        }
        return time(at: ticks)
    }

    private func time(at ticks: Int64) -> WallTime? {
        guard let anchor else { return nil }
        return anchor.instant.advanced(by: MediaTime(mpegTicks: ticks &- anchor.ticks))
    }
}

private func abs(_ duration: Duration) -> Duration {
    duration < .zero ? .zero - duration : duration
}

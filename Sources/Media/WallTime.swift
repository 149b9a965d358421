import FoundationEssentials

/// An instant of the wall clock (UTC), apart from every media clock.
///
/// Units: microseconds since 1970-01-01T00:00:00Z, leap seconds not counted (POSIX time).
package struct WallTime: Sendable, Hashable, Comparable {
    package let microsecondsSinceEpoch: Int64

    package init(microsecondsSinceEpoch: Int64) {
        self.microsecondsSinceEpoch = microsecondsSinceEpoch
    }

    /// The machine's clock.
    ///
    /// For the edges, where media and requests arrive; what lies between is handed
    /// its time.
    package static var now: WallTime {
        WallTime(microsecondsSinceEpoch: Int64(Date.now.timeIntervalSince1970 * 1_000_000))
    }

    package static func < (lhs: WallTime, rhs: WallTime) -> Bool {
        lhs.microsecondsSinceEpoch < rhs.microsecondsSinceEpoch
    }

    package func duration(since earlier: WallTime) -> Duration {
        .microseconds(
            microsecondsSinceEpoch.subtractingReportingOverflow(earlier.microsecondsSinceEpoch)
                .partialValue
        )
    }

    /// `self` moved by a length of media time; saturates.
    package func advanced(by time: MediaTime) -> WallTime {
        let (sum, overflow) = microsecondsSinceEpoch.addingReportingOverflow(
            time.converted(to: 1_000_000).ticks
        )
        return WallTime(microsecondsSinceEpoch: overflow ? (sum < 0 ? .max : .min) : sum)
    }

    /// `self` moved by a length of real time; saturates.
    package func advanced(by duration: Duration) -> WallTime {
        let (seconds, attoseconds) = duration.components
        let time = MediaTime(ticks: seconds, timescale: 1).converted(to: 1_000_000)
        let fraction = MediaTime(ticks: attoseconds / 1_000_000_000_000, timescale: 1_000_000)
        return advanced(by: time + fraction)
    }
}

/// An instant or a length on a media timeline: a whole number of ticks at a timescale.
///
/// Units: `ticks / timescale` seconds. MPEG-TS sources use 90 000 ticks a second, audio samples
///        inside CMAF use the sample rate.
/// Bound: `timescale` is at least 1. Arithmetic saturates at the ends of `Int64`; it never traps, so
///        timestamps taken from the network cannot stop the process.
package struct MediaTime: Sendable {
    package let ticks: Int64
    package let timescale: UInt32

    /// The clock of MPEG-2 PES timestamps and of most RTP video payloads (ISO/IEC 13818-1, 2.4.3.7).
    package static let mpegTimescale: UInt32 = 90_000

    /// A length in ticks of the 90 kHz clock, to the nearest.
    package static func mpegTicks(_ duration: Duration) -> Int64 {
        Int64((duration / .seconds(1) * Double(mpegTimescale)).rounded())
    }

    package init(ticks: Int64, timescale: UInt32) {
        self.ticks = ticks
        self.timescale = max(timescale, 1)
    }

    /// A time in ticks of the 90 kHz clock.
    package init(mpegTicks: Int64) {
        self.init(ticks: mpegTicks, timescale: Self.mpegTimescale)
    }

    package static func zero(timescale: UInt32) -> MediaTime {
        MediaTime(ticks: 0, timescale: timescale)
    }

    /// For print and for wall-clock arithmetic only; comparing and adding stay in ticks.
    package var seconds: Double {
        Double(ticks) / Double(timescale)
    }

    package var duration: Duration {
        let (whole, rest) = ticks.quotientAndRemainder(dividingBy: Int64(timescale))
        let attoseconds = Int64(Double(rest) / Double(timescale) * 1e18)
        return Duration(secondsComponent: whole, attosecondsComponent: attoseconds)
    }

    /// The same time at another timescale, rounded to the nearest tick, halves away from zero.
    package func converted(to timescale: UInt32) -> MediaTime {
        guard timescale != self.timescale else { return self }
        return MediaTime(
            ticks: Self.scale(ticks, by: Int64(timescale), over: Int64(self.timescale)),
            timescale: timescale
        )
    }

    package func multiplied(by factor: Int64) -> MediaTime {
        let (product, overflow) = ticks.multipliedReportingOverflow(by: factor)
        let saturated = (ticks < 0) == (factor < 0) ? Int64.max : Int64.min
        return MediaTime(ticks: overflow ? saturated : product, timescale: timescale)
    }

    package static func + (lhs: MediaTime, rhs: MediaTime) -> MediaTime {
        let (sum, overflow) = lhs.ticks.addingReportingOverflow(
            rhs.converted(to: lhs.timescale).ticks
        )
        let saturated = lhs.ticks < 0 ? Int64.min : Int64.max
        return MediaTime(ticks: overflow ? saturated : sum, timescale: lhs.timescale)
    }

    package static func - (lhs: MediaTime, rhs: MediaTime) -> MediaTime {
        let (difference, overflow) = lhs.ticks.subtractingReportingOverflow(
            rhs.converted(to: lhs.timescale).ticks
        )
        let saturated = lhs.ticks < 0 ? Int64.min : Int64.max
        return MediaTime(ticks: overflow ? saturated : difference, timescale: lhs.timescale)
    }

    private static func scale(_ ticks: Int64, by multiplier: Int64, over divisor: Int64) -> Int64 {
        let product = ticks.magnitude.multipliedFullWidth(by: multiplier.magnitude)
        guard product.high < divisor.magnitude else { return ticks < 0 ? .min : .max }
        let (quotient, remainder) = divisor.magnitude.dividingFullWidth(product)
        let rounded = remainder >= (divisor.magnitude + 1) / 2 ? quotient &+ 1 : quotient
        let magnitude = Int64(clamping: rounded)
        return ticks < 0 ? -magnitude : magnitude
    }
}

extension MediaTime: Comparable {
    /// Exact across timescales: compares `a.ticks × b.timescale` with `b.ticks × a.timescale`.
    package static func < (lhs: MediaTime, rhs: MediaTime) -> Bool {
        let left = lhs.ticks.multipliedFullWidth(by: Int64(rhs.timescale))
        let right = rhs.ticks.multipliedFullWidth(by: Int64(lhs.timescale))
        return left.high == right.high ? left.low < right.low : left.high < right.high
    }

    package static func == (lhs: MediaTime, rhs: MediaTime) -> Bool {
        let left = lhs.ticks.multipliedFullWidth(by: Int64(rhs.timescale))
        let right = rhs.ticks.multipliedFullWidth(by: Int64(lhs.timescale))
        return left.high == right.high && left.low == right.low
    }
}

extension MediaTime: CustomStringConvertible {
    package var description: String { "\(ticks)/\(timescale)" }
}

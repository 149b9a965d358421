/// Says how many log lines of one kind may still be written: a bucket of tokens.
///
/// A caller that retries a hundred times a second must not bury what else is logged.
package struct LogAllowance: Sendable {
    private let burst: Double
    private let linesPerSecond: Double
    private var tokens: Double
    private var refilledAt: ContinuousClock.Instant
    private var suppressed: UInt64 = 0

    package init(burst: Int, linesPerSecond: Double, now: ContinuousClock.Instant) {
        self.burst = Double(burst)
        self.linesPerSecond = linesPerSecond
        tokens = Double(burst)
        refilledAt = now
    }

    /// Asks to write one line.
    ///
    /// - Returns: How many lines were held back since the last one, or `nil` to hold this one back.
    package mutating func take(now: ContinuousClock.Instant) -> UInt64? {
        let elapsed = max(refilledAt.duration(to: now) / .seconds(1), 0)
        tokens = min(burst, tokens + elapsed * linesPerSecond)
        refilledAt = now
        guard tokens >= 1 else {
            suppressed &+= 1
            return nil
        }
        tokens -= 1
        defer { suppressed = 0 }
        return suppressed
    }
}

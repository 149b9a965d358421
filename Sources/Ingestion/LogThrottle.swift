/// Says which log lines may still be written: a bucket of tokens for each subject, and one for all.
///
/// A caller that retries a hundred times a second must bury neither the log nor the line about another
/// caller.
/// Bound: 256 subjects are told apart; at one more, all are forgotten.
package struct LogThrottle: Sendable {
    private struct Bucket {
        let burst: Double
        let linesPerSecond: Double
        var tokens: Double
        var refilledAt: ContinuousClock.Instant

        init(burst: Double, linesPerSecond: Double, now: ContinuousClock.Instant) {
            self.burst = burst
            self.linesPerSecond = linesPerSecond
            tokens = burst
            refilledAt = now
        }

        mutating func refill(now: ContinuousClock.Instant) {
            let elapsed = max(refilledAt.duration(to: now) / .seconds(1), 0)
            tokens = min(burst, tokens + elapsed * linesPerSecond)
            refilledAt = now
        }
    }

    private static let subjectLimit = 256

    private var all: Bucket
    private var subjects: [String: Bucket] = [:]
    private var heldBack: UInt64 = 0

    package init(now: ContinuousClock.Instant) {
        all = Bucket(burst: 20, linesPerSecond: 2, now: now)
    }

    /// Asks to write one line about a subject.
    ///
    /// - Returns: How many lines were held back since the last one, or `nil` to hold this one back.
    package mutating func take(subject: String, now: ContinuousClock.Instant) -> UInt64? {
        if subjects.count >= Self.subjectLimit, subjects[subject] == nil { subjects = [:] }
        var own = subjects[subject] ?? Bucket(burst: 2, linesPerSecond: 0.1, now: now)
        own.refill(now: now)
        all.refill(now: now)
        defer { subjects[subject] = own }
        guard own.tokens >= 1, all.tokens >= 1 else {
            heldBack &+= 1
            return nil
        }
        own.tokens -= 1
        all.tokens -= 1
        defer { heldBack = 0 }
        return heldBack
    }
}

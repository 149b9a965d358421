/// How long to wait before a connection is tried again: twice as long after each failure, with
/// jitter, so that many callers of one listener do not come back in step.
package struct ReconnectBackoff: Sendable {
    private let minimum: Duration
    private let maximum: Duration
    private var base: Duration

    /// - Parameters:
    ///   - minimum: The first wait, at most; more than zero.
    ///   - maximum: No wait is longer.
    package init(minimum: Duration, maximum: Duration) {
        self.minimum = max(minimum, .milliseconds(1))
        self.maximum = max(maximum, self.minimum)
        base = self.minimum
    }

    /// The wait before the next attempt: between half of the present step and all of it.
    package mutating func next(using random: inout some RandomNumberGenerator) -> Duration {
        let step = base
        base = min(base * 2, maximum)
        return step * Double.random(in: 0.5...1, using: &random)
    }

    /// Notes that a connection is over.
    ///
    /// One that stood as long as the longest wait shows that all is well, and the next wait is short
    /// again; one that broke at once does not.
    package mutating func connectionEnded(after stood: Duration) {
        if stood >= maximum { base = minimum }
    }
}

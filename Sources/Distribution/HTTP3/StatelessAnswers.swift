import NIOCore

/// How many packets that belong to no connection are still answered this second.
///
/// Anybody can send them, with anybody's address as their own: answers are fewer and smaller than what
/// they answer (RFC 9000, 10.3.3 and 21.3).
struct StatelessAnswers {
    private let perSecond: Int
    private var second: UInt64 = 0
    private var left = 0

    init(perSecond: Int = 0) {
        self.perSecond = perSecond
    }

    /// - Parameter now: Nanoseconds.
    /// - Returns: Whether this one is answered.
    mutating func take(now: UInt64) -> Bool {
        let second = now / 1_000_000_000
        if second != self.second {
            self.second = second
            left = perSecond
        }
        guard left > 0 else { return false }
        left -= 1
        return true
    }
}

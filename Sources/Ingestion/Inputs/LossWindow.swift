/// Whether an input loses packets, second by second, of the last ten.
///
/// One burst is no reason to leave an input: another costs viewers a jump as well.
struct LossWindow: Sendable {
    private static let seconds = 10
    private static let sustained = 5

    /// A bit for each second, the latest lowest.
    private var seconds: UInt16 = 0
    private var total: UInt64?

    var isNone: Bool { seconds == 0 }
    var isSustained: Bool { seconds.nonzeroBitCount >= Self.sustained }

    /// Takes how many were lost since the publisher came; to be called once a second.
    mutating func note(total: UInt64) {
        let hasLost = self.total.map { total > $0 } ?? false
        self.total = total
        seconds = (seconds << 1 | (hasLost ? 1 : 0)) & ((1 << Self.seconds) - 1)
    }
}

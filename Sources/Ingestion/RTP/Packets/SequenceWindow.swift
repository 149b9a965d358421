/// Which of the newest sequence numbers are here.
///
/// Shape: a ring of bits, `reach` numbers back from the highest at least.
struct SequenceWindow: Sendable {
    /// How far behind the highest a number may be asked for.
    static let reach = (wordCount - 1) * 64
    private static let wordCount = 64

    private var words = [UInt64](repeating: 0, count: wordCount)

    /// Moves the window forward by `step` numbers, to `number`, which is here.
    @inline(__always)
    mutating func insert(_ number: Int64, over step: Int64) {
        // In order: a word is cleared as it is entered.
        if step == 1 {
            if number & 63 == 0 { words[Self.word(number)] = 0 }
        } else {
            clear(after: number &- step, through: number)
        }
        words[Self.word(number)] |= Self.bit(number)
    }

    /// Notes a number behind the highest, at most `reach` back.
    mutating func insertBehind(_ number: Int64) {
        words[Self.word(number)] |= Self.bit(number)
    }

    func contains(_ number: Int64) -> Bool {
        words[Self.word(number)] & Self.bit(number) != 0
    }

    private mutating func clear(after last: Int64, through number: Int64) {
        let entered = min((number >> 6) &- (last >> 6), Int64(Self.wordCount))
        for back in 0..<entered {
            words[Self.word(number &- back * 64)] = 0
        }
    }

    private static func word(_ number: Int64) -> Int { Int(number >> 6) & (wordCount - 1) }

    private static func bit(_ number: Int64) -> UInt64 { 1 << UInt64(number & 63) }
}

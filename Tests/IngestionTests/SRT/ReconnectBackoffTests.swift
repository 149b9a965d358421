import Ingestion
import Testing

struct ReconnectBackoffTests {
    /// SplitMix64, so that a failure can be repeated.
    private struct SeededGenerator: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state &+= 0x9e37_79b9_7f4a_7c15
            var mixed = state
            mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
            mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
            return mixed ^ (mixed >> 31)
        }
    }

    @Test func waitsTwiceAsLongAfterEachFailureUpToTheMaximum() {
        var random = SeededGenerator(state: 1)
        var backoff = ReconnectBackoff(minimum: .seconds(1), maximum: .seconds(5))
        for step in [1, 2, 4, 5, 5, 5] {
            let wait = backoff.next(using: &random)
            #expect(wait >= .seconds(step) * 0.5)
            #expect(wait <= .seconds(step))
        }
    }

    @Test func waitsDifferWithTheRandomNumbers() {
        let waits = (0..<20).map { seed in
            var random = SeededGenerator(state: UInt64(seed))
            var backoff = ReconnectBackoff(minimum: .seconds(8), maximum: .seconds(8))
            return backoff.next(using: &random)
        }
        #expect(Set(waits).count == waits.count)
    }

    @Test func startsAgainWithShortWaitsAfterAConnectionThatStood() {
        var random = SeededGenerator(state: 7)
        var backoff = ReconnectBackoff(minimum: .seconds(1), maximum: .seconds(8))
        for _ in 0..<5 { _ = backoff.next(using: &random) }
        backoff.connectionEnded(after: .seconds(8))
        #expect(backoff.next(using: &random) <= .seconds(1))
    }

    @Test func goesOnWaitingLongerWhenConnectionsBreakAtOnce() {
        var random = SeededGenerator(state: 7)
        var backoff = ReconnectBackoff(minimum: .seconds(1), maximum: .seconds(8))
        for _ in 0..<5 {
            _ = backoff.next(using: &random)
            backoff.connectionEnded(after: .milliseconds(100))
        }
        #expect(backoff.next(using: &random) >= .seconds(4))
    }

    @Test func zeroAndReversedLimitsStillWait() {
        var random = SeededGenerator(state: 3)
        var backoff = ReconnectBackoff(minimum: .zero, maximum: .seconds(-1))
        #expect(backoff.next(using: &random) > .zero)
    }
}

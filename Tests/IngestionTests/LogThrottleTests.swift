import Ingestion
import Testing

struct LogThrottleTests {
    private let start = ContinuousClock.now

    @Test func aCallerThatRetriesIsLoggedTwiceAndThenEveryTenSeconds() {
        var throttle = LogThrottle(now: start)
        var written = 0
        for tick in 0..<3000 {
            let now = start + .milliseconds(tick * 10)
            if throttle.take(subject: "retry", now: now) != nil { written += 1 }
        }
        #expect(written == 2 + 2)
    }

    @Test func oneNoisyCallerDoesNotHideAnother() {
        var throttle = LogThrottle(now: start)
        for _ in 0..<1000 { _ = throttle.take(subject: "noisy", now: start) }
        #expect(throttle.take(subject: "other", now: start) == 998)
        #expect(throttle.take(subject: "other", now: start) == 0)
    }

    @Test func manyCallersTogetherAreHeldToTwentyLinesAndTwoASecond() {
        var throttle = LogThrottle(now: start)
        var written = 0
        for tick in 0..<1000 {
            let now = start + .milliseconds(tick * 10)
            if throttle.take(subject: "caller \(tick)", now: now) != nil { written += 1 }
        }
        #expect((38...40).contains(written))
    }
}

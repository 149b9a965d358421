import Ingestion
import Testing

struct ReceiveRateTests {
    private let start = ContinuousClock.now

    /// Feeds one measurement a second; each element is what came in that second, in bytes.
    private func rate(limit: Int?, seconds: [UInt64]) -> ReceiveRate {
        var rate = ReceiveRate(limitBitsPerSecond: limit, now: start)
        var total: UInt64 = 0
        for (second, bytes) in seconds.enumerated() {
            total += bytes
            rate.measure(totalBytes: total, now: start + .seconds(second + 1))
        }
        return rate
    }

    @Test func theRateIsThatOfTheLastSecond() {
        #expect(rate(limit: nil, seconds: [1000, 2000, 500]).bitsPerSecond == 4000)
    }

    @Test func fiveSecondsAboveTheLimitAreTooMany() {
        #expect(!rate(limit: 8000, seconds: [1001, 1001, 1001, 1001]).isExceeded)
        #expect(rate(limit: 8000, seconds: [1001, 1001, 1001, 1001, 1001]).isExceeded)
    }

    @Test func aSecondAtTheLimitStartsTheCountAgain() {
        let burst: [UInt64] = [9000, 9000, 9000, 9000]
        #expect(!rate(limit: 8000, seconds: burst + [1000] + burst).isExceeded)
    }

    @Test func withoutALimitNothingIsTooMuch() {
        #expect(!rate(limit: nil, seconds: Array(repeating: .max / 20, count: 10)).isExceeded)
    }

    @Test func twoMeasurementsAtOneInstantDoNotDivideByZero() {
        var rate = ReceiveRate(limitBitsPerSecond: 1, now: start)
        rate.measure(totalBytes: 10, now: start)
        #expect(rate.bitsPerSecond == 0)
    }
}

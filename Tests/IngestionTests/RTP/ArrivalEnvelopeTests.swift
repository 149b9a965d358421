import Ingestion
import Media
import TestSupport
import Testing

@Suite struct ArrivalEnvelopeTests {
    private static let start: Int64 = 1_700_000_000_000_000
    private static let delay: Int64 = 40_000

    /// Media every 20 ms of a clock that runs fast by `ppm`, late by what `jitter` says.
    private static func feed(
        _ envelope: inout ArrivalEnvelope,
        seconds: Range<Int>,
        ppm: Double = 0,
        jitter: (Int) -> Int64
    ) {
        for index in seconds.lowerBound * 50..<seconds.upperBound * 50 {
            let sent = Int64(index) * 20_000
            let media = Int64(Double(sent) * (1 + ppm / 1e6))
            let arrival = sent + delay + jitter(index)
            envelope.add(delay: arrival - media, at: wall(arrival))
        }
    }

    private static func wall(_ microseconds: Int64) -> WallTime {
        WallTime(microsecondsSinceEpoch: start + microseconds)
    }

    @Test(arguments: [0.0, 100, -100, 30])
    func driftAndDelayAreSeenThroughJitter(ppm: Double) throws {
        var random = SeededRandom(seed: 3)
        var envelope = ArrivalEnvelope()
        Self.feed(&envelope, seconds: 0..<80, ppm: ppm) { _ in
            Int64.random(in: 0...20_000, using: &random)
        }
        #expect(abs(try #require(envelope.driftPPM) - ppm) < 15)
        let now: Int64 = 80_000_000
        let expected = Double(Self.delay) - Double(now) * ppm / 1e6
        #expect(abs(Double(envelope.delay(at: Self.wall(now))) - expected) < 1_500)
    }

    @Test func aBurstOfDelayMovesNothing() {
        var envelope = ArrivalEnvelope()
        Self.feed(&envelope, seconds: 0..<60) { index in
            // For 6 s all packets are late by half a second.
            (2_000..<2_300).contains(index) ? 500_000 : Int64(index % 5) * 1_000
        }
        #expect(abs(envelope.delay(at: Self.wall(60_000_000)) - Self.delay) < 200)
        #expect(abs(envelope.driftPPM ?? .infinity) < 10)
    }

    @Test func aLongerPathIsBelievedInTheEnd() {
        var envelope = ArrivalEnvelope()
        Self.feed(&envelope, seconds: 0..<30) { _ in 0 }
        Self.feed(&envelope, seconds: 30..<200) { _ in 25_000 }
        let delay = envelope.delay(at: Self.wall(200_000_000))
        #expect(abs(delay - Self.delay - 25_000) < 500)
    }

    @Test func aShorterPathIsBelievedAtOnce() {
        var envelope = ArrivalEnvelope()
        Self.feed(&envelope, seconds: 0..<30) { _ in 25_000 }
        Self.feed(&envelope, seconds: 30..<31) { _ in 0 }
        #expect(abs(envelope.delay(at: Self.wall(31_000_000)) - Self.delay) < 500)
    }

    @Test func aClockThatWasSetBackBeginsAnew() {
        var envelope = ArrivalEnvelope()
        Self.feed(&envelope, seconds: 100..<130) { _ in 0 }
        envelope.add(delay: 7_000, at: Self.wall(0))
        #expect(envelope.delay(at: Self.wall(0)) == 7_000)
        #expect(envelope.driftPPM == nil)
    }

    @Test func nonsenseDoesNotTrap() {
        var envelope = ArrivalEnvelope()
        for time in [Int64.min, .max, 0, .min, 1, .max - 1] {
            for delay in [Int64.max, .min, 0] {
                envelope.add(delay: delay, at: WallTime(microsecondsSinceEpoch: time))
                _ = envelope.delay(at: WallTime(microsecondsSinceEpoch: 3 &- time))
            }
        }
    }
}

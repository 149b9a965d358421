import Media
import Testing

@Suite struct MediaTimeTests {
    @Test func convertingRoundsToTheNearestTick() {
        #expect(MediaTime(mpegTicks: 1_920).converted(to: 44_100).ticks == 941)
        #expect(MediaTime(mpegTicks: -1_920).converted(to: 44_100).ticks == -941)
    }

    @Test func comparingAcrossTimescalesIsExact() {
        #expect(MediaTime(ticks: 1, timescale: 3) < MediaTime(ticks: 333_334, timescale: 1_000_000))
        #expect(MediaTime(ticks: 1, timescale: 3) > MediaTime(ticks: 333_333, timescale: 1_000_000))
        #expect(MediaTime(mpegTicks: 90_000) == MediaTime(ticks: 48_000, timescale: 48_000))
    }

    @Test func arithmeticSaturatesInsteadOfTrapping() {
        let latest = MediaTime(mpegTicks: .max)
        #expect((latest + latest).ticks == .max)
        #expect((MediaTime(mpegTicks: .min) - latest).ticks == .min)
        #expect(latest.multiplied(by: -2).ticks == .min)
        #expect(latest.converted(to: 1_000_000_000).ticks == .max)
        #expect(MediaTime(ticks: 5, timescale: 0).timescale == 1)
    }
}

import Ingestion
import Media
import MirrorServer
import Packaging
import Testing

@Suite struct ContributionCoachTests {
    /// A publisher whose figures a test moves on, a second at a time.
    private struct Line {
        var coach = ContributionCoach()
        var statistics = IngestStatistics()
        private var seconds: Int64 = 1_000
        private var overrun: UInt64 = 0

        init(latency: Int = 120, roundTrip: Double = 20, kernelBufferBytes: Int? = 8 << 20) {
            var srt = SRTStatistics()
            srt.latencyMilliseconds = latency
            srt.roundTripMilliseconds = roundTrip
            srt.kernelBufferBytes = kernelBufferBytes
            statistics.srt = srt
            statistics.bitrateBitsPerSecond = 50_000_000
            look()
        }

        var codes: [Advice.Code] { coach.advice.map(\.code) }

        private mutating func look() {
            seconds += 1
            let now = WallTime(microsecondsSinceEpoch: seconds * 1_000_000)
            coach.look(at: statistics, droppedAccessUnits: overrun, now: now)
        }

        /// Lets seconds pass in each of which this many packets are lost, given up, or missing.
        mutating func pass(
            _ count: Int,
            lost: UInt64 = 0,
            dropped: UInt64 = 0,
            missing: UInt64 = 0,
            overrun: UInt64 = 0
        ) {
            for _ in 0..<count {
                statistics.srt?.receivedPackets += 990
                statistics.srt?.lostPackets += lost
                statistics.srt?.droppedPackets += dropped
                statistics.transportStream.continuityErrors += missing
                self.overrun += overrun
                look()
            }
        }
    }

    @Test func aSoundLineNeedsNoAdvice() {
        var line = Line()
        line.pass(300, lost: 5)
        #expect(line.codes == [])
    }

    @Test func aLatencyBelowFourRoundTripsIsTooShortWherePacketsAreLost() throws {
        var line = Line(latency: 120, roundTrip: 41.2)
        line.pass(60)
        #expect(line.codes == [])
        line.pass(2, lost: 3)
        #expect(line.codes == [])
        line.pass(1, lost: 3)
        #expect(line.codes == [.latencyTooShort])
        #expect(try #require(line.coach.advice.first).text.contains("latency to 170 ms"))
        // A round trip that is shorter for a while does not change the words.
        line.statistics.srt?.roundTripMilliseconds = 35
        line.pass(10, lost: 3)
        #expect(try #require(line.coach.advice.first).text.contains("latency to 170 ms"))
    }

    @Test func packetsGivenUpAreLossThatIsNotRepaired() throws {
        var line = Line()
        line.pass(3, lost: 20, dropped: 10, missing: 10)
        #expect(line.codes == [.lossNotRepaired])
        #expect(try #require(line.coach.advice.first).text.contains("up to 1 %"))
    }

    @Test func packetsThatAreMissingThoughNoneWereLostWereDamagedBefore() {
        var line = Line()
        line.pass(3, lost: 4, missing: 1)
        #expect(line.codes == [.damagedBeforeArrival])
    }

    @Test func whatSRTGaveUpMayBeMissedASecondLater() {
        var line = Line()
        for _ in 0..<10 {
            line.pass(1, dropped: 4)
            line.pass(1, missing: 4)
        }
        #expect(line.codes == [.lossNotRepaired])
    }

    @Test func aSmallKernelBufferMattersAtHighBitrates() throws {
        var line = Line(kernelBufferBytes: 212_992)
        line.pass(3)
        #expect(line.codes == [.kernelBufferTooSmall])
        let text = try #require(line.coach.advice.first).text
        #expect(text.contains("208 KiB") && text.contains("net.core.rmem_max=8388608"))
        line.statistics.bitrateBitsPerSecond = 4_000_000
        line.pass(61)
        #expect(line.codes == [])
        var unknown = Line(kernelBufferBytes: nil)
        unknown.pass(10)
        #expect(unknown.codes == [])
    }

    @Test func aClockThatRunsAwayIsToldWithWhatItComesToInADay() throws {
        var line = Line()
        line.statistics.transportStream.errors.clockDriftPPM = 95
        line.pass(10)
        #expect(line.codes == [])
        line.statistics.transportStream.errors.clockDriftPPM = -300
        line.pass(3)
        #expect(line.codes == [.clockDrift])
        let text = try #require(line.coach.advice.first).text
        #expect(text.contains("300 millionths slow against this server's, 25.9 s a day"))
        line.statistics.transportStream.errors.clockDriftPPM = 5
        line.pass(61)
        #expect(line.codes == [])
    }

    @Test func aServerThatCannotKeepUpSaysSoAndWhatItCost() throws {
        var line = Line()
        line.pass(2, overrun: 10)
        #expect(line.codes == [])
        line.pass(2, overrun: 10)
        #expect(line.codes == [.serverTooSlow])
        #expect(try #require(line.coach.advice.first).text.contains("40 pictures and sound frames"))
        line.pass(61)
        #expect(line.codes == [])
        line.pass(3, overrun: 1)
        #expect(try #require(line.coach.advice.first).text.contains("3 pictures and sound frames"))
    }

    @Test func adviceStaysForAMinuteAndDoesNotFlicker() {
        var line = Line()
        line.pass(2, missing: 1)
        #expect(line.codes == [])
        line.pass(31)
        line.pass(1, missing: 1)
        #expect(line.codes == [], "trouble that is long past was counted")
        line.pass(2, missing: 1)
        for _ in 0..<5 {
            line.pass(59)
            #expect(line.codes == [.damagedBeforeArrival])
            line.pass(1, missing: 1)
        }
        line.pass(59)
        #expect(line.codes == [.damagedBeforeArrival])
        line.pass(1)
        #expect(line.codes == [])
        line.pass(1, missing: 1)
        #expect(line.codes == [])
    }

    @Test func looksWithinASecondCountOnce() {
        var coach = ContributionCoach()
        var statistics = IngestStatistics()
        for step in 0..<12 as Range<Int64> {
            coach.look(
                at: statistics,
                now: WallTime(microsecondsSinceEpoch: 1_000_000 + step * 200_000)
            )
            statistics.transportStream.continuityErrors += 1
        }
        #expect(coach.advice == [])
    }

    @Test func aPublisherWithoutSRTIsJudgedByItsStream() {
        var line = Line()
        line.statistics.srt = nil
        line.pass(3, missing: 1)
        #expect(line.codes == [.damagedBeforeArrival])
    }
}

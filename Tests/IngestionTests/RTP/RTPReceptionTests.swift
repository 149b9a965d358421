import Ingestion
import Media
import TestSupport
import Testing

@Suite struct RTPReceptionTests {
    /// A source that is believed, with so many packets from a number on.
    private func reception(from first: Int, count: Int) -> RTPReception {
        var reception = RTPReception(clockRate: 90_000, minimumSequential: 1)
        for number in first..<first + count {
            _ = reception.receive(.numbered(number), arrival: .at(milliseconds: 0))
        }
        return reception
    }

    @Test func theSecondPacketInARowEndsProbation() {
        var reception = RTPReception(clockRate: 90_000)
        let now = WallTime.at(milliseconds: 0)
        #expect(reception.receive(.numbered(10), arrival: now) == .probation)
        #expect(reception.receive(.numbered(12), arrival: now) == .probation)
        #expect(!reception.hasPassedProbation)
        #expect(reception.receive(.numbered(13), arrival: now) == .accepted(extendedSequence: 13))
        #expect(reception.hasPassedProbation)
        #expect(reception.statistics.received == 1)
        #expect(reception.statistics.lost == 0)
    }

    @Test func aSourceThatIsKnownNeedsNoProbation() {
        var reception = RTPReception(clockRate: 90_000, minimumSequential: 1)
        let verdict = reception.receive(.numbered(65_535), arrival: .at(milliseconds: 0))
        #expect(verdict == .accepted(extendedSequence: 65_535))
    }

    @Test func numbersGoOnOverTheirWrap() {
        var reception = reception(from: 65_530, count: 6)
        for number in 65_536..<200_000 {
            let verdict = reception.receive(.numbered(number), arrival: .at(milliseconds: 0))
            #expect(verdict == .accepted(extendedSequence: Int64(number)))
        }
        #expect(reception.statistics.received == 200_000 - 65_530)
        #expect(reception.statistics.lost == 0)
        #expect(
            reception.makeReportBlock(now: .at(milliseconds: 0)).extendedHighestSequence == 199_999
        )
    }

    @Test func lateAndRepeatedPacketsAreToldApart() {
        var reception = reception(from: 100, count: 10)
        let now = WallTime.at(milliseconds: 0)
        #expect(reception.receive(.numbered(112), arrival: now) == .accepted(extendedSequence: 112))
        #expect(reception.statistics.lost == 2)
        #expect(reception.receive(.numbered(110), arrival: now) == .accepted(extendedSequence: 110))
        #expect(reception.receive(.numbered(110), arrival: now) == .duplicate)
        #expect(reception.receive(.numbered(112), arrival: now) == .duplicate)
        #expect(reception.receive(.numbered(105), arrival: now) == .duplicate)
        #expect(reception.receive(.numbered(111), arrival: now) == .accepted(extendedSequence: 111))
        // From before the first packet: nobody expects it.
        #expect(reception.receive(.numbered(99), arrival: now) == .invalid)
        let statistics = reception.statistics
        #expect(statistics.received == 13)
        #expect(statistics.lost == 0)
        #expect(statistics.reordered == 2)
        #expect(statistics.duplicates == 3)
        #expect(statistics.invalid == 1)
    }

    @Test func burstsOfLossesDoNotEndASource() {
        var reception = reception(from: 0, count: 5)
        let now = WallTime.at(milliseconds: 0)
        var number = 4
        for burst in [300, 1_000, 5_000, 16_000] {
            number += burst + 1
            #expect(
                reception.receive(.numbered(number), arrival: now)
                    == .accepted(extendedSequence: Int64(number))
            )
        }
        #expect(reception.statistics.lost == 22_300)
        #expect(reception.statistics.restarts == 0)
        // What the burst took may still come, once.
        let late = number - 2_000
        #expect(
            reception.receive(.numbered(late), arrival: now)
                == .accepted(extendedSequence: Int64(late))
        )
        #expect(reception.receive(.numbered(late), arrival: now) == .duplicate)
    }

    @Test func aNumberFarAwayIsBelievedWithItsSuccessor() {
        var reception = reception(from: 1_000, count: 10)
        let now = WallTime.at(milliseconds: 0)
        #expect(reception.receive(.numbered(40_000), arrival: now) == .invalid)
        // Somebody else's packet: the source goes on.
        #expect(
            reception.receive(.numbered(1_010), arrival: now) == .accepted(extendedSequence: 1_010)
        )
        #expect(reception.receive(.numbered(40_001), arrival: now) == .invalid)
        guard case .restarted(let first) = reception.receive(.numbered(40_002), arrival: now) else {
            Issue.record("no restart")
            return
        }
        #expect(UInt16(truncatingIfNeeded: first) == 40_002)
        #expect(first > 1_010 + 65_536)
        #expect(
            reception.receive(.numbered(40_003), arrival: now)
                == .accepted(extendedSequence: first + 1)
        )
        #expect(reception.statistics.restarts == 1)
        #expect(reception.statistics.received == 13)
        #expect(reception.statistics.lost == 0)
    }

    @Test func aSenderThatStartsAnewInsideTheWindowIsFoundAfterASecond() {
        var reception = reception(from: 0, count: 3_000)
        var restart: Int?
        for number in 0..<200 {
            // 10 ms apart.
            let arrival = WallTime.at(milliseconds: Double(1 + number * 10))
            if case .restarted = reception.receive(.numbered(number), arrival: arrival) {
                restart = number
                break
            }
        }
        #expect(restart == 100)
    }

    @Test func asLongAsTheSourceGoesOnASecondCopyBehindItIsNoRestart() {
        var reception = reception(from: 0, count: 500)
        for number in 500..<2_000 {
            let now = WallTime.at(milliseconds: Double(number * 10))
            #expect(
                reception.receive(.numbered(number), arrival: now)
                    == .accepted(extendedSequence: Int64(number))
            )
            #expect(reception.receive(.numbered(number - 400), arrival: now) == .duplicate)
        }
    }

    @Test func jitterIsThatOfTheSpecification() {
        var reception = RTPReception(clockRate: 8_000, minimumSequential: 1)
        // Every 20 ms, and each second packet 2 ms late: spacings are off by 2 ms, 16 ticks.
        for number in 0..<400 {
            let late = number.isMultiple(of: 2) ? 0.0 : 2.0
            _ = reception.receive(
                .numbered(number, timestamp: UInt32(number * 160)),
                arrival: .at(milliseconds: Double(number) * 20 + late)
            )
        }
        let block = reception.makeReportBlock(now: .at(milliseconds: 8_000))
        #expect((15...16).contains(block.jitter))
        #expect(
            (Duration.microseconds(1_875)...(.milliseconds(2))).contains(
                reception.statistics.jitter
            )
        )
        // A jump of the sender's clock is none.
        _ = reception.receive(
            .numbered(400, timestamp: 3_000_000_000),
            arrival: .at(milliseconds: 8_000)
        )
        #expect(reception.statistics.jitter <= .milliseconds(2))
    }

    @Test func reportsTellTheLossSinceTheOneBefore() {
        var reception = reception(from: 0, count: 100)
        #expect(reception.makeReportBlock(now: .at(milliseconds: 0)).fractionLost == 0)
        // Of the next hundred, a quarter is lost.
        for number in 100..<200 where number % 4 != 0 {
            _ = reception.receive(.numbered(number), arrival: .at(milliseconds: 0))
        }
        let block = reception.makeReportBlock(now: .at(milliseconds: 0))
        #expect(block.ssrc == 0x1234_5678)
        #expect(block.fractionLost == 64)
        #expect(block.cumulativeLost == 25)
        #expect(block.extendedHighestSequence == 199)
        #expect(reception.makeReportBlock(now: .at(milliseconds: 0)).fractionLost == 0)
        // Duplicates make up for losses, as the RFC counts.
        for number in 120..<160 where number % 4 != 0 {
            _ = reception.receive(.numbered(number), arrival: .at(milliseconds: 0))
        }
        #expect(reception.makeReportBlock(now: .at(milliseconds: 0)).cumulativeLost == -5)
        #expect(reception.statistics.lost == 25)
    }

    @Test func reportsGiveTheSenderWhatItNeedsForTheRoundTrip() {
        var reception = reception(from: 0, count: 1)
        #expect(reception.makeReportBlock(now: .at(milliseconds: 0)).lastSenderReport == 0)
        let report = RTCPSenderReport(
            ssrc: 0x1234_5678,
            ntp: 0x1111_2222_3333_4444,
            rtpTimestamp: 0,
            packets: 1,
            octets: 8
        )
        reception.receive(report, arrival: .at(milliseconds: 1_000))
        let block = reception.makeReportBlock(now: .at(milliseconds: 3_500))
        #expect(block.lastSenderReport == 0x2222_3333)
        #expect(block.delaySinceLastSenderReport == 0x2_8000)
        // The machine's clock was set back.
        let early = reception.makeReportBlock(now: .at(milliseconds: 0))
        #expect(early.delaySinceLastSenderReport == 0)
    }

    @Test func noSequenceOfNumbersDoesHarm() {
        var random = SeededRandom(seed: 1)
        var reception = RTPReception(clockRate: .max)
        var number = 0
        var highest = Int64.min
        for _ in 0..<200_000 {
            number &+= Int.random(in: 0...9, using: &random) == 0 ? Int(random.next() >> 48) : 1
            let arrival = WallTime(
                microsecondsSinceEpoch: Int64(bitPattern: random.next() >> (random.next() % 64))
            )
            let packet = RTPPacket.numbered(number, timestamp: UInt32(random.next() >> 32))
            switch reception.receive(packet, arrival: arrival) {
            case .restarted(let extended):
                #expect(extended > highest)
                highest = extended
            case .accepted(let extended):
                #expect(UInt16(truncatingIfNeeded: extended) == packet.sequenceNumber)
                highest = max(highest, extended)
            case .probation, .duplicate, .invalid: break
            }
            if random.next() % 100 == 0 { _ = reception.makeReportBlock(now: arrival) }
        }
        #expect(reception.statistics.restarts > 100)
    }
}

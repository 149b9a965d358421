import Ingestion
import Media
import TestSupport
import Testing

@Suite("Merge of redundant legs")
struct TransportStreamMergeTests {
    private typealias Leg = RedundantFeed.Leg

    @Test(arguments: [UInt64](1...12))
    func aHundredCutsOfEitherLegCostNothing(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        let feed = RedundantFeed(packets: 120_000, seed: seed)
        var legs = [Leg(), Leg(phase: 3)]
        legs[0].delay = Int.random(in: 0...300_000, using: &random)
        legs[1].delay = Int.random(in: 0...300_000, using: &random)
        for cut in 0..<100 {
            // By then, the other leg has been found again.
            let start = 600_000 + cut * 1_150_000 + Int.random(in: 0...150_000, using: &random)
            let end = start + Int.random(in: 1_000...250_000, using: &random)
            legs[Int.random(in: 0...1, using: &random)].cuts.append(start..<end)
        }

        // Eight seconds of it are remembered.
        let result = feed.send(over: legs, configuration: .init(byteLimit: 1_500_000))

        #expect(result.difference(from: feed.bytes) == nil)
        #expect(result.restarts == 0)
        #expect(result.statistics.holes == 0)
        #expect(result.statistics.packets == UInt64(feed.packetCount))
    }

    @Test(arguments: [UInt64](1...12))
    func whatOneLegLosesTheOtherBrings(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        let feed = RedundantFeed(packets: 40_000, seed: seed)
        var legs = [Leg(), Leg(phase: 4)]
        legs[1].delay = Int.random(in: -200_000...200_000, using: &random)
        legs[0].delay = max(0, -legs[1].delay)
        legs[1].delay = max(0, legs[1].delay)
        loseApart(&legs, of: feed, share: 0.02, &random)

        var result = feed.send(over: legs)

        // How many null packets were lost with others nobody can tell.
        result.bytes = RedundantFeed(bytes: result.bytes).bytesWithoutNullPackets
        #expect(result.difference(from: feed.bytesWithoutNullPackets) == nil)
        #expect(result.statistics.holes == 0)
        #expect(legs.allSatisfy { $0.lostMessages.count > 50 })
        #expect(result.statistics.legs.allSatisfy { $0.gaps > 50 && $0.missingPackets > 300 })
    }

    /// Loses messages of each leg, and never a packet on both.
    private func loseApart(
        _ legs: inout [Leg],
        of feed: RedundantFeed,
        share: Double,
        _ random: inout SeededRandom
    ) {
        var lost: Set<Int> = []
        for packet in 100..<(feed.packetCount - 100) {
            for leg in legs.indices where packet % 7 == legs[leg].phase {
                let packets = packet..<(packet + 7)
                guard Double.random(in: 0..<1, using: &random) < share,
                    lost.isDisjoint(with: packets)
                else { continue }
                lost.formUnion(packets)
                legs[leg].lostMessages.insert(packet)
            }
        }
    }

    /// A loss is filled when the first packet behind it tells of it: the counter of its PID broke.
    ///
    /// Else what is behind it has gone out already, because the first leg is not held up, and what the
    /// other leg brings later has no place any more. Then, for as long as the legs differ, it is not
    /// certain either how other losses lie to it.
    @Test(arguments: [UInt64](1...12))
    func withoutWordOfTheTransportEveryLossThatACounterTellsOfAtOnceIsFilled(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        let feed = RedundantFeed(packets: 40_000, seed: seed, hasLookalikes: false)
        let delay = 80_000
        var legs = [Leg(hasHints: false), Leg(delay: delay, hasHints: false, phase: 4)]
        loseApart(&legs, of: feed, share: 0.02, &random)

        let result = feed.send(over: legs)

        let untold = legs.map { feed.losses(of: $0).filter { !feed.isTold($0) } }
        let reach = (delay + 2 * 15_000) / RedundantFeed.microsecondsPerPacket
        let missing = missing(in: result, of: feed)
        for packets in missing ?? [] where !untold[0].contains(where: { $0.overlaps(packets) }) {
            let about = (packets.lowerBound - reach)..<(packets.upperBound + reach)
            let isNearUntold = untold.joined().contains { $0.overlaps(about) }
            #expect(isNearUntold, "\(packets)")
        }
        let lost = legs[0].lostMessages.count
        #expect(missing.map { $0.count * 6 < lost } == true, "\(missing ?? []) of \(lost)")
        #expect(untold[0].count * 6 < lost)
    }

    /// Which packets of the feed did not come; `nil` when others came.
    private func missing(
        in result: RedundantFeed.Result,
        of feed: RedundantFeed
    ) -> [Range<Int>]? {
        var missing: [Range<Int>] = []
        var next = 0
        for place in 0..<(result.bytes.count / RedundantFeed.packetSize) {
            let packet = RedundantFeed(bytes: result.bytes).packet(place)
            guard let index = (next..<feed.packetCount).first(where: { feed.packet($0) == packet })
            else { return nil }
            if index > next { missing.append(next..<index) }
            next = index + 1
        }
        return missing
    }

    @Test func aLossThatNoCounterShowsIsFilledOnTheTransportsWord() throws {
        // Of one PID only, so that the counter is as if nothing were missing.
        var writer = TransportStreamWriter(streams: [.h264()])
        var random = SeededRandom(seed: 5)
        var bytes: [UInt8] = []
        for picture in 0..<100 {
            let payload = random.bytes(184 * 64 - 19)
            bytes += writer.pes(payload, on: .h264(), pts: Int64(picture) * 3_600, hasClock: false)
        }
        let feed = RedundantFeed(bytes: bytes)
        let lost = Leg(lostMessages: [16 * 40], messagePackets: 16)

        let result = feed.send(over: [lost, Leg(delay: 50_000)])
        #expect(result.difference(from: feed.bytes) == nil)

        var silent = lost
        silent.hasHints = false
        let other = feed.send(over: [silent, Leg(delay: 50_000)])
        #expect(other.bytes.count == feed.bytes.count - 16 * RedundantFeed.packetSize)
        #expect(missing(in: other, of: feed) == [640..<656])
    }

    @Test func theFirstLegsPacketsAreNotHeldUp() {
        let feed = RedundantFeed(packets: 10_000, seed: 3)
        let result = feed.send(over: [Leg(delay: 100_000), Leg(phase: 2)], drain: 1)
        let lag = result.packetTimes.enumerated().map { index, time in
            time - (index + 1) * RedundantFeed.microsecondsPerPacket
        }
        // A message is there when its last packet is; the framer looks at ten packets first.
        let greatestLag = lag.dropFirst(20).max()
        #expect(greatestLag == 6_000)
        #expect(result.statistics.legs[0].usedPackets == 0)
        let skew = result.statistics.legs[0].greatestSkew
        #expect(skew > .milliseconds(90))
        #expect(skew < .milliseconds(110))
        #expect(result.statistics.legs[1].greatestSkew == .zero)
    }

    @Test func whatBothLegsLackIsWaitedForNoLongerThanTheSkew() {
        let feed = RedundantFeed(packets: 10_000, seed: 4)
        let lost: Set<Int> = [4_200, 4_207, 4_214]
        let result = feed.send(
            over: [Leg(lostMessages: lost), Leg(delay: 200_000, lostMessages: lost)],
            drain: 1
        )
        #expect(result.difference(from: feed.bytes(without: 4_200..<4_221)) == nil)
        #expect(result.statistics.holes == 1)
        let wait = result.packetTimes[4_200] - 4_228 * RedundantFeed.microsecondsPerPacket
        #expect((0...250_000).contains(wait))
    }

    @Test func aLegThatIsAloneWaitsForNobody() {
        let feed = RedundantFeed(packets: 5_000, seed: 4)
        let alone = Leg(lostMessages: [700])
        let result = feed.send(over: [alone, Leg(cuts: [0..<Int.max])], drain: 1)
        let wait = result.packetTimes[700] - 714 * RedundantFeed.microsecondsPerPacket
        #expect(wait == 0)
        #expect(result.statistics.holes == 1)
        #expect(result.statistics.legs[1].state == .absent)
    }

    @Test func anotherFeedIsNeverMixedIn() {
        let feed = RedundantFeed(packets: 20_000, seed: 4)
        let other = RedundantFeed(packets: 20_000, seed: 99)
        let result = feed.send(over: [Leg(), Leg(content: other.bytes)])
        #expect(result.difference(from: feed.bytes) == nil)
        #expect(result.statistics.legs[1].state == .stray)
        #expect(result.statistics.legs[1].usedPackets == 0)
        #expect(result.greatestHeldBytes < 600 * RedundantFeed.packetSize)
    }

    @Test func anotherFeedTakesOverWhenTheFirstIsGone() {
        let feed = RedundantFeed(packets: 20_000, seed: 4)
        let other = RedundantFeed(packets: 20_000, seed: 99)
        let gone = 10_000_000..<Int.max
        let result = feed.send(over: [Leg(cuts: [gone]), Leg(content: other.bytes)])
        #expect(result.restarts == 1)
        #expect(result.statistics.restarts == 1)
        let end = result.bytes.suffix(5_000 * RedundantFeed.packetSize)
        let isOther = end.elementsEqual(other.bytes.suffix(end.count))
        #expect(isOther)
        let isFeed = result.bytes.starts(with: feed.bytes[..<(9_900 * RedundantFeed.packetSize)])
        #expect(isFeed)
        #expect(result.statistics.legs[1].state == .leading)
    }

    @Test func aLegThatDiesWithoutAWordIsNotWaitedFor() {
        // Its connection stands, and nothing comes any more.
        let feed = RedundantFeed(packets: 10_000, seed: 4)
        let dead = Leg(content: Array(feed.bytes[..<(4_000 * RedundantFeed.packetSize)]))
        let result = feed.send(over: [dead, Leg(delay: 100_000, lostMessages: [7_000])], drain: 1)
        #expect(result.difference(from: feed.bytes(without: 7_000..<7_007)) == nil)
        let wait = result.packetTimes[7_000] - 7_014 * RedundantFeed.microsecondsPerPacket
        #expect(wait == 100_000)
    }

    @Test func aCounterThatIsBrokenAtTheSourceIsNotListenedToForLong() {
        var feed = RedundantFeed(packets: 10_000, seed: 8)
        // The sound's counter stands still.
        var bytes = feed.bytes
        for start in stride(from: 0, to: bytes.count, by: RedundantFeed.packetSize)
        where bytes[start + 1] & 0x1F == 1 && bytes[start + 2] == 1 {
            bytes[start + 3] &= 0xF0
        }
        feed = RedundantFeed(bytes: bytes)
        let result = feed.send(over: [Leg(), Leg(delay: 100_000)], drain: 1)
        #expect(result.difference(from: feed.bytes) == nil)
        let late = result.packetTimes.enumerated().filter { index, time in
            time - (index + 1) * RedundantFeed.microsecondsPerPacket > 7_000
        }
        let (lateCount, lastLate) = (late.count, late.last?.offset)
        #expect(lateCount < 2_000)
        #expect(lastLate.map { $0 < 2_000 } == true)
    }

    @Test func threeLegsOfWhichTwoAreGoneAreEnough() {
        let feed = RedundantFeed(packets: 20_000, seed: 12)
        let legs = [
            Leg(cuts: [3_000_000..<8_000_000, 15_000_000..<16_000_000]),
            Leg(delay: 100_000, cuts: [5_000_000..<12_000_000], phase: 1),
            Leg(delay: 200_000, cuts: [10_000_000..<17_000_000], phase: 2),
        ]
        #expect(feed.send(over: legs).difference(from: feed.bytes) == nil)
    }

    @Test(arguments: [1, 50, 187, 188, 189, 1_316, 5_000])
    func theSplitOfTheBytesIsNoMatter(step: Int) {
        let feed = RedundantFeed(packets: 400, seed: 6)
        var merge = TransportStreamMerge(legs: 2)
        var output: [UInt8] = []
        for leg in 0...1 { merge.join(leg) }
        for start in stride(from: 0, to: feed.bytes.count, by: step) {
            let bytes = feed.bytes[start..<min(start + step, feed.bytes.count)]
            for leg in 0...1 {
                bytes.withUnsafeBytes {
                    merge.receive($0, from: leg, arrival: .zero) { output += $0.bytes }
                }
            }
        }
        merge.finish { output += $0.bytes }
        let isSame = output == feed.bytes
        #expect(isSame)
        #expect(merge.statistics.legs.map(\.missingPackets) == [0, 0])
    }

    @Test(arguments: [UInt64](1...6))
    func rubbishOnALegHurtsNobodyAndIsNotKept(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        let feed = RedundantFeed(packets: 6_000, seed: seed)
        var rubbish = random.bytes(feed.bytes.count)
        if seed % 2 == 0 {
            // What looks like packets, with headers of every kind.
            for start in stride(from: 0, to: rubbish.count, by: 188) { rubbish[start] = 0x47 }
        }
        let configuration = TransportStreamMerge.Configuration(byteLimit: 100_000)
        let result = feed.send(
            over: [Leg(), Leg(content: rubbish)],
            configuration: configuration
        )
        #expect(result.difference(from: feed.bytes) == nil)
        #expect(result.greatestHeldBytes < 110_000)
    }

    @Test func anEndWithThousandsOfGapsTakesBoundedTime() {
        let feed = RedundantFeed(packets: 4_000, seed: 9)
        var merge = TransportStreamMerge(legs: 2)
        var count = 0
        let emit: (TransportStreamMerge.Output) -> Void = {
            if case .packets(let bytes) = $0 { count += bytes.count / RedundantFeed.packetSize }
        }
        let send = {
            (merge: inout TransportStreamMerge, packets: Range<Int>, leg: Int, isAfterLoss: Bool) in
            let size = RedundantFeed.packetSize
            let bytes = feed.bytes[(packets.lowerBound * size)..<(packets.upperBound * size)]
            Array(bytes).withUnsafeBytes {
                merge.receive(
                    $0,
                    from: leg,
                    arrival: WallTime(microsecondsSinceEpoch: 0),
                    isAfterLoss: isAfterLoss,
                    emit: emit
                )
            }
        }
        for leg in 0...1 {
            merge.join(leg)
            send(&merge, 0..<1_000, leg, false)
        }
        // Each packet of one is behind a gap that the other may fill.
        for index in stride(from: 1_001, to: 4_000, by: 2) {
            send(&merge, index..<(index + 1), 0, true)
        }
        #expect(count == 1_000)
        merge.finish(emit: emit)
        #expect((1_001...1_512).contains(count))
    }

    @Test func anyCallsInAnyOrderLeaveItBounded() {
        var random = SeededRandom(seed: 77)
        let feed = RedundantFeed(packets: 3_000, seed: 77)
        let configuration = TransportStreamMerge.Configuration(byteLimit: 50_000)
        var merge = TransportStreamMerge(legs: 3, configuration: configuration)
        var packets = 0
        for _ in 0..<20_000 {
            let leg = Int.random(in: -1...3, using: &random)
            let time = Int64.random(in: -1_000_000...1_000_000_000, using: &random)
            let arrival = WallTime(microsecondsSinceEpoch: time)
            switch Int.random(in: 0..<20, using: &random) {
            case 0: merge.join(leg)
            case 1: merge.leave(leg, arrival: arrival) { packets += $0.bytes.count / 188 }
            case 2: merge.advance(to: arrival) { packets += $0.bytes.count / 188 }
            case 3: merge.finish { packets += $0.bytes.count / 188 }
            default:
                let start = Int.random(in: 0..<feed.bytes.count, using: &random)
                let end = min(start + Int.random(in: 0..<9_000, using: &random), feed.bytes.count)
                feed.bytes[start..<end].withUnsafeBytes {
                    merge.receive(
                        $0,
                        from: leg,
                        arrival: arrival,
                        isAfterLoss: Bool.random(using: &random)
                    ) { packets += $0.bytes.count / 188 }
                }
            }
            #expect(merge.statistics.legs.allSatisfy { $0.heldBytes <= 60_000 })
        }
        #expect(merge.statistics.packets == UInt64(packets))
    }
}

extension TransportStreamMerge.Output {
    /// Empty for anything but packets.
    fileprivate var bytes: [UInt8] {
        switch self {
        case .packets(let bytes): Array(bytes)
        case .restarted: []
        }
    }
}

extension WallTime {
    fileprivate static let zero = WallTime(microsecondsSinceEpoch: 0)
}

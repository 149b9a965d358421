import Ingestion
import Media
import NIOCore
import TestSupport
import Testing

@Suite struct RTPLegMergeTests {
    private static func source(ssrc: UInt32 = 1, sequence: UInt16 = 1_000) -> RTPTestSource {
        RTPTestSource(ssrc: ssrc, payloadType: 96, sequence: sequence, timestamp: 4_000_000_000)
    }

    /// Where which leg is cut: the legs are whole at first, and never cut together.
    private struct Cuts {
        let count: Int
        private let cuts: [(leg: Int, packets: Range<Int>)]

        init(_ count: Int, seed: UInt64) {
            var random = SeededRandom(seed: seed)
            var start = 40
            cuts = (0..<count).map { _ in
                start += Int.random(in: 1...30, using: &random)
                let packets = start..<(start + Int.random(in: 1...60, using: &random))
                start = packets.upperBound
                return (Int.random(in: 0...1, using: &random), packets)
            }
            self.count = start + 40
        }

        func contain(_ index: Int, of leg: Int) -> Bool {
            cuts.contains { $0.leg == leg && $0.packets.contains(index) }
        }
    }

    @Test(arguments: [0, 1, 7, 40, 150, 330], [UInt64(1), 2, 3])
    func aHundredCutsOfEitherLegCostNothing(skew: Int, seed: UInt64) {
        let cuts = Cuts(100, seed: seed)
        var source = Self.source(sequence: 65_000)
        let sent = Array(
            RTPLegBench.pictures(cuts.count, of: &source).prefix(cuts.count)
        )
        var bench = RTPLegBench()
        bench.delays = seed == 2 ? [skew, 0] : [0, skew]
        bench.play(sent) { leg, index in !cuts.contain(index, of: leg) }
        let end = (sent.last?.milliseconds ?? 0) + skew + 1
        bench.finish(at: end)
        let isSame = bench.units == RTPLegBench.whole(sent)
        #expect(isSame, "\(bench.units.count) units, \(bench.legs)")
        #expect(bench.lost(at: end) == 0 && bench.discontinuities == 0)
        #expect(bench.events.brokenPromise == nil)
        for leg in bench.legs { #expect(leg.gaps > 20 && leg.missingPackets > leg.gaps) }
    }

    @Test func whatComesLaterIsComparedAndItsSkewTold() {
        var source = Self.source()
        let sent = RTPLegBench.pictures(60, of: &source)
        var bench = RTPLegBench()
        bench.delays = [0, 120]
        bench.play(sent)
        #expect(bench.legs.map(\.state) == [.leading, .following])
        #expect(bench.legs.map(\.skew) == [.zero, .milliseconds(120)])
        #expect(bench.legs.map(\.usedPackets) == [UInt64(sent.count), 0])
        #expect(bench.legs.map(\.packets) == [UInt64(sent.count), UInt64(sent.count)])
        #expect(bench.legs.map(\.missingPackets) == [0, 0])
        #expect(bench.legs.map(\.unusedPackets)[0] == 0)
    }

    @Test func aLegThatNeverCameIsNotWaitedFor() {
        var source = Self.source()
        let sent = RTPLegBench.pictures(60, of: &source)
        var bench = RTPLegBench()
        bench.play(sent) { leg, _ in leg == 1 }
        #expect(bench.legs.map(\.state) == [.aligning, .leading])
        bench.finish(at: 2_100)
        #expect(bench.units == RTPLegBench.whole(sent))
    }

    @Test func aLegThatComesLaterAndIsAheadTakesTheLeadWithoutALoss() {
        var source = Self.source()
        let sent = RTPLegBench.pictures(120, of: &source)
        var bench = RTPLegBench()
        bench.delays = [200, 0]
        bench.play(sent) { leg, index in leg == 0 || index > 80 }
        #expect(bench.legs.map(\.state) == [.following, .leading])
        bench.finish(at: 5_000)
        #expect(bench.units == RTPLegBench.whole(sent))
        #expect(bench.lost(at: 5_000) == 0)
    }

    @Test func ofALegThatLeftTheOtherGoesOn() {
        var source = Self.source()
        let sent = RTPLegBench.pictures(60, of: &source)
        var bench = RTPLegBench()
        bench.delays = [0, 90]
        let half = sent.count / 2
        bench.play([Array(sent[..<half]), Array(sent[..<half])])
        bench.leave(0)
        bench.play([[], Array(sent[half...])])
        #expect(bench.legs.map(\.state) == [.absent, .leading])
        bench.finish(at: 3_000)
        #expect(bench.units == RTPLegBench.whole(sent))
    }

    @Test func whatBothLoseIsLostAndCountedOnce() {
        var source = Self.source()
        let sent = RTPLegBench.pictures(90, of: &source)
        var bench = RTPLegBench()
        bench.delays = [0, 50]
        // A whole picture, which nothing else refers to here.
        let lost = sent.indices.filter { sent[$0].milliseconds == 1_366 }
        bench.play(sent) { _, index in !lost.contains(index) }
        bench.finish(at: 3_100)
        #expect(bench.lost(at: 3_100) == UInt64(lost.count))
        #expect(bench.legs.map(\.missingPackets) == [UInt64(lost.count), UInt64(lost.count)])
        #expect(bench.units.count == 89)
    }

    @Test func aLegFurtherBehindThanMayBeIsNoReserve() {
        var source = Self.source()
        let sent = RTPLegBench.pictures(120, of: &source)
        var bench = RTPLegBench(maximumSkew: .milliseconds(100))
        bench.delays = [0, 150]
        bench.play(sent)
        #expect(bench.legs.map(\.state) == [.leading, .stray])
        #expect(bench.legs[1].usedPackets == 0)
        bench.finish(at: 5_000)
        #expect(bench.units == RTPLegBench.whole(sent))
    }

    @Test func anotherFeedWithTheSameNumbersIsNotMixedIn() {
        var first = Self.source()
        var second = Self.source()
        let sent = RTPLegBench.pictures(120, of: &first)
        let other = RTPLegBench.pictures(120, of: &second, bytes: 700)
        var bench = RTPLegBench()
        // It loses what the other could bring.
        bench.play([sent, other]) { leg, index in leg == 1 || index % 20 != 19 }
        #expect(bench.legs.map(\.state) == [.leading, .stray])
        #expect(bench.legs[1].usedPackets == 0)
        #expect(bench.lost(at: 5_000) == UInt64(sent.count / 20))
    }

    @Test(arguments: [UInt16(30_000), 60_000, 1_500])
    func anotherFeedWithOtherNumbersIsNotMixedInAndTakesOver(sequence: UInt16) {
        var first = Self.source()
        var second = Self.source(sequence: sequence)
        second.timestamp = 77
        let sent = RTPLegBench.pictures(120, of: &first)
        let other = RTPLegBench.pictures(270, of: &second, bytes: 700)
        var bench = RTPLegBench()
        bench.play([sent, other.filter { $0.milliseconds < 4_000 }])
        #expect(bench.legs.map(\.state) == [.leading, .stray])
        #expect(bench.units == RTPLegBench.whole(sent))
        // The first is silent: the other goes on in its place.
        let before = bench.units.count
        bench.play([[], other.filter { $0.milliseconds >= 4_000 }])
        #expect(bench.legs[1].state == .leading)
        #expect(bench.units.count > before + 60)
        #expect(bench.events.brokenPromise == nil)
    }

    @Test func anotherSSRCIsAnotherFeedAndTakesOver() {
        var first = Self.source()
        var second = Self.source(ssrc: 2)
        let sent = RTPLegBench.pictures(120, of: &first)
        let other = RTPLegBench.pictures(240, of: &second, bytes: 700)
        var bench = RTPLegBench()
        bench.play([sent, other.filter { $0.milliseconds < 4_000 }])
        #expect(bench.legs.map(\.state) == [.leading, .stray])
        #expect(bench.units == RTPLegBench.whole(sent))
        let before = bench.units.count
        bench.play([[], other.filter { $0.milliseconds >= 4_000 }])
        #expect(bench.legs.map(\.state) == [.aligning, .leading])
        #expect(bench.units.count > before + 90)
    }

    @Test(arguments: [true, false])
    func aSenderThatStartsAnewGoesOnOnBothLegs(hasSameSSRC: Bool) {
        var source = Self.source()
        let before = RTPLegBench.pictures(60, of: &source)
        source = Self.source(ssrc: hasSameSSRC ? 1 : 2, sequence: 40_000)
        source.timestamp = 123_456
        let after = RTPLegBench.pictures(90, of: &source, from: 75)
        var bench = RTPLegBench()
        bench.delays = [0, 60]
        bench.play(before + after)
        bench.finish(at: 6_000)
        #expect(bench.legs.map(\.state) == [.leading, .following])
        #expect(bench.events.brokenPromise == nil)
        // Of a sequence that begins anew, the first packet is not believed.
        let whole = RTPLegBench.whole(before + after).map(\.payload)
        #expect(bench.units.map(\.payload) == whole)
        #expect(whole.count > 140)
    }

    @Test func picturesAndSoundAreMergedEachByItself() {
        let media = [RTPRecorder.video, RTPRecorder.audio]
        var video = Self.source()
        // The same number and SSRC: only the port tells them apart.
        var audio = RTPTestSource(ssrc: 1, payloadType: 97, sequence: 1_000)
        var sent = RTPLegBench.pictures(90, of: &video, medium: 0)
        for index in 0..<140 {
            let sound = audio.sound()
            let time = index * 64 / 3
            sent.append(.init(datagram: sound, milliseconds: time, medium: 1))
        }
        sent.sort { $0.milliseconds < $1.milliseconds }
        var bench = RTPLegBench(media: media)
        bench.delays = [0, 30]
        bench.play(sent) { leg, index in index < 60 || index % 8 / 4 != leg }
        bench.finish(at: 3_200)
        #expect(bench.lost(at: 3_200) == 0)
        let whole = RTPLegBench.whole(sent, media: media)
        for track in [256, 257] {
            let expected = whole.filter { $0.track.rawValue == track }.map(\.payload)
            let units = bench.units.filter { $0.track.rawValue == track }.map(\.payload)
            #expect(units == expected && units.count > 80)
        }
    }

    @Test func aReportGoesToTheSenderOnEveryLeg() throws {
        var source = Self.source()
        var bench = RTPLegBench()
        var reports: [[[RTCPPacket]]] = [[], []]
        bench.delays = [0, 20]
        for second in 0..<30 {
            bench.play(RTPLegBench.pictures(30, of: &source, from: second * 30)) { _, index in
                index % 10 != 9
            }
            for leg in 0...1 {
                let report = bench.feedback(for: leg, at: second * 1_000 + 1_000)
                if !report.isEmpty { reports[leg].append(report) }
            }
        }
        #expect(reports[0].count >= 4)
        #expect(reports[0] == reports[1])
        guard case .receiverReport(_, let blocks) = try #require(reports[0].last?.first) else {
            Issue.record("no report")
            return
        }
        // A tenth is lost on both: what came twice does not count twice.
        #expect((15...40).contains(blocks[0].fractionLost))
    }

    @Test func onlyWhatEveryLegIsPastIsAskedForAgain() {
        var medium = RTPRecorder.video
        medium.hasNACK = true
        var source = Self.source()
        let sent = RTPLegBench.pictures(60, of: &source)
        var bench = RTPLegBench(media: [medium])
        let requests = { (bench: inout RTPLegBench, time: Int) in
            bench.feedback(for: 0, at: time).filter {
                if case .feedback = $0 { true } else { false }
            }
        }
        for packet in sent[..<40] {
            for leg in 0...1 { bench.receive(packet, from: leg, at: packet.milliseconds) }
        }
        let time = sent[43].milliseconds
        for packet in sent[41...43] { bench.receive(packet, from: 0, at: time) }
        #expect(requests(&bench, time + 1).isEmpty)
        bench.receive(sent[41], from: 1, at: time + 2)
        let lost = RTCPFeedback.negativeAcknowledgement(media: 1, lost: [1_040])
        #expect(requests(&bench, time + 3) == [.feedback(sender: 0xFEED, lost)])
    }

    @Test func aStreamIsGoneWhenItSaidSoOnEveryLeg() {
        var source = Self.source()
        let sent = RTPLegBench.pictures(30, of: &source)
        var bench = RTPLegBench()
        bench.play(sent)
        bench.receive(.bye([1]), from: 0, at: 1_001)
        #expect(bench.legs.map(\.state) == [.aligning, .following])
        #expect(bench.streams == [.carried])
        bench.receive(.bye([1]), from: 1, at: 1_002)
        #expect(bench.legs.map(\.state) == [.aligning, .aligning])
        #expect(bench.streams == [.left])
    }

    @Test func anythingMayComeOnAnyLeg() {
        var random = SeededRandom(seed: 22)
        var bench = RTPLegBench()
        var sources = (1...40).map { Self.source(ssrc: $0) }
        for time in 0..<20_000 {
            let index = Int.random(in: 0..<(time % 4 == 0 ? 40 : 2), using: &random)
            if Int.random(in: 0..<50, using: &random) == 0 {
                sources[index].sequence = UInt16.random(in: 0...(.max), using: &random)
            }
            let payload = random.bytes(Int.random(in: 0...40, using: &random))
            let packet = sources[index].packet(payload, marker: time % 3 == 0)
            for leg in 0...1 where Int.random(in: 0..<4, using: &random) > 0 {
                bench.receive(.init(datagram: packet, milliseconds: 0), from: leg, at: time)
            }
            if time % 97 == 0 {
                bench.receive(.bye([UInt32(index)]), from: time % 2, at: time)
                bench.leave(time % 2)
                bench.advance(to: time)
                _ = bench.feedback(for: 0, at: time)
                _ = bench.legs
            }
        }
        #expect(bench.events.brokenPromise == nil)
    }
}

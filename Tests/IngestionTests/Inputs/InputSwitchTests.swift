import Ingestion
import Media
import NIOCore
import TestSupport
import Testing

@Suite struct InputSwitchTests {
    /// Two inputs that both send; `a` is on air and `b`'s keyframes come half a second after `a`'s.
    private func running() throws -> InputBench {
        var bench = try InputBench()
        bench.phases["b"] = 520
        try bench.run(1_000, "a")
        try bench.run(1_000, "a", "b")
        #expect(bench.onAir == "a")
        _ = bench.takeWords()
        return bench
    }

    @Test func anOnlyInputIsPassedOnAsItCame() throws {
        var bench = try InputBench(["a"])
        try bench.send([.tracks(TrackList([InputBench.video]))], "a")
        try bench.send([bench.unit("a", isKeyframe: false)], "a")
        try bench.end("a", .idle)
        try bench.end("a", .idle)
        try bench.send([.tracks(TrackList([InputBench.video]))], "a")
        #expect(bench.words == ["tracks", "a.0", "end idle", "publisher_change", "tracks"])
        #expect(bench.status.latestChange == nil)
    }

    @Test func theFirstKeyframeOfAnyInputGoesOnAir() throws {
        var bench = try InputBench()
        bench.phases["a"] = 80
        bench.phases["b"] = 200
        try bench.run(160, "b", "a")
        #expect(bench.words == ["tracks", "a!80", "a.120", "a.160"])
        #expect(bench.status.inputs.map(\.state) == [.onAir, .waiting])
        #expect(bench.status.latestChange == nil)
    }

    @Test func nothingOfAnInputThatStandsByGoesOnAir() throws {
        var bench = try running()
        try bench.run(5_000, "a", "b")
        #expect(bench.words.count == 125)
        #expect(bench.words.allSatisfy { $0.hasPrefix("a") })
        #expect(bench.status.inputs.map(\.state) == [.onAir, .standby])
    }

    @Test func whatIsUnknownIsIgnored() throws {
        var bench = try running()
        try bench.run(80, "a", "c")
        #expect(bench.words == ["a.2040", "a.2080"])
        #expect(try !bench.select("c"))
    }

    // MARK: Silence

    @Test func afterSilenceAnotherGoesOnFromTheKeyframeThatIsHeld() throws {
        var bench = try running()
        // `a` sends for the last time at 2000.
        try bench.run(480, "b")
        #expect(bench.words == [])
        try bench.run(80, "b")
        #expect(bench.words.prefix(3) == ["publisher_change", "tracks", "b!2520"])
        #expect(bench.words.dropFirst(3) == ["b.2560"])
        #expect(bench.status.counts == [.silence: 1])
        let change = try #require(bench.status.latestChange)
        #expect(change.from.description == "a" && change.to.description == "b")
        #expect(change.at == WallTime(microsecondsSinceEpoch: 2_520_000))
    }

    /// Wherever the keyframes of the other are, its first picture is at most half a second behind the
    /// last of the one before, and nothing of it comes twice.
    @Test(arguments: Array(stride(from: 0, to: 1_000, by: 40)))
    func theHoleIsNoLongerThanTheSilence(phase: Int) throws {
        var bench = try InputBench()
        bench.phases["b"] = phase
        try bench.run(1_000, "a")
        try bench.run(3_000, "a", "b")
        _ = bench.takeWords()
        try bench.run(3_000, "b")
        let pictures = bench.words.filter { $0.hasPrefix("b") }
        let first = try #require(pictures.first.flatMap { Int($0.dropFirst(2)) })
        #expect(pictures.first?.contains("!") == true)
        #expect(first - 4_000 <= 520)
        #expect(pictures.count == (7_000 - first) / InputBench.frame + 1)
        #expect(Set(pictures).count == pictures.count)
        #expect(bench.words.filter { $0 == "publisher_change" }.count == 1)
    }

    @Test func aPauseShorterThanTheSilenceCostsNothing() throws {
        var bench = try running()
        try bench.run(440, "b")
        try bench.run(2_000, "b", "a")
        #expect(bench.onAir == "a" && bench.status.latestChange == nil)
    }

    @Test func whenAllAreSilentTheOneOnAirStays() throws {
        var bench = try running()
        try bench.run(5_000)
        #expect(bench.onAir == "a")
        try bench.run(40, "a")
        #expect(bench.words == ["a.7040"])
    }

    @Test func aPictureThatStopsIsFoundThoughItsSoundGoesOn() throws {
        var bench = try running()
        for _ in 0..<49 {
            try bench.run(40, "b")
            try bench.send([bench.unit("a", isKeyframe: true, track: InputBench.sound)], "a")
        }
        #expect(bench.onAir == "a")
        try bench.run(40, "b")
        #expect(bench.onAir == "b" && bench.status.counts == [.silence: 1])
    }

    @Test func ofThreeTheFirstThatIsFitGoesOn() throws {
        var bench = try InputBench(["a", "b", "c"])
        try bench.run(2_000, "a", "b", "c")
        try bench.run(1_000, "a", "c")
        try bench.run(600, "c")
        #expect(bench.onAir == "c")
        try bench.run(2_000, "b", "c")
        #expect(bench.onAir == "c")
        try bench.run(600, "b")
        #expect(bench.onAir == "b")
    }

    @Test func anInputWithoutAKeyframeIsWaitedFor() throws {
        var bench = try running()
        bench.phases["b"] = 7
        try bench.send([.discontinuity(.timestampJump)], "b")
        try bench.run(1_000, "b")
        #expect(bench.words == [] && bench.status.inputs[1].state == .waiting)
        bench.phases["b"] = 40
        try bench.run(40, "b")
        #expect(bench.words == ["publisher_change", "tracks", "b!3040"])
    }

    // MARK: Ends

    @Test func whenThePublisherOnAirLeavesAnotherGoesOnAtOnce() throws {
        var bench = try running()
        try bench.end("a")
        #expect(bench.words.prefix(3) == ["publisher_change", "tracks", "b!1520"])
        #expect(bench.words.last == "b.2000")
        #expect(bench.status.counts == [.ended: 1])
    }

    @Test func whenTheLastPublisherLeavesTheStreamIsInterrupted() throws {
        var bench = try running()
        try bench.end("b")
        #expect(bench.words == [])
        try bench.end("a", .idle)
        #expect(bench.words == ["end idle"])
        #expect(bench.onAir == nil)
        try bench.run(1_000, "b")
        #expect(bench.words.dropFirst().prefix(3) == ["publisher_change", "tracks", "b!2520"])
        #expect(bench.status.counts == [.ended: 1])
    }

    @Test func aSilentInputIsNoSubstituteForOneThatEnds() throws {
        var bench = try running()
        try bench.run(600, "a")
        _ = bench.takeWords()
        try bench.end("a")
        #expect(bench.words == ["end disconnected"])
    }

    // MARK: The way back

    @Test func thePreferredInputReturnsAtItsKeyframeWhenItHasBeenSteady() throws {
        var bench = try running()
        try bench.run(3_000, "b")
        #expect(bench.onAir == "b")
        _ = bench.takeWords()
        // Steady from 5040 on: not yet at 15000, but at the keyframe after it.
        try bench.run(10_960, "a", "b")
        #expect(bench.onAir == "b")
        #expect(bench.words.count == 274)
        try bench.run(80, "a", "b")
        #expect(bench.words.suffix(3) == ["tracks", "a!16000", "a.16040"])
        #expect(bench.status.counts == [.silence: 1, .returned: 1])
    }

    @Test func whatBreaksOffBeginsItsTimeAgain() throws {
        var bench = try running()
        try bench.run(3_000, "b")
        try bench.run(9_000, "a", "b")
        try bench.run(600, "b")
        try bench.run(9_000, "a", "b")
        #expect(bench.onAir == "b")
        try bench.run(2_000, "a", "b")
        #expect(bench.onAir == "a")
    }

    @Test func returnsThatDoNotHoldAreWaitedForLongerEachTime() throws {
        var bench = try running()
        var waits: [Int] = []
        for _ in 0..<4 {
            try bench.run(1_000, "b")
            #expect(bench.onAir == "b")
            let start = bench.time
            while bench.onAir == "b" { try bench.run(1_000, "a", "b") }
            waits.append((bench.time - start) / 1_000)
        }
        #expect(waits == [11, 21, 41, 81])
        // One that holds for a minute makes up for it.
        try bench.run(60_000, "a", "b")
        try bench.run(1_000, "b")
        let start = bench.time
        while bench.onAir == "b" { try bench.run(1_000, "a", "b") }
        #expect(bench.time - start == 11_000)
    }

    @Test func twoThatFlapDoNotPingPong() throws {
        var bench = try running()
        // Each is away for a second of every ten, `b` half of that time after `a`.
        for _ in 0..<60 {
            try bench.run(1_000, "b")
            try bench.run(4_000, "a", "b")
            try bench.run(1_000, "a")
            try bench.run(4_000, "a", "b")
        }
        // One must be left when it falls silent; none is left for the sake of order.
        #expect(bench.status.counts[.returned] == nil)
        #expect(bench.status.counts[.silence] == 120)
    }

    // MARK: Loss

    @Test func anInputThatLosesForLongIsLeftForOneThatDoesNot() throws {
        var bench = try running()
        for second in 1...5 {
            try bench.look(["a": UInt64(second), "b": 0])
            try bench.run(1_000, "a", "b")
            #expect(bench.onAir == "a")
        }
        try bench.look(["a": 6, "b": 0])
        try bench.run(480, "a", "b")
        #expect(bench.onAir == "a")
        try bench.run(40, "a", "b")
        #expect(bench.onAir == "b" && bench.status.counts == [.loss: 1])
        #expect(bench.words.suffix(3) == ["publisher_change", "tracks", "b!7520"])
        #expect(bench.status.inputs[0].state == .lossy)
    }

    @Test func anInputThatLostComesBackWhenItHasLostNothingForLong() throws {
        var bench = try running()
        for second in 1...7 {
            try bench.look(["a": UInt64(second), "b": 0])
            try bench.run(1_000, "a", "b")
        }
        #expect(bench.onAir == "b")
        for second in 8...20 {
            try bench.look(["a": UInt64(second), "b": 0])
            try bench.run(1_000, "a", "b")
        }
        #expect(bench.onAir == "b")
        for _ in 0..<20 {
            try bench.look(["a": 20, "b": 0])
            try bench.run(1_000, "a", "b")
        }
        #expect(bench.onAir == "a")
    }

    @Test func aBurstOfLossOrLossOnBothIsNoReasonToSwitch() throws {
        var bench = try running()
        try bench.look(["a": 0, "b": 0])
        try bench.run(1_000, "a", "b")
        for _ in 1...30 {
            try bench.look(["a": 1_000, "b": 0])
            try bench.run(1_000, "a", "b")
        }
        for second in 1...30 {
            try bench.look(["a": 1_000 + UInt64(second), "b": UInt64(second)])
            try bench.run(1_000, "a", "b")
        }
        #expect(bench.onAir == "a" && bench.status.latestChange == nil)
    }

    @Test func looksWithinASecondCountAsOne() throws {
        var bench = try running()
        for second in 1...4 {
            for half in 0..<2 {
                try bench.look(["a": UInt64(second * 2 + half), "b": 0])
                try bench.run(480, "a", "b")
            }
            try bench.run(40, "a", "b")
        }
        #expect(bench.onAir == "a")
    }

    // MARK: By hand

    @Test func whatAnOperatorSelectsGoesOnAirAtItsNextKeyframeAndStays() throws {
        var bench = try running()
        #expect(try bench.select("b"))
        try bench.run(480, "a", "b")
        #expect(bench.onAir == "a")
        try bench.run(40, "a", "b")
        #expect(bench.words.suffix(3) == ["publisher_change", "tracks", "b!2520"])
        try bench.run(30_000, "a", "b")
        #expect(bench.onAir == "b" && bench.status.counts == [.selected: 1])
        #expect(bench.status.selected?.description == "b")
        // Loss does not move it.
        for second in 1...20 {
            try bench.look(["a": 0, "b": UInt64(second)])
            try bench.run(1_000, "a", "b")
        }
        #expect(bench.onAir == "b")
    }

    @Test func whatWasSelectedIsLeftWhenItFallsSilentAndTakenBack() throws {
        var bench = try running()
        #expect(try bench.select("b"))
        try bench.run(1_000, "a", "b")
        try bench.run(1_000, "a")
        #expect(bench.onAir == "a")
        try bench.run(9_000, "a", "b")
        #expect(bench.onAir == "a")
        try bench.run(2_000, "a", "b")
        #expect(bench.onAir == "b")
        #expect(bench.status.counts == [.selected: 1, .silence: 1, .returned: 1])
    }

    @Test func releasedTheFirstReturnsAtItsKeyframeWhenItIsSteady() throws {
        var bench = try running()
        #expect(try bench.select("b"))
        try bench.run(20_000, "a", "b")
        #expect(bench.onAir == "b")
        #expect(try bench.select(nil))
        #expect(bench.status.selected == nil)
        try bench.run(1_000, "a", "b")
        #expect(bench.onAir == "a" && bench.status.counts == [.selected: 1, .returned: 1])
    }

    @Test func aSelectionIsForgottenAsAnOrderWhenItsPublisherLeaves() throws {
        var bench = try running()
        #expect(try bench.select("b"))
        try bench.end("b")
        try bench.run(5_000, "a", "b")
        #expect(bench.onAir == "a")
        try bench.run(8_000, "a", "b")
        #expect(bench.onAir == "b")
    }

    // MARK: What is held

    @Test func soundThatCameAheadOfItsKeyframeIsKept() throws {
        var bench = try running()
        let early = bench.time + 520
        let past = bench.unit("b", isKeyframe: true, track: InputBench.sound, at: early - 20)
        let ahead = bench.unit("b", isKeyframe: true, track: InputBench.sound, at: early + 20)
        try bench.send([past, ahead], "b")
        try bench.run(600, "b")
        #expect(
            bench.words.prefix(4) == [
                "publisher_change", "tracks", "b!\(early + 20)", "b!\(early)",
            ]
        )
    }

    @Test func aGroupThatIsTooLongIsLetGo() throws {
        var bench = try running()
        bench.phases["b"] = 7
        try bench.run(12_000, "a", "b")
        #expect(bench.status.inputs[1].state == .waiting)
        bench.phases["b"] = 40
        try bench.run(40, "a", "b")
        #expect(bench.status.inputs[1].state == .standby)
    }

    @Test func aNewFormatLetsGoOfWhatIsHeld() throws {
        var bench = try running()
        try bench.send([.discontinuity(.formatChange)], "b")
        #expect(bench.status.inputs[1].state == .waiting)
    }

    // MARK: Other inputs

    @Test func inputsThatStayKeepTheirStateWhenOthersCome() throws {
        var bench = try running()
        let names = try ["c", "a"].map { try #require(StreamName($0)) }
        bench.inputs.reconfigure(.init(names: names), keeping: [])
        #expect(bench.onAir == "a")
        try bench.run(13_000, "a", "b", "c")
        #expect(bench.onAir == "c" && bench.status.counts == [.returned: 1])
    }

    @Test func anInputThatIsNamedNoMoreStaysWhileItHasItsPublisher() throws {
        var bench = try running()
        let names = try ["c", "d"].map { try #require(StreamName($0)) }
        let publishing = Set(try ["a"].map { try #require(StreamName($0)) })
        bench.inputs.reconfigure(.init(names: names), keeping: publishing)
        #expect(bench.onAir == "a")
        #expect(bench.status.inputs.map(\.name.description) == ["c", "d", "a"])
        try bench.run(40, "a")
        #expect(bench.words == ["a.2040"])
    }

    /// Whatever inputs do and whenever they do it, what goes on air is a stream that can be played.
    @Test(arguments: Array(UInt64(0)..<20))
    func whateverHappensAStreamComesOut(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        var bench = try InputBench(["a", "b", "c"], returnAfter: .seconds(2))
        bench.phases = ["a": 0, "b": 320, "c": 640]
        var alive: Set<String> = ["a", "b", "c"]
        for _ in 0..<400 {
            let name = ["a", "b", "c"].randomElement(using: &random) ?? "a"
            switch Int.random(in: 0..<8, using: &random) {
            case 0...2: alive.insert(name)
            case 3, 4: alive.remove(name)
            case 5: try bench.end(name)
            case 6: _ = try bench.select([nil, name].randomElement(using: &random) ?? nil)
            default: try bench.send([.discontinuity(.timestampJump)], name)
            }
            for _ in 0..<Int.random(in: 1..<40, using: &random) {
                try bench.run(40)
                for name in alive.sorted() { try bench.sendPicture(name) }
            }
        }
        var seen: Set<String> = []
        var owner: Character?
        for (index, word) in bench.words.enumerated() {
            switch word {
            case "publisher_change":
                owner = nil
                #expect(bench.words[index + 1] == "tracks")
            case "tracks", "timestamp_jump": break
            case let word where word.hasPrefix("end"): owner = nil
            default:
                #expect(seen.insert(word).inserted, "\(word) came twice")
                if owner == nil { #expect(word.contains("!")) }
                #expect(owner == nil || owner == word.first, "\(word) among those of another")
                owner = word.first
            }
        }
        #expect(seen.count > 1_000)
    }
}

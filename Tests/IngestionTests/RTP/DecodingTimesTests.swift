import Ingestion
import TestSupport
import Testing

@Suite struct DecodingTimesTests {
    private static let frame: Int64 = 3_600

    /// The decoding times of pictures that are shown at `order`, in frames.
    private static func times(
        _ order: [Int],
        depth: Int?,
        by decoding: inout DecodingTimes
    ) -> [(pts: Int64, dts: Int64)] {
        order.map { shown in
            let pts = 900_000 + Int64(shown) * frame
            return (pts, decoding.next(pts: pts, reorderDepth: depth, frameTicks: frame))
        }
    }

    /// Shuffled so that at most `depth` pictures come before one that is shown earlier; the first
    /// that comes is the first that is shown, as after a keyframe.
    private static func shuffled(_ count: Int, depth: Int, _ random: inout SeededRandom) -> [Int] {
        var waiting = Array(1..<count)
        var ahead: [Int] = []
        var order = [0]
        while !waiting.isEmpty {
            let mayJump = ahead.count < depth && waiting.count > 1
            let index = mayJump ? Int.random(in: 0..<min(8, waiting.count), using: &random) : 0
            let picked = waiting.remove(at: index)
            order.append(picked)
            if index > 0 { ahead.append(picked) }
            if index == 0 { ahead.removeAll { $0 < (waiting.first ?? .max) } }
        }
        return order
    }

    @Test(arguments: [nil, 0])
    func picturesInOrderAreDecodedWhenTheyAreShown(depth: Int?) {
        var decoding = DecodingTimes()
        for (pts, dts) in Self.times(Array(0..<100), depth: depth, by: &decoding) {
            #expect(dts == pts)
        }
    }

    @Test(arguments: [
        ([0, 3, 1, 2, 6, 4, 5, 9, 7, 8], 1),
        ([0, 4, 2, 1, 3, 8, 6, 5, 7, 12, 10, 9, 11], 2),
        ([0, 8, 4, 2, 1, 3, 6, 5, 7, 16, 12, 10, 9, 11, 14, 13, 15], 3),
    ])
    func reorderedPicturesAreDecodedAtTheTimesOfThoseThatAreShown(order: [Int], depth: Int) {
        var decoding = DecodingTimes()
        let times = Self.times(order, depth: depth, by: &decoding)
        let shown = times.map(\.pts).sorted()
        for (index, time) in times.enumerated() where index >= depth {
            #expect(time.dts == shown[index - depth])
        }
        // Before that, one frame apart up to the first that is shown.
        for index in 0..<depth {
            #expect(times[index].dts == shown[0] - Int64(depth - index) * Self.frame)
        }
    }

    @Test(arguments: 1...16)
    func anyOrderWithinTheDepthKeepsThePromise(depth: Int) {
        var random = SeededRandom(seed: UInt64(depth))
        var decoding = DecodingTimes()
        let order = Self.shuffled(2_000, depth: depth, &random)
        var last = Int64.min
        for (pts, dts) in Self.times(order, depth: depth, by: &decoding) {
            #expect(dts > last && dts <= pts)
            last = dts
        }
    }

    @Test func lostPicturesChangeNothing() {
        var random = SeededRandom(seed: 7)
        let order = Self.shuffled(4_000, depth: 2, &random).filter { shown in
            shown == 0 || Int.random(in: 0..<10, using: &random) != 0
        }
        var decoding = DecodingTimes()
        var last = Int64.min
        for (pts, dts) in Self.times(order, depth: 2, by: &decoding) {
            #expect(dts > last && dts <= pts)
            last = dts
        }
    }

    @Test func anUnknownDepthIsLearnedOnce() {
        var decoding = DecodingTimes()
        let groups = (0..<100).map { (group: Int) -> [Int] in
            [3 * group + 3, 3 * group + 1, 3 * group + 2]
        }
        let order: [Int] = [0] + groups.joined()
        let times = Self.times(order, depth: nil, by: &decoding)
        #expect(zip(times, times.dropFirst()).allSatisfy { $0.dts < $1.dts })
        let wrong = times.indices.filter { times[$0].dts > times[$0].pts }
        #expect(wrong == [2, 3])
        decoding.beginAnew()
        let again = Self.times(order, depth: nil, by: &decoding)
        #expect(again.allSatisfy { $0.dts <= $0.pts })
    }

    @Test func whatIsKnownOfTheDepthIsNotUnlearnedByAStrayTime() {
        var decoding = DecodingTimes()
        let times = Self.times([0, 1, 2, 3, 4, 2, 5, 6, 7], depth: 0, by: &decoding)
        #expect(zip(times, times.dropFirst()).allSatisfy { $0.dts < $1.dts })
        #expect(times.suffix(3).allSatisfy { $0.dts == $0.pts })
    }

    @Test func nonsenseDoesNotTrap() {
        var decoding = DecodingTimes()
        for pts in [Int64.max, .min, 0, .max, .min, -1] {
            for (depth, frame) in [(Int.max, Int64.max), (Int.min, Int64.min), (3, 0)] {
                _ = decoding.next(pts: pts, reorderDepth: depth, frameTicks: frame)
            }
        }
    }
}

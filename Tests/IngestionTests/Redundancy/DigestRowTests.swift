import Ingestion
import TestSupport
import Testing

@Suite("Row of digests", .timeLimit(.minutes(1)))
struct DigestRowTests {
    @Test(arguments: [UInt64](1...4))
    func whatIsThereOnceIsFoundAndNothingElse(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        var row = DigestRow(capacity: 100)
        var digests: [UInt64] = []
        var start = 0
        var found = 0
        for round in 0..<3_000 {
            // Even ones tell nothing.
            let digest = UInt64.random(in: 0..<600, using: &random)
            row.append(digest)
            digests.append(digest)
            // Now as many as before, and now more and more.
            if round % 1_000 < 500, row.count > 90 {
                let gone = Int.random(in: 0...3, using: &random)
                row.removeFirst(gone)
                start += gone
            }
            let sought = UInt64.random(in: 0..<600, using: &random)
            let places = digests.indices[start...].filter { digests[$0] == sought }
            let expected = sought % 2 == 1 && places.count == 1 ? places[0] : nil
            #expect(row.onlyIndex(of: sought) == expected)
            if expected != nil { found += 1 }
        }
        #expect(found > 100)
        #expect(row.start..<row.end == start..<3_000)
        let isSame = (row.start..<row.end).allSatisfy { row[$0] == digests[$0] }
        #expect(isSame)
    }

    /// Minutes, if each look-up went through them all.
    @Test func aMillionAreFoundAmongAMillionThatDifferInAFewBits() {
        let count = 1 << 20
        var row = DigestRow()
        for index in 0..<count { row.append(UInt64(index) << 40 | 1) }
        let isFound = (0..<count).allSatisfy { row.onlyIndex(of: UInt64($0) << 40 | 1) == $0 }
        #expect(isFound)
    }
}

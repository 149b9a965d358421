import Ingestion
import TestSupport
import Testing

@Suite("Search for where a row of digests goes on")
struct DigestSearchTests {
    @Test(arguments: [UInt64](1...4))
    func whatItFindsIsTheFirstPlaceFromWhichAllFits(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        for _ in 0..<5_000 {
            // Of few values, so that much of it fits almost.
            let values = UInt64.random(in: 0...2, using: &random)
            let row = (0..<Int.random(in: 0...12, using: &random)).map { _ in
                UInt64.random(in: 0...values, using: &random)
            }
            let text = (0..<Int.random(in: 0...24, using: &random)).map { _ in
                UInt64.random(in: 0...values, using: &random)
            }
            let first = Int.random(in: 0...row.count, using: &random)
            let rest = Array(row[first...])
            let expected =
                rest.isEmpty
                ? nil
                : text.indices.first { place in
                    zip(rest, text[place...]).allSatisfy { $0 == $1 }
                }
            let found = DigestSearch.firstFit(
                of: first..<row.count,
                in: 0..<text.count,
                rowDigest: { row[$0] },
                textDigest: { text[$0] }
            )
            #expect(found == expected, "\(rest) in \(text)")
        }
    }

    /// Null packets, with another one somewhere in the row and in the text, or nowhere.
    @Test(arguments: [nil, 0, 1, 2_500, 4_999], [nil, 0, 2_500, 9_999])
    func lookalikesAreReadAFewTimesOnly(other: Int?, otherInText: Int?) {
        let (count, textCount) = (5_000, 10_000)
        var reads = 0
        _ = DigestSearch.firstFit(
            of: 0..<count,
            in: 0..<textCount,
            rowDigest: { place in
                reads += 1
                return place == other ? 1 : 0
            },
            textDigest: { place in
                reads += 1
                return place == otherInText ? 3 : 0
            }
        )
        #expect(reads <= 3 * (count + textCount))
    }
}

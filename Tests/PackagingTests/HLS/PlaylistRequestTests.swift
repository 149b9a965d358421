import Packaging
import Testing

struct PlaylistRequestTests {
    @Test func readsAllDirectives() throws {
        let request = try PlaylistRequest(queryItems: [
            ("token", "x"), ("_HLS_msn", "12"), ("_HLS_part", "3"), ("_HLS_skip", "v2"),
            ("token", "y"),
        ])
        #expect(request == PlaylistRequest(mediaSequence: 12, part: 3, skip: .v2))
        #expect(request.isBlocking)
        #expect(try PlaylistRequest(queryItems: []) == PlaylistRequest())
        #expect(try PlaylistRequest(queryItems: [("_HLS_skip", "YES")]).skip == .yes)
    }

    @Test(arguments: [
        [("_HLS_part", "1")],
        [("_HLS_msn", "")],
        [("_HLS_msn", "-1")],
        [("_HLS_msn", "+1")],
        [("_HLS_msn", " 1")],
        [("_HLS_msn", "1.5")],
        [("_HLS_msn", "0x10")],
        [("_HLS_msn", "１")],
        [("_HLS_msn", "18446744073709551616")],
        [("_HLS_msn", "1000000000000000000000000000000")],
        [("_HLS_msn", "1"), ("_HLS_part", "x")],
        [("_HLS_msn", "1"), ("_HLS_msn", "1")],
        [("_HLS_other", "1"), ("_HLS_other", "2")],
        [("_HLS_skip", "yes")],
        [("_HLS_skip", "")],
    ])
    func refusesWhatIsNotADirectiveInWords(items: [(name: String, value: String)]) throws {
        let error = #expect(throws: SegmentStoreError.self) {
            _ = try PlaylistRequest(queryItems: items)
        }
        guard case .badRequest(let words) = error else {
            Issue.record("\(String(describing: error)) is not badRequest")
            return
        }
        #expect(words.contains(" "))
    }

    @Test func largestNumberIsANumber() throws {
        let request = try PlaylistRequest(queryItems: [("_HLS_msn", "18446744073709551615")])
        #expect(request.mediaSequence == .max)
    }
}

import Media
import Testing

@Suite struct StreamNameTests {
    @Test(arguments: ["a", "studio-1", "0_9", String(repeating: "x", count: 64)])
    func namesThatAreSafeEverywhereAreTaken(_ text: String) {
        #expect(StreamName(text)?.description == text)
    }

    @Test(arguments: [
        "", "-a", "_a", ".", "..", "../etc", "a/b", "a.b", "a b", "a\n", "a%2e", "é", "a\u{0}",
        String(repeating: "x", count: 65),
    ])
    func everythingElseIsRefused(_ text: String) {
        #expect(StreamName(text) == nil)
    }
}

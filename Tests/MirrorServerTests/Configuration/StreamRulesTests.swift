import Ingestion
import Media
import MirrorServer
import Processing
import Testing

@Suite struct StreamRulesTests {
    @Test(arguments: [
        ("news", "news", true), ("news", "news1", false), ("news*", "news", true),
        ("news*", "news-1", true), ("*", "a", true), ("*1", "cam1", true), ("*1", "cam12", false),
        ("cam?", "cam1", true), ("cam?", "cam", false), ("a*b*c", "aXbYbZc", true),
        ("a*b*c", "aXbYbZ", false), ("**", "a", true), ("NEWS", "news", false), ("?*", "a", true),
    ])
    func patternMatchesAWholeName(pattern: String, name: String, isMatch: Bool) throws {
        let pattern = try #require(StreamPattern(pattern))
        #expect(pattern.matches(try StreamName(checked: name)) == isMatch)
    }

    @Test func patternThatCouldMatchNothingIsNone() {
        for text in ["", "a b", "../x", "a/b", "ä", String(repeating: "a", count: 65)] {
            #expect(StreamPattern(text) == nil)
        }
    }

    @Test func patternOfManyStarsTakesNoTime() throws {
        let pattern = try #require(StreamPattern(String(repeating: "*a", count: 31) + "b"))
        let name = try StreamName(checked: String(repeating: "a", count: 64))
        #expect(!pattern.matches(name))
    }

    @Test(arguments: [
        ("10.0.0.0/8", "10.255.0.1", true), ("10.0.0.0/8", "11.0.0.1", false),
        ("10.0.0.0/8", "::ffff:10.1.2.3", true), ("::ffff:10.0.0.0/104", "10.1.2.3", false),
        ("192.0.2.7", "192.0.2.7", true), ("192.0.2.7", "192.0.2.8", false),
        ("192.0.2.9/31", "192.0.2.8", true), ("0.0.0.0/0", "203.0.113.1", true),
        ("0.0.0.0/0", "2001:db8::1", false), ("::/0", "2001:db8::1", true),
        ("::/0", "203.0.113.1", false), ("2001:db8::/32", "2001:db8:ffff::1", true),
        ("2001:db8::/32", "2001:db9::1", false), ("2001:db8::/65", "2001:db8::7fff:0:0:1", true),
        ("2001:db8::/65", "2001:db8::8000:0:0:1", false), ("fe80::1", "fe80::1%eth0", true),
    ])
    func rangeHoldsTheAddressesOfItsPrefix(
        range: String,
        address: String,
        isInside: Bool
    ) throws {
        // A mapped prefix is counted in IPv4's 32 bits, so /104 is none.
        guard let range = AddressRange(range) else {
            #expect(!isInside)
            return
        }
        #expect(range.contains(try #require(IPAddress(address))) == isInside)
    }

    @Test func textThatIsNoRangeIsNone() {
        let texts = [
            "", "/", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0/8", "::/129", "a",
            "10.0.0.1\0", "1.2.3.4/8/8", "256.0.0.1", " 10.0.0.1",
        ]
        for text in texts { #expect(AddressRange(text) == nil) }
    }

    @Test func aRuleMayHaveASlateOfItsOwnOrNone() throws {
        let configuration = try ConfigurationFile.load(
            """
            publishing: { slate: { file: all.png, after: 2s, limit: 10m } }
            streams:
              - { match: "news", slate: news.ts }
              - { match: "test-*", slate: none }
            """
        )
        let rules = StreamRules(configuration)
        #expect(rules.slateFiles == ["all.png", "news.ts"])
        let news = rules.terms(for: try StreamName(checked: "news")).slate
        #expect(news?.file == "news.ts")
        #expect(news?.showing.after == .seconds(2))
        #expect(news?.showing.limit == .seconds(600))
        #expect(rules.terms(for: try StreamName(checked: "test-1")).slate == nil)
        #expect(rules.terms(for: try StreamName(checked: "other")).slate?.file == "all.png")
        let off = StreamRules(ServerConfiguration())
        #expect(off.terms(for: try StreamName(checked: "news")).slate == nil)
        #expect(off.slateFiles.isEmpty)
    }

    @Test func aRuleSaysWhetherItsStreamsAreTranscoded() throws {
        let configuration = try ConfigurationFile.load(
            """
            transcoding: { enabled: true, preset: fast }
            streams:
              - { match: "news", transcode: false }
              - { match: "test-*", grace: 1s }
            """
        )
        let rules = StreamRules(configuration)
        #expect(!rules.terms(for: try StreamName(checked: "news")).transcoding.isEnabled)
        for name in ["test-1", "other"] {
            let transcoding = rules.terms(for: try StreamName(checked: name)).transcoding
            #expect(transcoding.isEnabled && transcoding.preset == .fast)
        }
    }

    @Test func aRuleNamesALadderThatThereIs() throws {
        let configuration = try ConfigurationFile.load(
            """
            transcoding: { ladders: [{ name: mobile }, { name: cams, match: "cam-*" }] }
            streams: [{ match: news, transcode: mobile }]
            """
        )
        let rules = StreamRules(configuration)
        func transcoding(_ name: String) throws -> TranscodingConfiguration {
            rules.terms(for: try StreamName(checked: name)).transcoding
        }
        #expect(try transcoding("news").isEnabled)
        #expect(try transcoding("news").ladders.map(\.name) == ["mobile"])
        #expect(try !transcoding("cam-1").isEnabled)
        #expect(try transcoding("cam-1").ladders.map(\.name) == ["mobile", "cams"])
        #expect(try transcoding("other").ladders.map(\.name) == ["mobile"])
    }

    @Test func firstRuleThatMatchesCounts() throws {
        let configuration = try ConfigurationFile.load(
            """
            ingestion: { srt: { passphrase: "the-global-one" } }
            publishing: { grace: 10s }
            streams:
              - { match: news-special, max_bitrate: 1M }
              - { match: "news-*", passphrase: "of-the-news", on_second_publisher: takeover }
              - { match: "news-special", grace: 1s }
              - { match: "studio", allowed_sources: [10.0.0.0/8], grace: 0s }
            """
        )
        let rules = StreamRules(configuration)
        let special = rules.terms(for: try StreamName(checked: "news-special"))
        #expect(special.maxBitrateBitsPerSecond == 1_000_000)
        #expect(special.passphrase?.reveal() == "the-global-one")
        #expect(special.grace == .seconds(10))

        let news = rules.terms(for: try StreamName(checked: "news-1"))
        #expect(news.passphrase?.reveal() == "of-the-news")
        #expect(news.onSecondPublisher == .takeover)
        #expect(news.allows(source: "203.0.113.1"))

        let studio = rules.terms(for: try StreamName(checked: "studio"))
        #expect(studio.grace == .zero)
        #expect(studio.allows(source: "10.1.2.3"))
        #expect(studio.allows(source: "::ffff:10.1.2.3"))
        #expect(!studio.allows(source: "11.1.2.3"))
        #expect(!studio.allows(source: "not an address"))

        let other = try StreamName(checked: "other")
        #expect(rules.rule(for: other) == nil)
        #expect(rules.terms(for: other).onSecondPublisher == .refuse)
        #expect(rules.terms(for: other).maxBitrateBitsPerSecond == nil)
    }
}

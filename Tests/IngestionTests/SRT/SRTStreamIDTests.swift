import Ingestion
import Media
import Testing

struct SRTStreamIDTests {
    @Test func aPlainTextIsTheName() throws {
        let streamID = try SRTStreamID("studio-1")
        #expect(streamID.name.description == "studio-1")
        #expect(streamID.user == nil)
    }

    @Test(arguments: [
        "#!::r=studio,u=anna,m=publish",
        "#!::m=publish,u=anna,r=studio",
        "#!::r=studio,u=anna",
        "#!::h=example.org,s=17,t=stream,r=studio,u=anna,x=whatever",
        "#!::r=%73tudio,u=ann%61",
        "%23!::r=studio,u=anna,m=publish",
        "%23%21%3A%3Ar%3Dstudio%2Cu%3Danna%2cm%3dpublish",
    ])
    func theKeyedFormNamesStreamAndUser(text: String) throws {
        let streamID = try SRTStreamID(text)
        #expect(streamID.name.description == "studio")
        #expect(streamID.user == "anna")
    }

    @Test func anEncodedCommaIsPartOfTheValue() throws {
        #expect(try SRTStreamID("#!::r=studio,u=a%2Cm=request").user == "a,m=request")
    }

    @Test(arguments: ["request", "bidirectional", "PUBLISH", ""])
    func otherModesAreNotSupported(mode: String) {
        #expect(throws: SRTStreamID.Problem.modeNotSupported(mode)) {
            try SRTStreamID("#!::r=studio,m=\(mode)")
        }
    }

    @Test func fileTransferIsNotSupported() {
        #expect(throws: SRTStreamID.Problem.modeNotSupported("file")) {
            try SRTStreamID("#!::r=studio,t=file")
        }
    }

    @Test(arguments: ["", "#!::", "#!::r=", "#!::u=anna,m=publish"])
    func noNameIsToldApartFromABadOne(text: String) {
        #expect(throws: SRTStreamID.Problem.empty) { try SRTStreamID(text) }
    }

    @Test(arguments: [
        "../etc/passwd", "..%2F..%2Fetc", "/studio", "a b", "a.b", "-a", "ä", "a\u{0}b",
        String(repeating: "a", count: 65),
    ])
    func whatIsNoStreamNameIsRefused(text: String) {
        #expect(throws: SRTStreamID.Problem.self) { try SRTStreamID(text) }
        #expect(throws: SRTStreamID.Problem.self) { try SRTStreamID("#!::r=\(text)") }
    }

    @Test(arguments: [
        "#!", "#!:{r=studio}", "#!r=studio", "%", "%2", "%zz", "a%00", "%ff%fe",
        "#!::r", "#!::r=a,r=b", "#!::r=%", "#!::r=a,u=%c3",
        String(repeating: "a", count: 513),
    ])
    func damagedTextIsMalformed(text: String) {
        #expect(throws: SRTStreamID.Problem.malformed) { try SRTStreamID(text) }
    }

    @Test func anyBytesParseOrAreRefused() {
        var random = SystemRandomNumberGenerator()
        let alphabet = Array("#!:,=%rmut0aF/. \u{0}é".unicodeScalars)
        for _ in 0..<20_000 {
            let scalars = (0..<Int.random(in: 0...24, using: &random)).map { _ in
                alphabet[Int.random(in: 0..<alphabet.count, using: &random)]
            }
            let text = String(String.UnicodeScalarView(scalars))
            guard let streamID = try? SRTStreamID(text) else { continue }
            #expect(!streamID.name.description.contains { "#!:,=%/. ".contains($0) })
        }
    }

    @Test func everyProblemHasARefusalAndACure() {
        let problems: [SRTStreamID.Problem] = [.empty, .malformed, .badName("x y")]
        for problem in problems {
            #expect(problem.refusal == .badName)
            #expect(!problem.cure.isEmpty)
        }
        #expect(SRTStreamID.Problem.modeNotSupported("request").refusal == .modeNotSupported)
    }
}

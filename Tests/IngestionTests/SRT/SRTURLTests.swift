import Ingestion
import Testing

struct SRTURLTests {
    @Test func everyKeyIsRead() throws {
        let url = try SRTURL(
            """
            srt://encoder.example:9000?mode=caller&streamid=%23!::r=cam,m=request&latency=250\
            &passphrase=correct%20horse&pbkeylen=32&transtype=live
            """
        )
        #expect(url.host == "encoder.example")
        #expect(url.port == 9000)
        #expect(url.streamID == "#!::r=cam,m=request")
        #expect(url.latency == .milliseconds(250))
        #expect(url.passphrase == "correct horse")
        #expect(url.keyBytes == 32)
    }

    @Test(arguments: ["srt://10.0.0.1:9000", "SRT://10.0.0.1:9000/", "srt://10.0.0.1:9000?"])
    func anAddressAloneIsEnough(text: String) throws {
        let url = try SRTURL(text)
        #expect(url.host == "10.0.0.1")
        #expect(url.port == 9000)
        #expect(url.streamID == nil)
        #expect(url.latency == nil)
        #expect(url.passphrase == nil)
    }

    @Test func anIPv6AddressIsInBrackets() throws {
        let url = try SRTURL("srt://[2001:db8::1]:9000?streamid=a")
        #expect(url.host == "2001:db8::1")
        #expect(url.description == "srt://[2001:db8::1]:9000?streamid=a")
        #expect(throws: SRTURL.Problem.badPort) { try SRTURL("srt://2001:db8::1:9000") }
    }

    @Test func itsDescriptionHidesThePassphrase() throws {
        let url = try SRTURL("srt://host:9000?streamid=a&passphrase=correct-horse")
        #expect(!url.description.contains("correct-horse"))
    }

    @Test(arguments: [
        ("udp://host:9000", SRTURL.Problem.notSRT),
        ("srt:/host:9000", .notSRT),
        ("", .notSRT),
        ("srt://", .missingHost),
        ("srt://:9000", .missingHost),
        ("srt://host", .badPort),
        ("srt://host:", .badPort),
        ("srt://host:0", .badPort),
        ("srt://host:65536", .badPort),
        ("srt://host:-1", .badPort),
        ("srt://host:99999999999999999999", .badPort),
        ("srt://host:9000/live/a", .unexpectedPath),
        ("srt://user@host:9000", .unexpectedPath),
        ("srt://host:9000?pass=1", .unknownKey("pass")),
        ("srt://host:9000?streamid=a&streamid=b", .repeatedKey("streamid")),
        (
            "srt://host:9000?latency=120ms",
            .badValue(key: "latency", expected: "0 to 60000 milliseconds")
        ),
        (
            "srt://host:9000?latency=-1",
            .badValue(key: "latency", expected: "0 to 60000 milliseconds")
        ),
        (
            "srt://host:9000?passphrase=short",
            .badValue(key: "passphrase", expected: "10 to 79 bytes")
        ),
        ("srt://host:9000?mode=listener", .badValue(key: "mode", expected: "caller")),
        (
            "srt://host:9000?streamid=%zz",
            .badValue(key: "streamid", expected: "percent-encoded UTF-8")
        ),
    ])
    func eachMistakeIsNamed(text: String, problem: SRTURL.Problem) {
        #expect(throws: problem) { try SRTURL(text) }
        #expect(!problem.description.isEmpty)
    }
}

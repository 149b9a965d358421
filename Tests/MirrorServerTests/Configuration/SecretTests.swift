import Ingestion
import MirrorServer
import Testing

@Suite struct SecretTests {
    private static let text = "correct-horse-battery"

    @Test func noWayOfPrintingShowsIt() {
        let secret = Secret(Self.text)
        var configuration = ServerConfiguration()
        configuration.srt.passphrase = secret
        var dumped = ""
        dump(configuration, to: &dumped)
        let printed = [
            "\(secret)", String(reflecting: secret), "\(configuration)",
            String(reflecting: configuration), dumped,
        ]
        for text in printed { #expect(!text.contains(Self.text)) }
        #expect("\(secret)" == "***")
        #expect(secret.reveal() == Self.text)
    }

    @Test func theReportHidesThem() throws {
        let loaded = try ConfigurationSource(
            environment: [
                "MIRROR_INGESTION_SRT_PASSPHRASE": Self.text,
                "MIRROR_STREAMS": "[{match: a, passphrase: \(Self.text)}]",
                "MIRROR_INGESTION_SRT_CALLERS":
                    "[{url: 'srt://a:1?passphrase=\(Self.text)', stream: a}]",
            ]
        ).load()
        #expect(loaded.configuration.srt.passphrase?.reveal() == Self.text)
        #expect(loaded.configuration.srt.callers.first?.url?.passphrase == Self.text)
        let report = ConfigurationReport.values(of: loaded)
        #expect(!report.contains(Self.text))
        #expect(report.contains("ingestion.srt.passphrase: \"***\""))
    }

    @Test func theKeysThatMayHoldOneAreMarked() {
        let marked = ConfigurationSchema.keys.filter(\.isSecret).map(\.path)
        #expect(marked == ["ingestion.srt.passphrase", "ingestion.srt.callers", "streams"])
    }

    @Test(arguments: [
        "ingestion: { srt: { passphrase: short } }",
        "streams: [{ match: a, passphrase: short }]",
        "ingestion.srt.callers: [{ url: \"srt://a?passphrase=short\", stream: a }]",
    ])
    func errorsDoNotRepeatThem(text: String) throws {
        let problems = try ConfigurationFile.problems(in: text)
        #expect(problems.count == 1)
        #expect(!problems.joined().contains("short"))
    }
}

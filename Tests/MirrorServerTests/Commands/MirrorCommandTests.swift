import ArgumentParser
import MirrorServer
import Testing

@Suite struct MirrorCommandTests {
    @Test func commandsAreTheOnesPromised() {
        let names = MirrorCommand.configuration.subcommands.map { $0.configuration.commandName }
        #expect(names == ["serve", "certs", "config", "version"])
        #expect(MirrorCommand.configuration.version == MirrorVersion.number)
    }

    @Test(arguments: [
        ["serve"], ["serve", "--config", "a.yaml", "--set", "metrics.port=0"], ["certs"],
        ["certs", "--out", "x", "--force", "--host", "a", "--host", "b"], ["config", "check"],
        ["config", "print", "--srt-port", "1"], ["config", "example"], ["version"],
    ])
    func commandLineIsUnderstood(arguments: [String]) throws {
        _ = try MirrorCommand.parseAsRoot(arguments)
    }

    @Test(arguments: [
        ["serve", "--set", "correct-horse"], ["serve", "--colour"], ["config", "example", "x"],
    ])
    func commandLineIsRefused(arguments: [String]) {
        let error = #expect(throws: (any Error).self) {
            try MirrorCommand.parseAsRoot(arguments)
        }
        let message = error.map { MirrorCommand.message(for: $0) } ?? ""
        #expect(!message.contains("correct-horse"))
    }

    @Test func flagsBecomeKeys() throws {
        let options = try ConfigurationOptions.parse([
            "--set", "ingestion.srt.passphrase=a=b,c", "--set", "server.https_port=1",
            "--https-port", "2", "--http-port", "3", "--srt-port", "4", "--log-level", "debug",
        ])
        #expect(
            options.flags.map { "\($0.spelling) \($0.path) \($0.text)" } == [
                "--set ingestion.srt.passphrase a=b,c",
                "--set server.https_port 1",
                "--https-port server.https_port 2",
                "--http-port server.http_port 3",
                "--srt-port ingestion.srt.port 4",
                "--log-level logging.level debug",
            ]
        )
    }

    @Test func flagOfAKeyWinsOverSet() throws {
        let options = try ConfigurationOptions.parse([
            "--https-port", "2", "--set", "server.https_port=1",
        ])
        let loaded = try options.source(environment: [:]).load()
        #expect(loaded.configuration.server.httpsPort == 2)
        #expect(loaded.places["server.https_port"]?.origin == .flag("--https-port"))
    }
}

import Ingestion
import Logging
import Media
import MirrorServer
import Packaging
import Testing

@Suite struct ConfigurationSourceTests {
    @Test func nothingGivenMeansTheDefaults() throws {
        let loaded = try ConfigurationSource().load()
        #expect(loaded.configuration == ServerConfiguration())
        #expect(loaded.places.isEmpty)
        #expect(loaded.configuration.server.httpsPort == 8443)
        #expect(loaded.configuration.srt.port == 30_000)
        #expect(loaded.configuration.srt.latency == .milliseconds(120))
        #expect(loaded.configuration.packaging.partTarget == .milliseconds(333))
        #expect(loaded.configuration.packaging.window == .duration(.seconds(20)))
    }

    @Test func fileWithCommentsAloneMeansTheDefaults() throws {
        #expect(try ConfigurationFile.load("# nothing\n") == ServerConfiguration())
        #expect(try ConfigurationFile.load("server:\n  https_port:\n") == ServerConfiguration())
    }

    @Test func flagWinsOverEnvironmentOverFileOverDefault() throws {
        let file = try ConfigurationFile(
            "server: { https_port: 1, http_port: 1, http3_port: 1 }\n"
        )
        defer { file.remove() }
        defer { file.remove() }
        let loaded = try ConfigurationSource(
            file: file.path,
            environment: ["MIRROR_SERVER_HTTPS_PORT": "2", "MIRROR_SERVER_HTTP_PORT": "2"],
            flags: [ConfigurationFlag(path: "server.https_port", text: "3", spelling: "--set")]
        ).load()
        #expect(loaded.configuration.server.httpsPort == 3)
        #expect(loaded.configuration.server.httpPort == 2)
        #expect(loaded.configuration.server.http3Port == 1)
        #expect(loaded.configuration.metrics.port == 9090)
        #expect(loaded.places["server.http3_port"]?.origin == .file(file.path))
        #expect(loaded.places["server.http3_port"]?.line == 1)
    }

    @Test func laterFlagOfAKeyWins() throws {
        let flags = ["1", "2"].map {
            ConfigurationFlag(path: "metrics.port", text: $0, spelling: "--set")
        }
        #expect(try ConfigurationSource(flags: flags).load().configuration.metrics.port == 2)
    }

    @Test func environmentNamesTheFileWhereNoFlagDoes() throws {
        let file = try ConfigurationFile("metrics.port: 7\n")
        defer { file.remove() }
        let environment = ["MIRROR_CONFIG": file.path]
        let source = ConfigurationSource(environment: environment)
        #expect(try source.load().configuration.metrics.port == 7)
        #expect(ConfigurationSource(file: "other", environment: environment).file == "other")
        #expect(ConfigurationSource(environment: ["MIRROR_CONFIG": ""]).file == nil)
    }

    @Test func variablesOfKubernetesServicesAreLeftAlone() throws {
        let environment = [
            "MIRROR_SERVICE_HOST": "10.0.0.1", "MIRROR_SERVICE_PORT_HTTPS": "8443",
            "MIRROR_PORT": "tcp://10.0.0.1:8443", "MIRROR_PORT_8443_TCP_ADDR": "10.0.0.1",
            "MIRROR_METRICS_PORT": "tcp://10.0.0.2:9090", "OTHER_KEY": "x",
        ]
        let loaded = try ConfigurationSource(environment: environment).load()
        #expect(loaded.configuration == ServerConfiguration())
    }

    @Test func listsOfTheFileKeepTheirOrder() throws {
        let configuration = try ConfigurationFile.load(
            """
            streams:
              - match: news
                allowed_sources: [10.0.0.0/8, "2001:db8::/32"]
                max_bitrate: 8M
              - { match: "*", grace: 0s, allowed_sources: "192.0.2.1, 192.0.2.2" }
            ingestion:
              srt:
                callers:
                  - { url: "srt://[::1]:9000?streamid=x", stream: pulled, reconnect_max: 1m }
            """
        )
        #expect(configuration.streams.map(\.match?.description) == ["news", "*"])
        #expect(configuration.streams[0].maxBitrateBitsPerSecond == 8_000_000)
        #expect(configuration.streams[1].allowedSources.map(\.description).count == 2)
        #expect(configuration.streams[1].grace == .zero)
        #expect(configuration.srt.callers[0].url?.streamID == "x")
        #expect(configuration.srt.callers[0].reconnectMax == .seconds(60))
    }

    @Test func reloadTakesUpWhatItCanAndNamesWhatItCannot() throws {
        let file = try ConfigurationFile("logging: { level: info }\n")
        defer { file.remove() }
        let source = ConfigurationSource(
            file: file.path,
            environment: ["MIRROR_PUBLISHING_GRACE": "1m"]
        )
        let first = try source.load().configuration
        let same = try source.reload(from: first)
        #expect(same.configuration == first)
        #expect(same.changed.isEmpty && same.needsRestart.isEmpty)

        try file.write(
            "logging: { level: debug }\nserver: { https_port: 1 }\nstreams: [{ match: a }]\n"
        )
        let reload = try source.reload(from: first)
        #expect(reload.changed == ["streams", "logging.level"])
        #expect(reload.needsRestart == ["server.https_port"])
        #expect(reload.configuration.logging.level == .debug)
        #expect(reload.configuration.streams.count == 1)
        #expect(reload.configuration.server.httpsPort == 8443)
        #expect(reload.configuration.publishing.grace == .seconds(60))
    }

    @Test func reloadOfABrokenFileThrows() throws {
        let file = try ConfigurationFile("")
        defer { file.remove() }
        let source = ConfigurationSource(file: file.path)
        let first = try source.load().configuration
        try file.write("streams: [{ match: '!' }]\n")
        #expect(throws: ConfigurationError.self) { try source.reload(from: first) }
    }
}

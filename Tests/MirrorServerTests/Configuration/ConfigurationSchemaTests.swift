import Foundation
import Ingestion
import Media
import MirrorServer
import Testing

@Suite struct ConfigurationSchemaTests {
    /// For every key a value that is not its default, as an operator writes it, and as it is printed.
    private static let samples: [String: (written: String, printed: String)] = [
        "server.bind_address": ("127.0.0.1", "\"127.0.0.1\""),
        "server.https_port": ("9443", "9443"),
        "server.http3_port": ("9444", "9444"),
        "server.http_port": ("8080", "8080"),
        "server.tls_cert_file": ("/etc/a.pem", "\"/etc/a.pem\""),
        "server.tls_key_file": ("/etc/b.pem", "\"/etc/b.pem\""),
        "server.min_tls_version": ("1.2", "\"1.2\""),
        "server.max_connections": ("7", "7"),
        "server.web_assets": ("web", "\"web\""),
        "server.http3.enabled": ("no", "false"),
        "server.http3.congestion_control": ("reno", "reno"),
        "metrics.bind_address": ("::1", "\"::1\""),
        "metrics.port": ("0", "0"),
        "ingestion.srt.enabled": ("no", "false"),
        "ingestion.srt.bind_address": ("0.0.0.0", "\"0.0.0.0\""),
        "ingestion.srt.port": ("0", "0"),
        "ingestion.srt.latency": ("1.5s", "1500ms"),
        "ingestion.srt.max_bandwidth": ("2.5M", "2500k"),
        "ingestion.srt.passphrase": ("correct-horse", "\"***\""),
        "ingestion.srt.receivers": ("4", "4"),
        "ingestion.srt.max_connections": ("5", "5"),
        "ingestion.srt.peer_idle_timeout": ("10 s", "10s"),
        "ingestion.srt.callers": (
            "[{\"url\": \"srt://192.0.2.7:9000?passphrase=correct-horse\", \"stream\": \"a\"}]",
            "[{url: \"srt://192.0.2.7:9000\", stream: \"a\", reconnect_min: 1s, reconnect_max: 30s}]"
        ),
        "ingestion.rtp.enabled": ("no", "false"),
        "ingestion.rtp.bind_address": ("192.0.2.1", "\"192.0.2.1\""),
        "ingestion.rtp.port": ("0", "0"),
        "ingestion.rtp.rtcp_port": ("6005", "6005"),
        "ingestion.rtp.fec": ("yes", "true"),
        "ingestion.rtp.extra_ports": ("6000-6010", "6000-6010"),
        "ingestion.rtp.buffer_size": ("4194304", "4MiB"),
        "ingestion.rtp.max_sessions": ("6", "6"),
        "ingestion.rtp.max_sessions_per_address": ("2", "2"),
        "ingestion.rtp.max_latency": ("50ms", "50ms"),
        "ingestion.rtp.idle_timeout": ("2s", "2s"),
        "ingestion.rtp.accept_unannounced": ("false", "false"),
        "ingestion.rtp.sessions": (
            "[{\"stream\": \"a\", \"port\": \"6000\", \"ssrc\": \"0x1F\", \"group\": \"FF02::1\"}]",
            "[{stream: \"a\", port: 6000, fec: false, ssrc: 31, payload: rtp, group: \"ff02::1\"}]"
        ),
        "publishing.max_streams": ("3", "3"),
        "publishing.on_second_publisher": ("takeover", "takeover"),
        "publishing.grace": ("2m", "2m"),
        "publishing.slate.file": ("a.png", "\"a.png\""),
        "publishing.slate.after": ("2s", "2s"),
        "publishing.slate.limit": ("24h", "24h"),
        "streams": (
            "[{\"match\": \"a\", \"passphrase\": \"correct-horse\", \"grace\": \"1h\","
                + " \"slate\": \"none\", \"transcode\": \"yes\","
                + " \"inputs\": {\"names\": [\"b\", \"c\"], \"silence\": \"1s\"}}]",
            "[{match: \"a\", passphrase: \"***\", allowed_sources: [], max_bitrate: 0, grace: 1h,"
                + " slate: \"none\", transcode: true,"
                + " inputs: {names: [\"b\", \"c\"], mode: failover, silence: 1s, return_after: 10s, max_skew: 500ms}}]"
        ),
        "transcoding.enabled": ("true", "true"),
        "transcoding.preset": ("medium", "medium"),
        "transcoding.mode": ("quality", "quality"),
        "transcoding.gpu_enabled": ("false", "false"),
        "transcoding.policy": ("drop_rungs", "drop_rungs"),
        "transcoding.output_formats": (
            "[{\"resolution\": \"1280x720\", \"bitrate\": \"2800k\", \"frame_rate\": \"29.97\","
                + " \"keyframe_interval\": \"1s\"}]",
            "[{resolution: 1280x720, codec: h264, bitrate: 2800k, frame_rate: 29.97, keyframe_interval: 1s}]"
        ),
        "transcoding.passthrough": ("no", "false"),
        "transcoding.ladders": (
            "[{\"name\": \"mobile\", \"match\": \"cam-*\", \"source_codecs\": [\"hevc\"],"
                + " \"source_max\": \"1920x1080\", \"passthrough\": \"no\","
                + " \"output_formats\": [{\"resolution\": \"640x360\"}]}]",
            "[{name: \"mobile\", match: \"cam-*\", source_codecs: [hevc], source_max: 1920x1080,"
                + " passthrough: false,"
                + " output_formats: [{resolution: 640x360, codec: h264, bitrate: 0}]}]"
        ),
        "transcoding.audio": (
            "[{\"codec\": \"opus\", \"bitrate\": \"96k\"}]",
            "[{codec: opus, bitrate: 96k, channels: 2}]"
        ),
        "packaging.part_target": ("200ms", "200ms"),
        "packaging.segment_target": ("1s", "1s"),
        "packaging.window": ("8", "8"),
        "packaging.hold_back_parts": ("4", "4"),
        "packaging.memory_limit": ("2GiB", "2GiB"),
        "thumbnails.enabled": ("no", "false"),
        "thumbnails.interval": ("10s", "10s"),
        "thumbnails.width": ("640", "640"),
        "logging.level": ("debug", "debug"),
        "logging.format": ("json", "json"),
    ]

    @Test func everyKeyHasASampleHere() {
        #expect(Set(ConfigurationSchema.keys.map(\.path)) == Set(Self.samples.keys))
    }

    @Test(arguments: ConfigurationSchema.keys)
    func everyKeyWorksByEnvironmentFlagAndFile(
        key: ConfigurationKey<ServerConfiguration>
    ) throws {
        let sample = try #require(Self.samples[key.path])
        let path = key.path.split(separator: ".")
        let isList = sample.written.hasPrefix("[")
        let yaml =
            path.dropLast().enumerated().map { depth, section in
                String(repeating: " ", count: depth) + section + ":\n"
            }.joined()
            + String(repeating: " ", count: path.count - 1)
            + "\(path[path.count - 1]): "
            + (isList ? sample.written : "\"\(sample.written)\"") + "\n"
        let file = try ConfigurationFile(yaml)
        defer { file.remove() }
        let flag = ConfigurationFlag(path: key.path, text: sample.written, spelling: "--set")
        let sources = [
            ConfigurationSource(environment: [key.environmentName: sample.written]),
            ConfigurationSource(flags: [flag]),
            ConfigurationSource(file: file.path),
        ]
        let origins: [ConfigurationOrigin] = [
            .environment(key.environmentName), .flag("--set"), .file(file.path),
        ]
        let byDefault = try value(of: key, in: ConfigurationSource())
        for (source, origin) in zip(sources, origins) {
            let value = try value(of: key, in: source)
            #expect(value == sample.printed)
            #expect(value != byDefault)
            let loaded = try source.load()
            #expect(loaded.places.count == 1)
            #expect(loaded.places[key.path]?.origin == origin)
            #expect(loaded.configuration != ServerConfiguration())
        }
    }

    private func value(
        of key: ConfigurationKey<ServerConfiguration>,
        in source: ConfigurationSource
    ) throws -> String {
        let report = ConfigurationReport.values(of: try source.load())
        let line = report.split(separator: "\n").first { $0.hasPrefix("\(key.path): ") }
        let value = try #require(line).dropFirst(key.path.count + 2).split(separator: "  #")[0]
        return value.trimmingCharacters(in: .whitespaces)
    }

    @Test func environmentNamesAreUnique() {
        let names = ConfigurationSchema.keys.map(\.environmentName)
        #expect(Set(names).count == names.count)
        #expect(names.contains("MIRROR_SERVER_HTTPS_PORT"))
    }

    @Test func exampleFileIsTheOneInTheRepository() throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let file = root.appending(path: "config/mirror.example.yaml")
        let text = try String(contentsOf: file, encoding: .utf8)
        // To renew it: mirror config example > config/mirror.example.yaml
        #expect(text == ConfigurationReport.example())
    }

    @Test func exampleFileSetsEveryKeyToItsDefault() throws {
        let file = try ConfigurationFile(ConfigurationReport.example())
        defer { file.remove() }
        let loaded = try ConfigurationSource(file: file.path).load()
        #expect(loaded.configuration == ServerConfiguration())
        #expect(Set(loaded.places.keys) == Set(ConfigurationSchema.keys.map(\.path)))
    }

    @Test func commentedEntriesOfTheExampleCanBeTakenAsTheyAre() throws {
        let rule = ConfigurationReport.item(ConfigurationSchema.streamRule, indent: "")
        let caller = ConfigurationReport.item(ConfigurationSchema.srtCaller, indent: "")
        let rtp = ConfigurationReport.item(ConfigurationSchema.rtpSession, indent: "")
        let uncommented = [rule, caller, rtp].map { text in
            text.split(separator: "\n").map { $0.dropFirst(2) }.joined(separator: "\n") + "\n"
        }
        let configuration = try ConfigurationFile.load(
            "streams:\n\(uncommented[0])ingestion.srt.callers:\n\(uncommented[1])"
                + "ingestion.rtp.sessions:\n\(uncommented[2])"
        )
        #expect(configuration.streams.count == 1)
        #expect(configuration.streams.first?.passphrase?.reveal() == "correct-horse-battery")
        #expect(configuration.streams.first?.allowedSources.count == 2)
        #expect(configuration.streams.first?.maxBitrateBitsPerSecond == 20_000_000)
        #expect(configuration.streams.first?.onSecondPublisher == .takeover)
        #expect(configuration.streams.first?.grace == .seconds(60))
        #expect(
            configuration.streams.first?.inputs?.names.map(\.description)
                == ["news-main", "news-backup"]
        )
        #expect(configuration.srt.callers.first?.url?.passphrase == "correct-horse")
        let session = try #require(configuration.rtp.sessions.first)
        #expect(session.port == 6004)
        #expect(session.rtcpPort == 6005)
        #expect(session.source == AddressRange("192.0.2.7"))
        #expect(session.ssrc == 0x1a2b_3c4d)
        #expect(session.group == IPAddress("239.1.2.3"))
        #expect(session.interface == "eth0")
        #expect(session.sdpFile == "studio.sdp")
        #expect(session.sdp == nil)
    }
}

import Foundation
import MirrorServer
import Testing

@Suite struct ConfigurationErrorTests {
    @Test(arguments: [
        ("server: { https_port: 70000 }", "\"70000\" is out of range. Give a port, 0 to 65535."),
        ("server: { https_port: x }", "\"x\" is no whole number. Give a port, 0 to 65535."),
        ("server: { bind_address: here }", "\"here\" is no IP address."),
        ("server: { tls_cert_file: \"\" }", "\"\" is empty. Give a path."),
        ("server: { min_tls_version: 1.1 }", "Give one of 1.2, 1.3."),
        ("ingestion: { srt: { enabled: maybe } }", "Give true or false."),
        (
            "ingestion: { srt: { latency: 120 } }",
            "\"120\" has no unit. Write the unit, as in 120ms"
        ),
        ("ingestion: { srt: { latency: 120Hz } }", "has no unit of time in it"),
        ("ingestion: { srt: { latency: 1ms } }", "is out of range. Give a time, 20ms to 8s."),
        ("ingestion: { srt: { latency: 1e300s } }", "has no unit of time in it"),
        ("ingestion: { srt: { latency: 99999999999999999999h } }", "is out of range"),
        ("ingestion: { srt: { latency: -1s } }", "does not begin with a number"),
        ("ingestion: { srt: { max_bandwidth: 5Q } }", "has no unit of bit rates in it"),
        ("ingestion: { srt: { max_bandwidth: 101G } }", "is out of range"),
        ("ingestion: { srt: { passphrase: short } }", "the value is 5 bytes long."),
        ("packaging: { window: 5 }", "\"5\" is out of range."),
        ("packaging: { window: 11m }", "\"11m\" is out of range."),
        ("logging: { level: loud }", "\"loud\" is not one of them. Give one of trace, debug,"),
        ("server: { https_port: [1] }", "it takes one value, not a list or a section."),
        ("server: 5", "it is a section, not a value."),
        ("streams: { match: a }", "it takes a list, not a section."),
        ("streams: [a]", "it takes a section of keys"),
        ("streams: [{ grace: 1s }]", "match is missing. Give a stream name, or a pattern"),
        ("streams: [{ match: \"a b\" }]", "can match no stream name"),
        ("streams: [{ match: a, matc: b }]", "unknown key. Did you mean match?"),
        ("streams: [{ match: a, colour: b }]", "unknown key. The keys are match, passphrase,"),
        ("streams: [{ match: a, passphrase: \"\" }]", "the value is 0 bytes long."),
        ("streams: [{ match: a, allowed_sources: [10.0.0.0/33] }]", "is neither an address nor"),
        ("streams: [{ match: a, inputs: [b, c] }]", "it takes a section of keys, not a value"),
        ("streams: [{ match: a, inputs: { mode: failover } }]", "names is missing. Give a list"),
        ("streams: [{ match: a, inputs: { names: [b] } }]", "Give a list of 2 to 8 stream names"),
        ("streams: [{ match: a, inputs: { names: [b, \"c*\"] } }]", "\"c*\" is no stream name"),
        ("streams: [{ match: a, inputs: { names: [b, b] } }]", "one of names is there twice"),
        ("streams: [{ match: a, inputs: { names: [b, c], mode: best } }]", "Give one of failover"),
        ("streams: [{ match: a, inputs: { names: [b, c], silence: 1ms } }]", "100ms to 1m"),
        ("streams: [{ match: \"a*\", inputs: { names: [b, c] } }]", "more than one stream"),
        (
            "streams: [{ match: \"*\" }, { match: a, inputs: { names: [b, c] } }]",
            "an earlier rule (*) holds for a, so that its inputs never do"
        ),
        (
            "streams: [{ match: a, inputs: { names: [b, c] } }, "
                + "{ match: d, inputs: { names: [e, c] } }]",
            "c is an input of both a and d"
        ),
        (
            "streams: [{ match: a, inputs: { names: [b, c] } }, "
                + "{ match: b, inputs: { names: [d, e] } }]",
            "b is an input of a, and has inputs itself"
        ),
        ("streams: [{ match: a, max_bitrate: 61M }]", "above ingestion.srt.max_bandwidth"),
        ("transcoding: { preset: best }", "Give one of ultrafast, superfast,"),
        (
            "transcoding: { output_formats: [{ bitrate: 1M }] }",
            "resolution is missing. Give a size"
        ),
        ("transcoding: { output_formats: [{ resolution: 720p }] }", "\"720p\" is no size"),
        ("transcoding: { audio: [{ codec: mp3 }] }", "Give one of aac, opus"),
        ("transcoding: { audio: [{ channels: 6 }] }", "1 to 2"),
        ("transcoding: { output_formats: [{ resolution: 9999x1 }] }", "64 to 7680 each way"),
        (
            "transcoding: { output_formats: [{ resolution: 640x360, codec: vp9 }] }",
            "Give one of h264, hevc, av1"
        ),
        (
            "transcoding: { output_formats: [{ resolution: 640x360, frame_rate: 0 }] }",
            "Give frames a second, 1 to 240"
        ),
        ("transcoding: { ladders: [{ name: a }, { name: a }] }", "two of them are called \"a\""),
        ("transcoding: { ladders: [{ name: \"on\" }] }", "no word for true or false"),
        ("transcoding: { ladders: [{ name: a, source_codecs: [mpeg2] }] }", "Give one of h264,"),
        ("streams: [{ match: a, transcode: mobile }]", "not among transcoding.ladders"),
        ("ingestion.srt.callers: [{ url: \"http://a:1\", stream: a }]", "begins with srt://"),
        ("ingestion.srt.callers: [{ url: \"srt://a:1\" }]", "stream is missing."),
        (
            "ingestion.srt.callers: [{ url: \"srt://a:1\", stream: a, reconnect_min: 31s }]",
            "reconnect_min is above reconnect_max"
        ),
        (
            "ingestion.srt.callers: "
                + "[{ url: \"srt://a:1\", stream: a }, { url: \"srt://b:1\", stream: a }]",
            "two of them publish under one stream name"
        ),
        ("packaging: { part_target: 1100ms }", "is more than half of packaging.segment_target"),
        ("packaging: { segment_target: 4s }", "packaging.window is shorter than 6 times"),
        ("server: { http_port: 8443 }", "server.http_port and server.https_port are both 8443"),
        ("server: { https_port: 9090 }", "metrics.port and server.https_port are both 9090"),
        ("transcoding: { policy: cpu }", "Give one of fallback_cpu, drop_rungs, refuse"),
        ("ingestion: { rtp: { port: 30000 } }", "rtp.port and ingestion.srt.port are both 30000"),
        ("ingestion: { rtp: { port: 8442 } }", "rtcp_port and server.http3_port are both 8443"),
        ("ingestion: { rtp: { buffer_size: 1KiB } }", "Give bytes such as 64KiB, at most 1GiB."),
        ("ingestion: { rtp: { max_latency: 6s } }", "is out of range. Give a time, 5ms to 5s."),
        ("ingestion.rtp.sessions: [{ port: 6000 }]", "stream is missing."),
        ("ingestion.rtp.sessions: [{ stream: a, port: 5005 }]", "rtcp_port are both 5005"),
        ("ingestion.rtp.sessions: [{ stream: a, source: x }]", "is neither an address nor"),
        ("ingestion.rtp.sessions: [{ stream: a, ssrc: -1 }]", "is no SSRC. Give a number up to"),
        ("ingestion.rtp.sessions: [{ stream: a, payload: mpegts }]", "Give it a port."),
        (
            "ingestion.rtp.sessions: [{ stream: a, port: 6000, payload: mpegts, ssrc: 1 }]",
            "has no RTP header: no ssrc"
        ),
        (
            "ingestion.rtp.sessions: [{ stream: a, fec: true }]",
            "set ingestion.rtp.fec for the port"
        ),
        (
            "{ ingestion.rtp: { fec: true, sessions: [{ stream: a, port: 5008 }] } }",
            "a port of ingestion.rtp.fec are both 5008"
        ),
        ("ingestion.rtp.extra_ports: 6000", "is no range of ports"),
        ("ingestion.rtp.extra_ports: 6000-5000", "is no range of ports"),
        ("ingestion.rtp.sessions: [{ stream: a, group: 10.0.0.1 }]", "is no multicast address"),
        ("ingestion.rtp.sessions: [{ stream: a, interface: lo }]", "interface without group"),
        (
            "ingestion.rtp.sessions: [{ stream: a, sdp_file: b, sdp: \"v=0\\nm=video 0 RTP/AVP 33\" }]",
            "both sdp and sdp_file are given. Keep one."
        ),
        ("ingestion.rtp.sessions: [{ stream: a, sdp: x }]", "cannot be used: "),
        (
            "ingestion.rtp.sessions: [{ stream: a }, { stream: b }]",
            "a and b cannot be told apart. Tell them apart by port, source or ssrc."
        ),
        (
            "ingestion.rtp.sessions: "
                + "[{ stream: a, port: 6000, payload: mpegts }, { stream: b, port: 6000, ssrc: 1 }]",
            "a and b share a port, and one has no RTP headers."
        ),
        (
            "ingestion.rtp.sessions: [{ stream: a, ssrc: 1 }, { stream: a }]",
            "a and a are two sessions of one name"
        ),
        ("server: { https_prot: 1 }", "unknown key. Did you mean server.https_port?"),
        ("srt: { port: 1 }", "unknown key. Did you mean ingestion.srt?"),
        ("colour: red", "unknown key. `mirror config example` lists every key."),
        ("server: [", "it is no YAML: "),
        ("server: { http_port: 1, http_port: 2 }", "http_port is written twice"),
        ("metrics.port: 1\nmetrics: { port: 2 }", "it is given twice."),
        ("- a", "it is no mapping of keys."),
        ("? [a]\n: b", "a key is not plain text"),
    ])
    func eachMistakeIsNamedWithItsCure(text: String, expected: String) throws {
        let problems = try ConfigurationFile.problems(in: text)
        #expect(problems.count == 1)
        #expect(problems.first?.contains(expected) ?? false, "\(problems)")
        #expect(problems.first?.hasPrefix("file") ?? false)
    }

    @Test func allMistakesAreToldAtOnceWithFileLineAndKey() throws {
        let problems = try ConfigurationFile.problems(
            in: """
                server:
                  https_port: x
                  colour: red
                streams:
                  - match: a
                  - match: "!"
                """
        )
        #expect(
            problems == [
                "file:3: server.colour: unknown key. `mirror config example` lists every key.",
                "file:2: server.https_port: \"x\" is no whole number. Give a port, 0 to 65535.",
                "file:6: streams[1].match: \"!\" can match no stream name."
                    + " Give a stream name, or a pattern of names with ? and *.",
            ]
        )
    }

    @Test func environmentAndFlagsAreNamedToo() throws {
        let source = ConfigurationSource(
            environment: [
                "MIRROR_SERVER_HTTPS_PORT": "x", "MIRROR_SERVER_HTTP_PROT": "1",
                "MIRROR_TRANSCODING_POLICY": "cpu", "MIRROR_STREAMS": "[{",
            ],
            flags: [
                ConfigurationFlag(path: "metrics.port", text: "y", spelling: "--set"),
                ConfigurationFlag(path: "metric.port", text: "1", spelling: "--set"),
            ]
        )
        let error = #expect(throws: ConfigurationError.self) { try source.load() }
        let lines = try #require(error).description.split(separator: "\n")
        #expect(lines.count == 6)
        #expect(lines.first == "flag --set: metric.port: unknown key. Did you mean metrics.port?")
        #expect(
            lines.contains(
                "environment MIRROR_SERVER_HTTP_PROT: unknown variable."
                    + " Did you mean MIRROR_SERVER_HTTP_PORT?"
            )
        )
        #expect(
            lines.contains { $0.hasPrefix("environment MIRROR_TRANSCODING_POLICY: transcodin") }
        )
        #expect(lines.contains { $0.hasPrefix("environment MIRROR_SERVER_HTTPS_PORT: server.ht") })
        #expect(
            lines.contains { $0.hasPrefix("environment MIRROR_STREAMS: streams: it cannot be") }
        )
        #expect(lines.contains { $0.hasPrefix("flag --set: metrics.port: \"y\" is no whole") })
    }

    @Test func fileThatCannotBeReadIsAnError() throws {
        let missing = ConfigurationSource(file: "/nonexistent/mirror.yaml")
        let error = #expect(throws: ConfigurationError.self) { try missing.load() }
        #expect(error?.problems.first?.problem == "it cannot be read: there is no such file")

        let binary = try ConfigurationFile("")
        defer { binary.remove() }
        try Data([0xFF, 0xFE, 0x00]).write(to: URL(filePath: binary.path))
        #expect(throws: ConfigurationError.self) {
            try ConfigurationSource(file: binary.path).load()
        }
    }

    @Test func anyBytesAreAnErrorOrAConfigurationAndNeverACrash() throws {
        var generator = SeededGenerator(state: 2026)
        let alphabet = Array(":-[]{}\"'#&*!|>%@`,?~ \n\tserver_port0123456789")
        let file = try ConfigurationFile("")
        defer { file.remove() }
        for _ in 0..<500 {
            let text = String(
                (0..<80).compactMap { _ in alphabet.randomElement(using: &generator) }
            )
            try file.write(text)
            let source = ConfigurationSource(
                file: file.path,
                environment: ["MIRROR_STREAMS": text]
            )
            // A text that happens to be a configuration is none of this test's business.
            do throws(ConfigurationError) {
                _ = try source.load()
            } catch {
                #expect(!error.problems.isEmpty, "\(text.debugDescription)")
            }
        }
    }
}

/// SplitMix64.
private struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }
}

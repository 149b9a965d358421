import Ingestion
import Media

extension ConfigurationSchema {
    static let rtp: [ConfigurationKey<ServerConfiguration>] = [
        ConfigurationKey(
            "ingestion.rtp.enabled",
            \.rtp.isEnabled,
            .boolean,
            "Whether RTP is listened for."
        ),
        ConfigurationKey(
            "ingestion.rtp.bind_address",
            \.rtp.bindAddress,
            .address,
            "Where the ports are. \"::\" is every address, IPv4 and IPv6."
        ),
        ConfigurationKey(
            "ingestion.rtp.port",
            \.rtp.port,
            .port,
            "UDP port of RTP, which all sessions without a port share. 0 takes a free one."
        ),
        ConfigurationKey(
            "ingestion.rtp.rtcp_port",
            \.rtp.rtcpPort,
            .port,
            "UDP port of its RTCP. 0 is the one after it: 5005 for 5004."
        ),
        ConfigurationKey(
            "ingestion.rtp.fec",
            \.rtp.takesCorrection,
            .boolean,
            "Whether FEC (SMPTE ST 2022-1) is taken, two and four ports above port: 5006 and 5008."
        ),
        ConfigurationKey(
            "ingestion.rtp.extra_ports",
            \.rtp.extraPorts,
            .portRange,
            "Ports that SDPs may have opened, for media and its RTCP. none: all comes to port."
        ),
        ConfigurationKey(
            "ingestion.rtp.buffer_size",
            \.rtp.bufferSizeBytes,
            .byteCount((64 << 10)...(1 << 30)),
            "What the kernel may hold for each port until it is read."
        ),
        ConfigurationKey(
            "ingestion.rtp.max_sessions",
            \.rtp.maxSessions,
            .count(1...10_000, of: "sessions"),
            "Sessions at one time; senders beyond are refused."
        ),
        ConfigurationKey(
            "ingestion.rtp.max_sessions_per_address",
            \.rtp.maxSessionsPerAddress,
            .count(1...10_000, of: "sessions"),
            "Those of one sender's address."
        ),
        ConfigurationKey(
            "ingestion.rtp.max_latency",
            \.rtp.maxLatency,
            .duration(.milliseconds(5)...(.seconds(5))),
            "The longest wait for a packet that is out of order; a network that keeps order costs none."
        ),
        ConfigurationKey(
            "ingestion.rtp.idle_timeout",
            \.rtp.idleTimeout,
            .duration(.milliseconds(500)...(.seconds(60))),
            "A sender that is silent for so long is gone."
        ),
        ConfigurationKey(
            "ingestion.rtp.accept_unannounced",
            \.rtp.acceptsUnannounced,
            .boolean,
            "Whether senders that no session and no SDP tells of get on air, as rtp-SSRC."
        ),
        ConfigurationKey(
            "ingestion.rtp.sessions",
            \.rtp.sessions,
            .list(of: rtpSession, limit: 100, startingWith: .init()) { $0.mismatch },
            "Streams that are known by where they come from or arrive, and what they carry."
        ),
    ]

    package static let rtpSession: [ConfigurationKey<RTPSessionConfiguration>] = [
        ConfigurationKey(
            "stream",
            \.stream,
            ConfigurationFormat<StreamName>.streamName.optional,
            "The name the stream gets here.",
            isRequired: true,
            example: "\"studio\""
        ),
        ConfigurationKey(
            "port",
            \.port,
            ConfigurationFormat<Int>.count(1...65_535, of: "a port").optional,
            "A UDP port of its own. Left out: ingestion.rtp.port.",
            example: "6004"
        ),
        ConfigurationKey(
            "rtcp_port",
            \.rtcpPort,
            ConfigurationFormat<Int>.count(1...65_535, of: "a port").optional,
            "The port of its RTCP. Left out: the one after port.",
            example: "6005"
        ),
        ConfigurationKey(
            "fec",
            \.takesCorrection,
            .boolean,
            "Whether its FEC is taken, two and four ports above its own port.",
            example: "false"
        ),
        ConfigurationKey(
            "source",
            \.source,
            ConfigurationFormat<AddressRange>.addressRange.optional,
            "Where it comes from. Left out: from anywhere.",
            example: "192.0.2.7"
        ),
        ConfigurationKey(
            "ssrc",
            \.ssrc,
            ConfigurationFormat<UInt32>.synchronisationSource.optional,
            "Its SSRC. Left out: any.",
            example: "0x1a2b3c4d"
        ),
        ConfigurationKey(
            "payload",
            \.payload,
            .choice,
            "RTP, or a transport stream in plain UDP datagrams, which needs a port of its own.",
            example: "rtp"
        ),
        ConfigurationKey(
            "group",
            \.group,
            ConfigurationFormat<IPAddress>.ipAddress.optional,
            "The multicast group to join; from source alone where that is one address.",
            example: "239.1.2.3"
        ),
        ConfigurationKey(
            "interface",
            \.interface,
            ConfigurationFormat<String>.text("an interface's name or address").optional,
            "The interface to join it on. Left out: the system's choice.",
            example: "\"eth0\""
        ),
        ConfigurationKey(
            "sdp_file",
            \.sdpFile,
            ConfigurationFormat<String>.text("a path").optional,
            "A file of the SDP that says what it carries; or, as sdp, the text itself.",
            example: "\"studio.sdp\""
        ),
        ConfigurationKey(
            "sdp",
            \.sdp,
            ConfigurationFormat<String?>.sessionDescription,
            "What it carries, in place of sdp_file. Left out, both: it is recognised.",
            example: "\"\""
        ),
    ]
}

extension ConfigurationFormat where Value == UInt32 {
    static let synchronisationSource = ConfigurationFormat(
        shape: "a number up to 4294967295, also as in 0x1a2b3c4d",
        parse: { text throws(ConfigurationMismatch) in
            let isHex = text.hasPrefix("0x") || text.hasPrefix("0X")
            guard let value = UInt32(isHex ? text.dropFirst(2) : text[...], radix: isHex ? 16 : 10)
            else { throw ConfigurationMismatch("is no SSRC") }
            return value
        },
        write: { "\($0)" }
    )
}

extension ConfigurationFormat where Value == ClosedRange<Int>? {
    static let portRange = ConfigurationFormat(
        shape: "two ports, as in 5004-5099, or none",
        parse: { text throws(ConfigurationMismatch) in
            if text == "none" { return nil }
            let ends = text.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
            guard ends.count == 2, let first = ends[0], let last = ends[1],
                1 <= first, first <= last, last <= 65_535
            else { throw ConfigurationMismatch("is no range of ports") }
            return first...last
        },
        write: { $0.map { "\($0.lowerBound)-\($0.upperBound)" } ?? "none" }
    )
}

extension ConfigurationFormat where Value == String? {
    /// Kept as it is written; read here so that a mistake is found before anything runs.
    ///
    /// Empty text sets none.
    static let sessionDescription = ConfigurationFormat(
        shape: "an SDP (RFC 8866)",
        parse: { text throws(ConfigurationMismatch) in
            guard !text.isEmpty else { return nil }
            do throws(SessionDescriptionError) {
                _ = try SessionDescription(parsing: text)
                return text
            } catch {
                throw ConfigurationMismatch("cannot be used: \(error)")
            }
        },
        write: { $0.map(\.quoted) ?? Self.nothing }
    )
}

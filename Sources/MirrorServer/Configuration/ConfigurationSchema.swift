import Ingestion
import Logging
import Media
import Packaging

/// Every key there is, in the order of the example file.
///
/// Parsing, bounds, unknown-key errors, environment names, `mirror config example` and
/// `mirror config print` all come from these tables.
package enum ConfigurationSchema {
    package static let keys: [ConfigurationKey<ServerConfiguration>] =
        server + metrics + srt + rtp + publishing + transcoding + packaging + thumbnails + logging

    /// What the sections are for, in the order of the example file.
    static let sections = [
        "server": "How viewers reach Mirror: HTTPS for everybody, plain HTTP for a proxy or a CDN.",
        "server.http3": "HTTP/3, over QUIC: what HTTPS serves, on UDP, with the same certificate.",
        "metrics": "Prometheus metrics and health checks, over plain HTTP.",
        "ingestion": "How contributions reach Mirror.",
        "ingestion.srt":
            "SRT: publishers call this listener, and Mirror calls the listeners named.",
        "ingestion.rtp":
            "RTP, and transport streams over plain UDP: senders need not ask, so say who may send.",
        "publishing": "What holds for every stream, unless its rule below says otherwise.",
        "publishing.slate":
            "What viewers see, without sound, in place of a stream whose inputs are all gone.",
        "transcoding": "Smaller sizes of each stream, encoded here, that players change between.",
        "packaging": "How streams are cut for Low-Latency HLS.",
        "thumbnails":
            "Small pictures of the streams, decoded from keyframes only when somebody asks.",
        "logging": "What is logged, to standard error.",
    ]

    package static let streamRule: [ConfigurationKey<StreamRule>] = [
        ConfigurationKey(
            "match",
            \.match,
            ConfigurationFormat<StreamPattern>.pattern.optional,
            "The streams it is for: a name, or a pattern of names such as news-*.",
            isRequired: true,
            example: "\"news\""
        ),
        ConfigurationKey(
            "passphrase",
            \.passphrase,
            ConfigurationFormat<Secret>.passphrase.optional,
            "What publishers must encrypt with, in place of ingestion.srt.passphrase.",
            isSecret: true,
            example: "\"correct-horse-battery\""
        ),
        ConfigurationKey(
            "allowed_sources",
            \.allowedSources,
            .addressRanges,
            "Where publishers may come from. Left out: from anywhere.",
            example: "[10.0.0.0/8, \"2001:db8::/32\"]"
        ),
        ConfigurationKey(
            "max_bitrate",
            \.maxBitrateBitsPerSecond,
            .bitRateLimit,
            "What they may send, within ingestion.srt.max_bandwidth. 0 sets no limit of its own.",
            example: "20M"
        ),
        ConfigurationKey(
            "on_second_publisher",
            \.onSecondPublisher,
            ConfigurationFormat<SecondPublisherPolicy>.choice.optional,
            "In place of publishing.on_second_publisher.",
            example: "takeover"
        ),
        ConfigurationKey(
            "grace",
            \.grace,
            ConfigurationFormat<Duration>.duration(grace).optional,
            "In place of publishing.grace.",
            example: "1m"
        ),
        ConfigurationKey(
            "slate",
            \.slate,
            ConfigurationFormat<String>.text("a path, or none").optional,
            "In place of publishing.slate.file; none is no slate.",
            example: "\"news.png\""
        ),
        ConfigurationKey(
            "transcode",
            \.transcoding,
            ConfigurationFormat<TranscodingChoice>.transcodingChoice.optional,
            "In place of transcoding.enabled; or the name of one of transcoding.ladders.",
            example: "true"
        ),
        ConfigurationKey(
            "inputs",
            \.inputs,
            ConfigurationFormat<StreamInputs>.section(of: streamInputs, startingWith: .init()) {
                $0.mismatch
            }.optional,
            "Names to publish to in place of the stream's own, the most wanted first: one is on air,"
                + " or all are merged (hitless).",
            example: "{names: [news-main, news-backup], silence: 500ms, return_after: 10s}"
        ),
    ]

    package static let streamInputs: [ConfigurationKey<StreamInputs>] = [
        ConfigurationKey(
            "names",
            \.names,
            .values(2...StreamInputs.limit, of: "stream names", .streamName),
            "What publishers publish to, over any transport; the first is preferred.",
            isRequired: true
        ),
        ConfigurationKey(
            "mode",
            \.mode,
            .choice,
            "failover: one is on air, and the others stand by. hitless: all bring the same transport"
                + " stream or the same RTP packets, and are merged. Fixed while the stream runs."
        ),
        ConfigurationKey(
            "silence",
            \.silence,
            .duration(.milliseconds(100)...(.seconds(60))),
            "The one on air is left when nothing came of it for so long."
        ),
        ConfigurationKey(
            "return_after",
            \.returnAfter,
            .duration(.zero ... .seconds(3_600)),
            "The first is taken back when it has been steady for so long."
        ),
        ConfigurationKey(
            "max_skew",
            \.maxSkew,
            .duration(.milliseconds(20)...(.seconds(2))),
            "hitless: how much later one input may bring what another has brought."
        ),
    ]

    package static let srtCaller: [ConfigurationKey<SRTCallerConfiguration>] = [
        ConfigurationKey(
            "url",
            \.url,
            ConfigurationFormat<SRTURL>.srtURL.optional,
            "The listener to call; streamid, passphrase and latency (in ms) where it needs them.",
            isSecret: true,
            isRequired: true,
            example: "\"srt://192.0.2.7:9000?streamid=studio&passphrase=correct-horse\""
        ),
        ConfigurationKey(
            "stream",
            \.stream,
            ConfigurationFormat<StreamName>.streamName.optional,
            "The name the stream gets here.",
            isRequired: true,
            example: "\"studio\""
        ),
        ConfigurationKey(
            "reconnect_min",
            \.reconnectMin,
            .duration(.milliseconds(100)...(.seconds(60))),
            "The wait before the first new call; it doubles with each.",
            example: "1s"
        ),
        ConfigurationKey(
            "reconnect_max",
            \.reconnectMax,
            .duration(.milliseconds(100)...(.seconds(3_600))),
            "The longest wait between calls.",
            example: "30s"
        ),
    ]

    private static let grace: ClosedRange<Duration> = .zero ... .seconds(86_400)

    private static let server: [ConfigurationKey<ServerConfiguration>] = [
        ConfigurationKey(
            "server.bind_address",
            \.server.bindAddress,
            .address,
            "Where HTTPS, HTTP/3 and HTTP listen. \"::\" is every address, IPv4 and IPv6."
        ),
        ConfigurationKey(
            "server.https_port",
            \.server.httpsPort,
            .port,
            "TCP port of HTTPS, for HTTP/1.1 and HTTP/2. 0 takes a free one, and the log says which."
        ),
        ConfigurationKey(
            "server.http3_port",
            \.server.http3Port,
            .port,
            "UDP port of HTTP/3, the same as https_port as a rule. 0 takes a free one."
        ),
        ConfigurationKey(
            "server.http_port",
            \.server.httpPort,
            .port,
            "TCP port of plain HTTP/1.1, for a proxy or a CDN on a private network. 0 is off."
        ),
        ConfigurationKey(
            "server.tls_cert_file",
            \.server.tlsCertificateFile,
            .text("a path"),
            "Certificate chain, PEM; a new one in the file is taken up at once. `mirror certs` makes one."
        ),
        ConfigurationKey(
            "server.tls_key_file",
            \.server.tlsKeyFile,
            .text("a path"),
            "Private key of the certificate, PEM."
        ),
        ConfigurationKey(
            "server.min_tls_version",
            \.server.minimumTLSVersion,
            .choice,
            "The oldest TLS that is spoken."
        ),
        ConfigurationKey(
            "server.max_connections",
            \.server.maxConnections,
            .count(1...1_000_000, of: "connections"),
            "Viewers' connections at one time; those beyond are closed."
        ),
        ConfigurationKey(
            "server.web_assets",
            \.server.webAssets,
            .text("a path"),
            "Folder of the player's script, which the set-up fetches."
        ),
        ConfigurationKey(
            "server.http3.enabled",
            \.server.http3.isEnabled,
            .boolean,
            "Whether it is served, and told of to browsers (Alt-Svc)."
        ),
        ConfigurationKey(
            "server.http3.congestion_control",
            \.server.http3.congestionControl,
            .choice,
            "How the sending rate follows the network. bbr and bbr2 hold it up where packets get lost."
        ),
    ]

    private static let metrics: [ConfigurationKey<ServerConfiguration>] = [
        ConfigurationKey(
            "metrics.bind_address",
            \.metrics.bindAddress,
            .address,
            "Where /metrics and /health/* listen."
        ),
        ConfigurationKey(
            "metrics.port",
            \.metrics.port,
            .port,
            "TCP port of /metrics and /health/*. 0 takes a free one, and the log says which."
        ),
    ]

    private static let srt: [ConfigurationKey<ServerConfiguration>] = [
        ConfigurationKey(
            "ingestion.srt.enabled",
            \.srt.isEnabled,
            .boolean,
            "Whether the listener runs. Callers run in any case."
        ),
        ConfigurationKey(
            "ingestion.srt.bind_address",
            \.srt.bindAddress,
            .address,
            "Where the listener is. \"::\" is every address, IPv4 and IPv6."
        ),
        ConfigurationKey(
            "ingestion.srt.port",
            \.srt.port,
            .port,
            "UDP port of the listener. 0 takes a free one, and the log says which."
        ),
        ConfigurationKey(
            "ingestion.srt.latency",
            \.srt.latency,
            .duration(.milliseconds(20)...(.seconds(8))),
            "Time for lost packets to be sent again; the peer's is used where it is longer."
        ),
        ConfigurationKey(
            "ingestion.srt.max_bandwidth",
            \.srt.maxBandwidthBitsPerSecond,
            .bitRateLimit,
            "What a publisher may send; one that stays above it is cut off."
        ),
        ConfigurationKey(
            "ingestion.srt.passphrase",
            \.srt.passphrase,
            .optionalPassphrase,
            "What publishers must encrypt with. Empty: they come in clear.",
            change: .reload,
            isSecret: true
        ),
        ConfigurationKey(
            "ingestion.srt.receivers",
            \.srt.receivers,
            .count(1...64, of: "sockets"),
            "Sockets that share the port, each with threads; one carries 25 streams of 50 Mbit/s."
        ),
        ConfigurationKey(
            "ingestion.srt.max_connections",
            \.srt.maxConnections,
            .count(1...10_000, of: "connections"),
            "Publishers' connections at one time; those beyond are refused."
        ),
        ConfigurationKey(
            "ingestion.srt.peer_idle_timeout",
            \.srt.peerIdleTimeout,
            .duration(.seconds(1)...(.seconds(60))),
            "A publisher that is silent for so long is gone."
        ),
        ConfigurationKey(
            "ingestion.srt.callers",
            \.srt.callers,
            .list(of: srtCaller, limit: 100, startingWith: .init()) { caller in
                caller.reconnectMin <= caller.reconnectMax
                    ? nil : ConfigurationMismatch("reconnect_min is above reconnect_max")
            },
            "Streams that Mirror fetches from SRT listeners elsewhere.",
            isSecret: true
        ),
    ]

    private static let publishing: [ConfigurationKey<ServerConfiguration>] = [
        ConfigurationKey(
            "publishing.max_streams",
            \.publishing.maxStreams,
            .count(1...10_000, of: "streams"),
            "Streams on air at one time; publishers beyond are refused.",
            change: .reload
        ),
        ConfigurationKey(
            "publishing.on_second_publisher",
            \.publishing.onSecondPublisher,
            .choice,
            "What becomes of a publisher whose stream name is on air: it is refused, or takes over.",
            change: .reload
        ),
        ConfigurationKey(
            "publishing.grace",
            \.publishing.grace,
            .duration(grace),
            "How long a stream waits for its publisher to return before its playlists end.",
            change: .reload
        ),
        ConfigurationKey(
            "publishing.slate.file",
            \.publishing.slate.file,
            .optionalPath,
            "PNG, JPEG, or clip as MPEG transport stream, up to 64 MiB. Empty: no slate.",
            change: .reload
        ),
        ConfigurationKey(
            "publishing.slate.after",
            \.publishing.slate.after,
            .duration(.milliseconds(200)...(.seconds(10))),
            "It goes on air when nothing came of a stream's inputs for so long.",
            change: .reload
        ),
        ConfigurationKey(
            "publishing.slate.limit",
            \.publishing.slate.limit,
            .duration(.seconds(1)...(.seconds(604_800))),
            "It goes off air after so long; then publishing.grace begins.",
            change: .reload
        ),
        ConfigurationKey(
            "streams",
            \.streams,
            .list(of: streamRule, limit: 1_000, startingWith: .init()),
            "Rules for streams by name. The first that matches counts; where none does,"
                + " everybody may publish.",
            change: .reload,
            isSecret: true
        ),
    ]

    private static let packaging: [ConfigurationKey<ServerConfiguration>] = [
        ConfigurationKey(
            "packaging.part_target",
            \.packaging.partTarget,
            .duration(.milliseconds(100)...(.seconds(2))),
            "Length of a part: a whole number of frames near it. 200ms is for the least delay."
        ),
        ConfigurationKey(
            "packaging.segment_target",
            \.packaging.segmentTarget,
            .duration(.seconds(1)...(.seconds(10))),
            "A segment ends at the first keyframe after it."
        ),
        ConfigurationKey(
            "packaging.window",
            \.packaging.window,
            .window,
            "What stays in the playlists: at least 6 segments."
        ),
        ConfigurationKey(
            "packaging.hold_back_parts",
            \.packaging.holdBackParts,
            .count(2...20, of: "parts"),
            "How far from the newest part players stay."
        ),
        ConfigurationKey(
            "packaging.memory_limit",
            \.packaging.memoryLimitBytes,
            .byteCount((16 << 20)...(64 << 30)),
            "Media held for one stream; above it the oldest segments leave before the window ends."
        ),
    ]

    private static let thumbnails: [ConfigurationKey<ServerConfiguration>] = [
        ConfigurationKey(
            "thumbnails.enabled",
            \.thumbnails.isEnabled,
            .boolean,
            "Whether they are made: /api/v1/streams/NAME/thumbnail.jpg.",
            change: .reload
        ),
        ConfigurationKey(
            "thumbnails.interval",
            \.thumbnails.interval,
            .duration(.seconds(1)...(.seconds(600))),
            "A stream's is made anew no sooner than this, however many ask.",
            change: .reload
        ),
        ConfigurationKey(
            "thumbnails.width",
            \.thumbnails.width,
            .count(64...1_280, of: "pixels"),
            "How wide they are; no wider than their source.",
            change: .reload
        ),
    ]

    private static let logging: [ConfigurationKey<ServerConfiguration>] = [
        ConfigurationKey(
            "logging.level",
            \.logging.level,
            .choice,
            "The least that is logged.",
            change: .reload
        ),
        ConfigurationKey(
            "logging.format",
            \.logging.format,
            .choice,
            "Lines for people, or JSON for machines."
        ),
    ]
}

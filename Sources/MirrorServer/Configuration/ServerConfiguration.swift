package import Distribution
package import Logging
package import Packaging
package import Processing

/// Everything an operator can set, as typed values.
///
/// The property initialisers are the defaults; `ConfigurationSchema` names, explains and bounds each.
package struct ServerConfiguration: Sendable, Equatable {
    package var server = Server()
    package var metrics = Metrics()
    package var srt = SRT()
    package var rtp = RTP()
    package var publishing = Publishing()
    package var streams: [StreamRule] = []
    package var transcoding = TranscodingConfiguration()
    package var packaging = PackagingConfiguration()
    package var thumbnails = Thumbnails()
    package var logging = LogOutput()

    package init() {}

    /// How viewers reach Mirror.
    package struct Server: Sendable, Equatable {
        package var bindAddress = "::"
        package var httpsPort = 8443
        package var http3Port = 8443
        /// 0: no plain HTTP.
        package var httpPort = 0
        package var tlsCertificateFile = "./certs/cert.pem"
        package var tlsKeyFile = "./certs/key.pem"
        package var minimumTLSVersion = TLSVersion.tls13
        package var maxConnections = 10_000
        package var webAssets = "./.cache/web"
        package var http3 = HTTP3()

        package init() {}
    }

    package struct HTTP3: Sendable, Equatable {
        package var isEnabled = true
        package var congestionControl = CongestionControl.default

        package init() {}
    }

    package enum TLSVersion: String, Sendable, CaseIterable {
        case tls12 = "1.2"
        case tls13 = "1.3"
    }

    /// Where metrics and health are read, over plain HTTP.
    package struct Metrics: Sendable, Equatable {
        package var bindAddress = "127.0.0.1"
        package var port = 9090

        package init() {}
    }

    /// SRT, as a listener and as a caller.
    package struct SRT: Sendable, Equatable {
        package var isEnabled = true
        package var bindAddress = "::"
        package var port = 30_000
        package var latency = Duration.milliseconds(120)
        /// What any publisher may send; `nil` sets no limit.
        package var maxBandwidthBitsPerSecond: Int? = 60_000_000
        package var passphrase: Secret?
        package var receivers = 1
        package var maxConnections = 100
        package var peerIdleTimeout = Duration.seconds(5)
        package var callers: [SRTCallerConfiguration] = []

        package init() {}
    }

    /// RTP, and transport streams over plain UDP.
    package struct RTP: Sendable, Equatable {
        package var isEnabled = true
        package var bindAddress = "::"
        package var port = 5_004
        /// 0: the port after `port`.
        package var rtcpPort = 0
        /// Whether FEC is taken, two and four ports above `port`.
        package var takesCorrection = false
        /// Ports that SDPs may have opened; `nil`: none, and all that they describe comes to `port`.
        package var extraPorts: ClosedRange<Int>? = 5_004...5_099
        /// What the kernel is asked to hold for each port.
        package var bufferSizeBytes = 8 << 20
        package var maxSessions = 100
        package var maxSessionsPerAddress = 32
        /// The longest wait for a packet that is late.
        package var maxLatency = Duration.milliseconds(200)
        package var idleTimeout = Duration.seconds(5)
        /// Whether senders that no session and no SDP tells of may publish.
        package var acceptsUnannounced = true
        package var sessions: [RTPSessionConfiguration] = []

        package init() {}
    }

    /// What holds for every stream, unless its rule says otherwise.
    package struct Publishing: Sendable, Equatable {
        package var maxStreams = 100
        package var onSecondPublisher = SecondPublisherPolicy.refuse
        package var grace = Duration.seconds(30)
        package var slate = Slate()

        package init() {}
    }

    /// What goes on in place of a stream whose inputs are all gone.
    package struct Slate: Sendable, Equatable {
        /// `nil`: nothing does.
        package var file: String?
        package var after = Duration.seconds(1)
        package var limit = Duration.seconds(3_600)

        package init() {}

        package var showing: SlateSwitch.Terms { .init(after: after, limit: limit) }
    }

    /// Small pictures of the streams, made when they are asked for.
    package struct Thumbnails: Sendable, Equatable {
        package var isEnabled = true
        package var interval = Duration.seconds(5)
        package var width = 320

        package init() {}
    }

    package struct LogOutput: Sendable, Equatable {
        package var level = Logger.Level.info
        package var format = LogFormat.text

        package init() {}
    }

    package enum LogFormat: String, Sendable, CaseIterable {
        case text, json
    }
}

/// What becomes of a publisher whose stream name is on air already.
package enum SecondPublisherPolicy: String, Sendable, CaseIterable {
    /// The newcomer is turned away.
    case refuse
    /// The newcomer gets the name, and the one on air is disconnected.
    case takeover
}

import Ingestion
import Logging
import Media
import ServiceLifecycle

/// Every way a contribution comes in: the SRT listener, and the callers that fetch from elsewhere.
struct Contributions: Sendable {
    private let listener: SRTListener?
    private let callers: [SRTCaller]

    init(_ configuration: ServerConfiguration, admission: any StreamAdmission, logger: Logger) {
        let srt = configuration.srt
        listener =
            srt.isEnabled
            ? SRTListener(
                configuration: SRTListener.Configuration(srt),
                admission: admission,
                logger: logger
            ) : nil
        callers = srt.callers.compactMap { caller in
            SRTCaller.Configuration(caller, of: srt).map {
                SRTCaller(configuration: $0, admission: admission, logger: logger)
            }
        }
    }

    var services: [any Service] { [listener].compactMap(\.self) + callers }

    /// Binds what listens.
    ///
    /// - Returns: The ports, by service.
    func start() throws -> [(String, Int)] {
        try [listener].compactMap(\.self).map { ("srt", try $0.start()) }
    }

    var refusals: [PublishRefusal: UInt64] { listener?.statistics.refusals ?? [:] }
}

extension SRTListener.Configuration {
    init(_ srt: ServerConfiguration.SRT) {
        self.init()
        bindAddress = BindAddress.usable(srt.bindAddress)
        port = srt.port
        latency = srt.latency
        maxBandwidthBitsPerSecond = srt.maxBandwidthBitsPerSecond
        receivers = srt.receivers
        maxConnections = srt.maxConnections
        peerIdleTimeout = srt.peerIdleTimeout
    }
}

extension SRTCaller.Configuration {
    /// - Returns: `nil` for an entry without an address or a name; the configuration refuses those.
    init?(_ caller: SRTCallerConfiguration, of srt: ServerConfiguration.SRT) {
        guard let url = caller.url, let stream = caller.stream else { return nil }
        self.init(url: url, stream: stream)
        latency = srt.latency
        maxBandwidthBitsPerSecond = srt.maxBandwidthBitsPerSecond
        peerIdleTimeout = srt.peerIdleTimeout
        reconnectMinimum = caller.reconnectMin
        reconnectMaximum = caller.reconnectMax
    }
}

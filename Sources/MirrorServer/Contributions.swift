import Distribution
import Ingestion
import Logging
import Management
import Media
import ServiceLifecycle

/// Every way a contribution comes in: the listeners for SRT and RTP, and the callers that fetch from
/// elsewhere.
struct Contributions: Sendable {
    private let srt: SRTListener?
    private let rtp: RTPListener?
    private let callers: [SRTCaller]

    /// - Throws: What cannot be read of an SDP that the configuration names.
    init(
        _ configuration: ServerConfiguration,
        admission: any StreamAdmission,
        logger: Logger
    ) throws(SessionDescriptionFileError) {
        srt =
            configuration.srt.isEnabled
            ? SRTListener(
                configuration: SRTListener.Configuration(configuration.srt),
                admission: admission,
                logger: logger
            ) : nil
        rtp =
            configuration.rtp.isEnabled
            ? RTPListener(
                configuration: try RTPListener.Configuration(configuration.rtp),
                admission: admission,
                logger: logger
            ) : nil
        callers = configuration.srt.callers.compactMap { caller in
            SRTCaller.Configuration(caller, of: configuration.srt).map {
                SRTCaller(configuration: $0, admission: admission, logger: logger)
            }
        }
    }

    var services: [any Service] {
        let listeners: [(any Service)?] = [srt, rtp]
        return listeners.compactMap(\.self) + callers
    }

    /// Binds what listens, and tells of each port by its service's name.
    func start(opened: (_ service: String, _ port: Int) -> Void) async throws {
        if let srt { opened("srt", try srt.start()) }
        if let rtp {
            for port in try await rtp.start() { opened(port.service, port.port) }
        }
    }

    var refusals: [PublishRefusal: UInt64] {
        (srt?.statistics.refusals ?? [:])
            .merging(rtp?.statistics.refusals ?? [:]) { $0 &+ $1 }
    }

    /// `nil` where RTP is not listened for.
    var rtpStatistics: RTPListenerStatistics? { rtp?.statistics }

    /// Senders that are looked at and not on air.
    var detections: [RTPDetection] { rtp?.statistics.detections ?? [] }

    /// What operators say of streams over RTP.
    var descriptions: SessionDescriptions {
        guard let rtp else { return .none }
        return SessionDescriptions(
            get: { SessionDescriptionSnapshot(of: $0, in: rtp) },
            put: { stream, text in
                do {
                    let description = try SessionDescription(parsing: text)
                    try await rtp.announce(.init(text: text, description: description), for: stream)
                    return SessionDescriptionSnapshot(
                        stream: stream,
                        origin: .memory,
                        text: text,
                        description: description
                    )
                } catch let error as SessionDescriptionError {
                    throw ProblemDetails(error)
                } catch let error as RTPListenerError {
                    throw ProblemDetails(error)
                }
            },
            delete: { stream in
                guard rtp.announcement(of: stream) != nil else { return false }
                do throws(RTPListenerError) {
                    try await rtp.announce(nil, for: stream)
                } catch {
                    throw ProblemDetails(error)
                }
                return true
            }
        )
    }
}

extension SessionDescriptionSnapshot {
    fileprivate init?(of stream: StreamName, in listener: RTPListener) {
        if let announced = listener.announcement(of: stream) {
            self.init(
                stream: stream,
                origin: .memory,
                text: announced.text,
                description: announced.description
            )
        } else if let declared = listener.declaration(of: stream),
            let description = declared.description
        {
            self.init(
                stream: stream,
                origin: .configuration,
                text: declared.descriptionText,
                description: description
            )
        } else {
            return nil
        }
    }
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

extension RTPListener.Configuration {
    /// - Throws: What cannot be read of an SDP that the configuration names.
    init(_ rtp: ServerConfiguration.RTP) throws(SessionDescriptionFileError) {
        self.init()
        bindAddress = BindAddress.usable(rtp.bindAddress)
        port = rtp.port
        rtcpPort = rtp.rtcpPort
        takesCorrection = rtp.takesCorrection
        describedPorts = rtp.extraPorts
        receiveBufferBytes = rtp.bufferSizeBytes
        maxSessions = rtp.maxSessions
        maxSessionsPerAddress = rtp.maxSessionsPerAddress
        maxLatency = rtp.maxLatency
        idleTimeout = rtp.idleTimeout
        acceptsUnannounced = rtp.acceptsUnannounced
        for session in rtp.sessions {
            let text = try session.sdpFile.map(SessionDescriptionFile.read) ?? session.sdp
            guard var declaration = session.declaration(sdp: text) else { continue }
            if declaration.port == rtp.port { declaration.port = nil }
            declarations.append(declaration)
        }
    }
}

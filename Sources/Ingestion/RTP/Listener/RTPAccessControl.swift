import Logging
import Media

/// Decides who of the senders may publish, for all ports.
///
/// A sender does not ask, so it is told nothing: the operator is, by the log and the counters.
///
/// Threads: called by the event loops of all ports; answers from memory.
final class RTPAccessControl: Sendable {
    let counters = RTPListenerCounters()
    private let admission: any StreamAdmission
    private let maxSessions: Int
    private let refusals = RefusalLog()
    private let logger: Logger

    init(admission: any StreamAdmission, maxSessions: Int, logger: Logger) {
        self.admission = admission
        self.maxSessions = maxSessions
        self.logger = logger
    }

    func request(_ name: StreamName, _ peer: RTPPeer, isPlain: Bool) -> PublishRequest {
        PublishRequest(
            name: name,
            sourceAddress: "\(peer.address)",
            sourcePort: Int(peer.port),
            transport: isPlain ? .udp : .rtp
        )
    }

    /// Claims the name for a source that has shown what it carries.
    func publish(
        _ request: PublishRequest,
        _ opening: RTPSourceTable.Opening,
        maximumLatency: Duration
    ) throws(PublishRefusal) -> RTPConnection {
        guard counters.sessions < maxSessions else { throw .full }
        let terms = try admission.admit(request)
        // RTP is in clear: only an operator's word lets it in where others must encrypt.
        guard terms.passphrase == nil || opening.declaration != nil else {
            throw .passphraseRequired
        }
        let revocation = StopFlag()
        let publication = try admission.publish(request) { revocation.raise() }
        counters.opened()
        logger.info(
            "RTP publisher connected",
            metadata: [
                "stream": "\(request.name)",
                "peer": "\(opening.source.peer)",
                "ssrc": "\(opening.source.ssrc)",
                "payload": "\(opening.content.words)",
                "declared": "\(opening.declaration != nil)",
            ]
        )
        return RTPConnection(
            content: opening.content,
            publication: publication,
            declaration: opening.declaration,
            revocation: revocation,
            limitBitsPerSecond: terms.maxBitrateBitsPerSecond,
            maximumLatency: maximumLatency
        )
    }

    func ended(_ connection: RTPConnection, _ ending: RTPConnection.Ending) {
        counters.closed()
        let request = connection.publication.request
        if ending == .bitrateExceeded { refuse(.bitrateExceeded, request) }
        logger.info(
            "RTP publisher disconnected",
            metadata: [
                "stream": "\(request.name)",
                "reason": "\(ending.rawValue)",
                "received_bytes": "\(connection.receivedBytes)",
            ]
        )
    }

    /// Counts a refusal and logs it.
    func refuse(_ refusal: PublishRefusal, _ request: PublishRequest) {
        counters.refused(refusal)
        let line = refusals.line(
            refusal,
            stream: request.name.description,
            host: request.sourceAddress,
            port: request.sourcePort,
            cure: refusal.rtpCure
        )
        if let line { logger.warning("RTP publisher refused", metadata: line) }
    }
}

extension RTPSourceTable.Content {
    /// For the log: the encodings that may come.
    fileprivate var words: String {
        switch self {
        case .media(let media):
            media.flatMap { $0.payloads.values.map(\.name) }.sorted().joined(separator: ", ")
        case .plainTransportStream: "mpegts without RTP"
        }
    }
}

extension RTPPayloadFormat {
    /// `h264`, `aac`: as the API and the log have it.
    package var name: String {
        switch kind {
        case .video(let codec): codec.rawValue
        case .audio(let codec): codec.rawValue
        case .transportStream: "mpegts"
        }
    }
}

extension PublishRefusal {
    /// What an operator can do about a sender of RTP.
    fileprivate var rtpCure: String {
        switch self {
        case .passphraseRequired:
            "RTP is in clear: declare this stream in ingestion.rtp.sessions or by an SDP, or send SRT"
        default: cure
        }
    }
}

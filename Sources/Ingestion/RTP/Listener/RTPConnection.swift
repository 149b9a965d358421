import Media
import NIOCore

/// One contribution over RTP: what makes media of its packets, and its claim on the stream.
///
/// Threads: all of it belongs to the event loop of its port.
final class RTPConnection {
    /// Why a contribution is over.
    enum Ending: String {
        /// Every source said goodbye.
        case goodbye = "goodbye"
        /// No packet came for the idle timeout.
        case idle = "idle"
        /// The stream was taken away: takeover, or an operator's command.
        case revoked = "revoked"
        case bitrateExceeded = "bitrate_exceeded"
        /// Another SDP or another session holds for these packets now.
        case redeclared = "redeclared"
        case shutdown = "shutdown"

        var endReason: EndReason {
            switch self {
            case .goodbye, .redeclared: .disconnected
            case .idle: .idle
            case .revoked, .bitrateExceeded: .refused
            case .shutdown: .shutdown
            }
        }
    }

    /// Says what sent a report, and nothing of the machine it runs on.
    private static let cname = "mirror"

    private static let reportPeerLimit = 4

    let publication: Publication
    let declaration: RTPDeclaration?
    private(set) var receivedBytes: UInt64 = 0
    /// Where its RTCP comes from, and on which socket: where ours goes.
    ///
    /// Picture and sound may have one each; the newest `reportPeerLimit`.
    private(set) var reportPeers: [(address: NIOCore.SocketAddress, channel: any Channel)] = []
    /// Something came in this burst of reads.
    var isTouched = false
    /// Its media come to several ports.
    private let isToldByPort: Bool
    private let revocation: StopFlag
    // One of the three: datagrams without a header are a transport stream and nothing else, and the
    // packets of a leg are put in order with those of the others.
    private var session: RTPSession?
    private var plain: IngestSession?
    private var merged: RTPLegMerge.Description?
    private let outbox = Outbox()
    private let emit: (MediaEvent) -> Void
    private var rate: ReceiveRate
    private var burstBytes = 0

    init(
        content: RTPSourceTable.Content,
        publication: Publication,
        declaration: RTPDeclaration?,
        revocation: StopFlag,
        limitBitsPerSecond: Int?,
        maximumLatency: Duration
    ) {
        self.publication = publication
        self.declaration = declaration
        isToldByPort = !(declaration?.describedPorts.isEmpty ?? true)
        self.revocation = revocation
        emit = { [outbox] in outbox.events.append($0) }
        rate = ReceiveRate(limitBitsPerSecond: limitBitsPerSecond, now: .now)
        switch content {
        case .media(let media):
            var configuration = RTPSession.Configuration(
                ssrc: .random(in: .min ... .max),
                cname: Self.cname,
                isSynchronised: declaration?.description?.isSynchronised ?? false
            )
            configuration.reordering.maximumLatency = maximumLatency
            configuration.reordering.minimumLatency = min(
                configuration.reordering.minimumLatency,
                maximumLatency
            )
            guard publication.leg == nil || media.areOfTransportStream else {
                merged = RTPLegMerge.Description(configuration: configuration, media: media)
                return
            }
            let sink: RTPSession.TransportStreamSink = { bytes, arrival, isAfterLoss in
                publication.send(bytes, arrival: arrival, isAfterLoss: isAfterLoss)
            }
            session = RTPSession(
                configuration: configuration,
                media: media,
                transportStreamSink: publication.leg == nil ? nil : sink
            )
        case .plainTransportStream:
            plain = IngestSession()
        }
    }

    /// Takes a packet; `port` is one of the session description's, where it did not come to the one
    /// that all share.
    func receive(
        _ packet: RTPPacket,
        _ datagram: ByteBuffer,
        to port: UInt16?,
        arrival: WallTime
    ) {
        burstBytes += packet.payload.count
        let medium =
            isToldByPort
            ? declaration?.medium(ofPacketTo: port, payloadType: packet.payloadType) : nil
        if let merged {
            publication.leg?.receive(
                packet,
                datagram: datagram,
                of: medium,
                as: merged,
                arrival: arrival
            )
        } else {
            session?.receive(packet, datagram: datagram, of: medium, arrival: arrival, emit: emit)
        }
    }

    func noteReportPeer(_ address: NIOCore.SocketAddress, _ channel: any Channel) {
        guard reportPeers.last?.address != address else { return }
        reportPeers.removeAll { $0.address == address }
        if reportPeers.count >= Self.reportPeerLimit { reportPeers.removeFirst() }
        reportPeers.append((address, channel))
    }

    func receive(plain datagram: ByteBuffer, arrival: WallTime) {
        burstBytes += datagram.readableBytes
        datagram.withUnsafeReadableBytes { bytes in
            if publication.leg == nil {
                plain?.receive(bytes, arrival: arrival, emit: emit)
            } else {
                publication.send(bytes, arrival: arrival, isAfterLoss: false)
            }
        }
    }

    func receive(_ report: RTCPPacket, arrival: WallTime) {
        if merged != nil { publication.leg?.receive(report, arrival: arrival) }
        session?.receive(report, arrival: arrival, emit: emit)
    }

    /// Takes a packet of forward error correction, which is no media: it counts for no rate.
    func correct(_ datagram: ByteBuffer, ssrc: UInt32, arrival: WallTime) {
        if merged != nil { publication.leg?.correct(datagram, ssrc: ssrc, arrival: arrival) }
        session?.correct(datagram, ssrc: ssrc, arrival: arrival, emit: emit)
    }

    /// Hands on what came of a burst of reads, together, so that consumers are woken once.
    func flush(at arrival: WallTime) {
        isTouched = false
        if burstBytes > 0 {
            receivedBytes &+= UInt64(burstBytes)
            publication.noteReceived(bytes: burstBytes, at: arrival)
            burstBytes = 0
        }
        if !outbox.events.isEmpty { publication.send(outbox.take()) }
    }

    /// Gives up on packets that are overdue.
    func advance(to now: WallTime) {
        if merged != nil { publication.leg?.advance(to: now) }
        if let deadline = session?.deadline, deadline <= now {
            session?.advance(to: now, emit: emit)
        }
        flush(at: now)
    }

    /// RTCP for the sender, when some is due.
    func takeFeedback(now: WallTime) -> ByteBuffer? {
        merged == nil
            ? session?.takeFeedback(now: now) : publication.leg?.takeFeedback(now: now)
    }

    /// Why the contribution must end although its packets come; `nil` while it may go on.
    var verdict: Ending? {
        if revocation.isRaised { return .revoked }
        return rate.isExceeded ? .bitrateExceeded : nil
    }

    /// Measures the rate and brings the publication's figures up to date; called about once a second.
    func updateStatistics(now: WallTime) {
        rate.measure(totalBytes: receivedBytes, now: .now)
        publishStatistics(now: now)
    }

    private func publishStatistics(now: WallTime) {
        let figures =
            merged == nil
            ? session?.statistics(at: now) : publication.leg?.sessionStatistics(at: now)
        publication.update { statistics in
            statistics.bitrateBitsPerSecond = rate.bitsPerSecond
            statistics.rtp = figures
            statistics.leg = publication.leg?.statistics
            let ofLegs = merged == nil ? publication.leg?.transportStream : nil
            let transportStream =
                ofLegs ?? plain?.statistics ?? figures?.transportStream
            if let transportStream { statistics.transportStream = transportStream }
        }
    }

    /// Hands on what is complete, and frees the name.
    func end(_ ending: Ending, now: WallTime) {
        session?.finish(arrival: now, emit: emit)
        plain?.finish(emit: emit)
        flush(at: now)
        publishStatistics(now: now)
        publication.end(ending.endReason)
    }
}

extension [MediaDescription] {
    /// They carry a transport stream, and nothing else.
    fileprivate var areOfTransportStream: Bool {
        allSatisfy { medium in medium.payloads.values.allSatisfy { $0.kind == .transportStream } }
    }
}

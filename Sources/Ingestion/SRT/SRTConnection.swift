import Media

/// One publisher's connection: its socket, its demultiplexer, its claim on the stream.
///
/// Threads: all of it belongs to the thread that receives.
final class SRTConnection {
    /// Why a connection is over.
    enum Ending: String {
        /// The peer closed the connection, or libsrt gave it up.
        case peerGone = "peer_gone"
        /// No media came for the idle timeout.
        case idle = "idle"
        /// The stream was taken away: takeover, or an operator's command.
        case revoked = "revoked"
        case bitrateExceeded = "bitrate_exceeded"
        case shutdown = "shutdown"

        var endReason: EndReason {
            switch self {
            case .peerGone: .disconnected
            case .idle: .idle
            case .revoked, .bitrateExceeded: .refused
            case .shutdown: .shutdown
            }
        }
    }

    /// Messages taken in one turn, about 5 MB: nobody keeps the thread from the others.
    private static let messagesPerTurn = 4096

    /// How long a publisher may take from connecting to its first byte: encoders fill their
    /// look-ahead, and some connect before they open their camera.
    private static let firstByteTimeout: Duration = .seconds(10)

    let socket: SRTSocket
    let publication: Publication
    private(set) var receivedBytes: UInt64 = 0
    private let revocation: StopFlag
    private var session = IngestSession()
    private let outbox = Outbox()
    /// Fills the outbox.
    ///
    /// Made once: made at each call, it is retained and released for every transport packet.
    private let emit: (MediaEvent) -> Void
    private var rate: ReceiveRate
    private let idleTimeout: Duration
    private let kernelBufferBytes: Int?
    private var idleDeadline: ContinuousClock.Instant
    private var largestMessage = 0
    /// Of the message that comes next, if none is lost.
    private var nextNumber: Int32?
    /// Messages are missing in front of what is demultiplexed next.
    private var hasLost = false
    /// Something came since the last verdict.
    private var hasNews = false

    init(
        socket: SRTSocket,
        publication: Publication,
        revocation: StopFlag,
        limitBitsPerSecond: Int?,
        idleTimeout: Duration,
        kernelBufferBytes: Int? = nil
    ) {
        self.socket = socket
        self.publication = publication
        emit = { [outbox] in outbox.events.append($0) }
        self.revocation = revocation
        let now = ContinuousClock.now
        rate = ReceiveRate(limitBitsPerSecond: limitBitsPerSecond, now: now)
        self.idleTimeout = idleTimeout
        self.kernelBufferBytes = kernelBufferBytes
        idleDeadline = now + max(Self.firstByteTimeout, idleTimeout)
    }

    /// Takes everything that is due, and says whether the connection still stands.
    ///
    /// The buffer has room for several messages, which are demultiplexed together; what comes of
    /// all of them is handed on together, so that consumers are woken once.
    func drain(into buffer: UnsafeMutableRawBufferPointer, arrival: WallTime) -> Bool {
        defer { publication.send(outbox.take()) }
        let socket = socket
        var taken = 0
        var filled = 0
        defer { demultiplex(buffer[taken..<filled], arrival: arrival) }
        for _ in 0..<Self.messagesPerTurn {
            if buffer.count - filled < SRTSocket.messageSizeLimit {
                demultiplex(buffer[taken..<filled], arrival: arrival)
                (taken, filled) = (0, 0)
            }
            let room = UnsafeMutableRawBufferPointer(rebasing: buffer[filled...])
            switch socket.receive(into: room) {
            case .bytes(let count, let number):
                if isAfterLoss(number) {
                    demultiplex(buffer[taken..<filled], arrival: arrival)
                    taken = filled
                    hasLost = true
                }
                filled += count
                largestMessage = max(largestMessage, count)
                // An encoder that sent all it had sends a message that is not full.
                guard count < largestMessage, !socket.hasMessage else { continue }
                return true
            case .nothing:
                return true
            case .broken:
                return false
            }
        }
        return true
    }

    /// Whether messages are missing between the last one and this.
    private func isAfterLoss(_ number: Int32) -> Bool {
        defer { nextNumber = (number &+ 1) & .max }
        return nextNumber.map { $0 != number } ?? false
    }

    private func demultiplex(_ bytes: Slice<UnsafeMutableRawBufferPointer>, arrival: WallTime) {
        guard !bytes.isEmpty else { return }
        receivedBytes &+= UInt64(bytes.count)
        hasNews = true
        publication.noteReceived(bytes: bytes.count, at: arrival)
        let bytes = UnsafeRawBufferPointer(rebasing: bytes)
        if publication.leg == nil {
            session.receive(bytes, arrival: arrival, emit: emit)
        } else {
            publication.send(bytes, arrival: arrival, isAfterLoss: hasLost)
        }
        hasLost = false
    }

    /// Why the connection must end although its socket stands; `nil` while it may go on.
    ///
    /// A publisher that died without a word is found here, by its silence: libsrt itself needs five
    /// seconds for it, whatever its `SRTO_PEERIDLETIMEO` says.
    func verdict(now: ContinuousClock.Instant) -> Ending? {
        if revocation.isRaised { return .revoked }
        if rate.isExceeded { return .bitrateExceeded }
        if hasNews {
            hasNews = false
            idleDeadline = now + idleTimeout
        }
        return now >= idleDeadline ? .idle : nil
    }

    /// Measures the rate and brings the publication's figures up to date; called about once a second.
    func updateStatistics(now: ContinuousClock.Instant) {
        rate.measure(totalBytes: receivedBytes, now: now)
        publishStatistics()
    }

    private func publishStatistics() {
        var figures = SRTStatistics(of: socket)
        figures?.kernelBufferBytes = kernelBufferBytes
        publication.update { statistics in
            statistics.bitrateBitsPerSecond = rate.bitsPerSecond
            statistics.leg = publication.leg?.statistics
            statistics.transportStream = publication.leg?.transportStream ?? session.statistics
            if let figures { statistics.srt = figures }
        }
    }

    /// Hands on what is complete, frees the name, closes the socket.
    func end(_ ending: Ending) {
        session.finish(emit: emit)
        publication.send(outbox.take())
        publishStatistics()
        publication.end(ending.endReason)
        socket.close()
    }
}

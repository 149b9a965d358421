import Media
import NIOCore

/// The contributions of one port: sorts datagrams by their sender, hands on what comes of them.
///
/// Order: a burst of reads is taken datagram by datagram; what comes of all of it leaves at its end,
///        once for each contribution.
/// Bound: a revoked contribution ends within `tickInterval`.
///
/// Threads: all of it belongs to the event loop of its sockets.
final class RTPReceiver {
    /// How packets that are missing or overdue, idle senders and revoked ones are found.
    ///
    /// Each that is missing is asked for once before it is given up, whatever the latency.
    private static let tickInterval = TimeAmount.milliseconds(10)
    private static let secondsTicks = 100
    private static let housekeepingTicks = 10

    let eventLoop: any EventLoop
    private let port: Int
    private let configuration: RTPListener.Configuration
    private let access: RTPAccessControl
    private var table: RTPSourceTable
    private let isPlain: Bool
    private var connections: [Int: RTPConnection] = [:]
    private var touched: [RTPConnection] = []
    private var clock = ArrivalClock()
    /// Of the burst of reads under way.
    private var arrival: WallTime?
    private var early = RTPEarlyReports()
    private var tally = RTPTally()
    private var ticks = 0
    /// `nil` while nobody sends: a port that is not used wakes nobody.
    private var repeating: RepeatedTask?
    private var isStopped = false

    init(
        port: Int,
        declarations: [RTPDeclaration],
        configuration: RTPListener.Configuration,
        access: RTPAccessControl,
        eventLoop: any EventLoop
    ) {
        self.port = port
        self.configuration = configuration
        self.access = access
        self.eventLoop = eventLoop
        isPlain = declarations.contains { $0.payload == .mpegts }
        var limits = RTPSourceTable.Limits()
        limits.sessionsPerAddress = configuration.maxSessionsPerAddress
        table = RTPSourceTable(
            declarations: declarations,
            acceptsUnannounced: configuration.acceptsUnannounced && !isPlain,
            idleTimeout: configuration.idleTimeout,
            limits: limits
        )
    }

    private func startTicking() {
        guard !isStopped else { return }
        repeating = eventLoop.scheduleRepeatedTask(
            initialDelay: Self.tickInterval,
            delay: Self.tickInterval
        ) { [loopBound = NIOLoopBound(self, eventLoop: eventLoop)] _ in
            loopBound.value.tick()
        }
    }

    /// Takes a datagram of an RTP socket, or of an RTCP socket.
    ///
    /// `described` is the port of the media, where a session description names it.
    func receive(
        _ envelope: AddressedEnvelope<ByteBuffer>,
        to described: UInt16?,
        from channel: any Channel
    ) {
        let arrival = begin()
        let datagram = envelope.data
        guard datagram.readableBytes < RTPSocketHandler.maxDatagramBytes,
            let peer = RTPPeer(envelope.remoteAddress)
        else {
            tally.ignoredDatagrams &+= 1
            return
        }
        if isPlain {
            receive(plain: datagram, from: peer, arrival: arrival)
            return
        }
        let isReport = datagram.withUnsafeReadableBytes {
            RTCPPacket.isRTCP($0.assumingMemoryBound(to: UInt8.self).span)
        }
        if isReport {
            receive(
                report: datagram,
                from: peer,
                at: (envelope.remoteAddress, channel),
                arrival: arrival
            )
        } else {
            receive(media: datagram, from: peer, to: described, arrival: arrival)
        }
    }

    /// Takes a datagram of one of the two sockets of forward error correction.
    func receive(correction envelope: AddressedEnvelope<ByteBuffer>) {
        let arrival = begin()
        guard envelope.data.readableBytes < RTPSocketHandler.maxDatagramBytes,
            let peer = RTPPeer(envelope.remoteAddress), let packet = Self.packet(in: envelope.data),
            let session = table.session(ofCorrectionFrom: packet.ssrc, at: peer.address),
            let connection = connections[session]
        else {
            tally.ignoredDatagrams &+= 1
            return
        }
        touch(connection)
        connection.correct(envelope.data, ssrc: packet.ssrc, arrival: arrival)
    }

    /// Counts a datagram.
    ///
    /// - Returns: When it came; all of a burst came together.
    private func begin() -> WallTime {
        tally.datagrams &+= 1
        if repeating == nil { startTicking() }
        let arrival = self.arrival ?? clock.now
        self.arrival = arrival
        return arrival
    }

    /// A burst of reads is over.
    func readEnded() {
        let arrival = self.arrival ?? clock.now
        self.arrival = nil
        for connection in touched { connection.flush(at: arrival) }
        touched.removeAll(keepingCapacity: true)
    }

    private func receive(
        media datagram: ByteBuffer,
        from peer: RTPPeer,
        to described: UInt16?,
        arrival: WallTime
    ) {
        let packet = Self.packet(in: datagram)
        guard let packet else {
            tally.ignoredDatagrams &+= 1
            return
        }
        let verdict = table.receive(
            packet,
            datagram: datagram,
            from: peer,
            to: described,
            arrival: arrival
        )
        if case .session(let session) = verdict {
            guard let connection = connections[session] else { return }
            touch(connection)
            connection.receive(packet, datagram, to: described, arrival: arrival)
        } else {
            follow(verdict, peer: peer, to: described, arrival: arrival)
        }
    }

    private func receive(plain datagram: ByteBuffer, from peer: RTPPeer, arrival: WallTime) {
        let verdict = table.receivePlain(datagram, from: peer, arrival: arrival)
        if case .session(let session) = verdict {
            guard let connection = connections[session] else { return }
            touch(connection)
            connection.receive(plain: datagram, arrival: arrival)
        } else {
            follow(verdict, peer: peer, to: nil, arrival: arrival)
        }
    }

    /// Everything but a datagram of a session under way.
    private func follow(
        _ verdict: RTPSourceTable.Verdict,
        peer: RTPPeer,
        to described: UInt16?,
        arrival: WallTime
    ) {
        switch verdict {
        case .session, .pending: break
        case .ignored: tally.ignoredDatagrams &+= 1
        case .dropped: tally.droppedNewcomers &+= 1
        case .refused(let refusal, let name):
            access.refuse(refusal, access.request(name, peer, isPlain: isPlain))
        case .joined(let session, let datagrams):
            guard let connection = connections[session] else { return }
            replay(datagrams, to: connection, from: peer, at: described, arrival: arrival)
        case .opening(let opening):
            open(opening, arrival: arrival)
        }
    }

    private func open(_ opening: RTPSourceTable.Opening, arrival: WallTime) {
        let request = access.request(opening.name, opening.source.peer, isPlain: isPlain)
        do throws(PublishRefusal) {
            let connection = try access.publish(
                request,
                opening,
                maximumLatency: configuration.maxLatency
            )
            connections[opening.session] = connection
            replay(
                opening.datagrams,
                to: connection,
                from: opening.source.peer,
                at: opening.source.port,
                arrival: arrival
            )
        } catch {
            table.refuse(opening.session, now: arrival)
            access.refuse(error, request)
        }
    }

    private func replay(
        _ datagrams: [ByteBuffer],
        to connection: RTPConnection,
        from peer: RTPPeer,
        at described: UInt16?,
        arrival: WallTime
    ) {
        touch(connection)
        for report in early.of(peer.address, now: arrival) {
            connection.receive(report, arrival: arrival)
        }
        for datagram in datagrams {
            if isPlain {
                connection.receive(plain: datagram, arrival: arrival)
            } else if let packet = Self.packet(in: datagram) {
                connection.receive(packet, datagram, to: described, arrival: arrival)
            }
        }
    }

    private func receive(
        report datagram: ByteBuffer,
        from peer: RTPPeer,
        at place: (NIOCore.SocketAddress, any Channel),
        arrival: WallTime
    ) {
        let reports = datagram.withUnsafeReadableBytes {
            RTCPPacket.parse($0.assumingMemoryBound(to: UInt8.self).span)
        }
        var connection: RTPConnection?
        for report in reports {
            if let ssrc = report.sender,
                let session = table.session(ofReportFrom: ssrc, at: peer.address)
            {
                connection = connections[session]
                connection?.noteReportPeer(place.0, place.1)
            }
            guard let connection else { continue }
            touch(connection)
            connection.receive(report, arrival: arrival)
            guard case .bye(let sources) = report else { continue }
            for source in sources {
                if let session = table.leave(source, at: peer.address) {
                    end(session, .goodbye, now: arrival)
                }
            }
        }
        // A sender's first report often comes before it has shown what it is.
        if connection == nil { early.note(reports, from: peer.address, arrival: arrival) }
    }

    private func touch(_ connection: RTPConnection) {
        guard !connection.isTouched else { return }
        connection.isTouched = true
        touched.append(connection)
    }

    private static func packet(in datagram: ByteBuffer) -> RTPPacket? {
        datagram.withUnsafeReadableBytes { bytes in
            try? RTPPacket(bytes.assumingMemoryBound(to: UInt8.self).span)
        }
    }
}

// MARK: Time

extension RTPReceiver {
    private func tick() {
        let now = clock.now
        ticks &+= 1
        for (session, connection) in connections {
            // What is missing is asked for before anything of it is given up.
            sendFeedback(connection, now: now)
            connection.advance(to: now)
            if let ending = connection.verdict { end(session, ending, now: now) }
        }
        guard ticks.isMultiple(of: Self.housekeepingTicks) else { return }
        for session in table.expire(now: now) { end(session, .idle, now: now) }
        access.counters.add(tally, detections: table.detections, port: port)
        if tally.datagrams == 0, connections.isEmpty, !table.hasNewcomers {
            repeating?.cancel()
            repeating = nil
        }
        tally = RTPTally()
        guard ticks.isMultiple(of: Self.secondsTicks) else { return }
        for connection in connections.values { connection.updateStatistics(now: now) }
    }

    /// Only to where RTCP came from: nobody is sent anything who did not ask for it.
    private func sendFeedback(_ connection: RTPConnection, now: WallTime) {
        guard !connection.reportPeers.isEmpty, let feedback = connection.takeFeedback(now: now)
        else { return }
        for peer in connection.reportPeers {
            let envelope = AddressedEnvelope(remoteAddress: peer.address, data: feedback)
            peer.channel.writeAndFlush(envelope, promise: nil)
        }
    }

    private func end(_ session: Int, _ ending: RTPConnection.Ending, now: WallTime) {
        table.end(session)
        guard let connection = connections.removeValue(forKey: session) else { return }
        connection.end(ending, now: now)
        access.ended(connection, ending)
    }

    /// Other declarations hold from now on.
    func update(_ declarations: [RTPDeclaration]) {
        let now = clock.now
        for session in table.update(declarations) { end(session, .redeclared, now: now) }
    }

    /// Ends every contribution; the receiver is of no use afterwards.
    func stop() {
        isStopped = true
        repeating?.cancel()
        repeating = nil
        let now = clock.now
        for session in connections.keys { end(session, .shutdown, now: now) }
        access.counters.add(tally, detections: [], port: port)
    }
}

extension RTCPPacket {
    /// Whose packet it is; `nil` where it speaks of several, or of others.
    fileprivate var sender: UInt32? {
        switch self {
        case .senderReport(let report): report.ssrc
        case .receiverReport(let ssrc, _): ssrc
        case .sourceDescription(let names): names.first?.ssrc
        case .bye(let sources): sources.first
        case .feedback(let sender, _): sender
        }
    }
}

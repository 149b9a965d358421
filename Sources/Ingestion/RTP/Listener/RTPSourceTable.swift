package import Media
package import NIOCore

/// Who sends to a port of RTP: from a stranger's first packet to the session it belongs to.
///
/// A source is an address, a port and an SSRC. It is *new* until its packets follow one another
/// (RFC 3550, A.1), then *looked at* until it is known what they carry: by a declaration's SDP, by
/// the static number of the payload type, or recognised. Then it opens a session or joins the one of
/// its declaration. Until then nothing but this table knows of it.
///
/// In:    every datagram with an RTP header, in the order of arrival.
/// Out:   a verdict for each; the caller opens and ends the sessions.
/// Bound: `Limits`. Of a flood of strangers, the oldest are forgotten first.
package struct RTPSourceTable: Sendable {
    package struct Limits: Sendable {
        package var sessionsPerAddress = 32
        /// SSRCs of one session; beyond, the one that was silent the longest is forgotten.
        package var sourcesPerSession = 16
        /// Sources that are new or looked at.
        package var newcomers = 512
        /// Newcomers in one second: in all, and of one address.
        package var newcomersPerSecond = 1_000
        package var newcomersPerSecondAndAddress = 100
        /// Packets held of a source before it has proved to be one.
        package var unprovenPackets = 16
        /// Bytes held of one source that is looked at; at more, what is held is let go.
        package var heldBytesPerSource = 2 << 20
        package var heldBytes = 32 << 20

        package init() {}
    }

    package struct Source: Sendable, Hashable {
        package let peer: RTPPeer
        package let ssrc: UInt32
        /// Which port of a session description it sends to; `nil`: the one that all share.
        package var port: UInt16?
    }

    struct Session {
        let name: StreamName
        let address: IPAddress
        let declaration: RTPDeclaration?
        let content: Content
        let payloadType: UInt8
        var sources: [Source]
    }

    struct Member {
        let session: Int
        var lastArrival: WallTime
    }

    /// After this time a source that was refused may try again.
    static let refusalPause = Duration.seconds(1)
    /// Sources that are remembered as refused; at one more, all are forgotten.
    static let refusalLimit = 1_024
    /// A newcomer that is silent for so long is forgotten.
    static let newcomerTimeout = Duration.seconds(2)

    let limits: Limits
    private let acceptsUnannounced: Bool
    private let idleTimeout: Duration
    private var declarations: [RTPDeclaration]
    private var sessions: [Int: Session] = [:]
    private var members: [Source: Member] = [:]
    private var newcomers: [Source: RTPNewcomer] = [:]
    private var refused: [Source: WallTime] = [:]
    private var rate = RTPNewcomerRate()
    /// Of all newcomers.
    package private(set) var heldBytes = 0
    private var lastSession = 0

    package init(
        declarations: [RTPDeclaration],
        acceptsUnannounced: Bool,
        idleTimeout: Duration,
        limits: Limits = Limits()
    ) {
        self.declarations = declarations
        self.acceptsUnannounced = acceptsUnannounced
        self.idleTimeout = idleTimeout
        self.limits = limits
    }

    package var newcomerCount: Int { newcomers.count }

    /// Takes a datagram with an RTP header.
    ///
    /// `port` is one that a session description names, beside the one of the table.
    package mutating func receive(
        _ packet: RTPPacket,
        datagram: ByteBuffer,
        from peer: RTPPeer,
        to port: UInt16? = nil,
        arrival: WallTime
    ) -> Verdict {
        let source = Source(peer: peer, ssrc: packet.ssrc, port: port)
        if let index = members.index(forKey: source) {
            members.values[index].lastArrival = arrival
            return .session(members.values[index].session)
        }
        if newcomers[source] == nil {
            if let verdict = admit(source, payloadType: packet.payloadType, arrival: arrival) {
                return verdict
            }
        }
        hold(datagram, of: source)
        guard let step = newcomers[source]?.receive(packet, datagram, arrival: arrival) else {
            return .ignored
        }
        return follow(step, source, payloadType: packet.payloadType)
    }

    /// Takes a datagram without an RTP header, from a port that has a declaration of such.
    package mutating func receivePlain(
        _ datagram: ByteBuffer,
        from peer: RTPPeer,
        arrival: WallTime
    ) -> Verdict {
        let source = Source(peer: peer, ssrc: 0)
        if let index = members.index(forKey: source) {
            members.values[index].lastArrival = arrival
            return .session(members.values[index].session)
        }
        if newcomers[source] == nil {
            if let verdict = admit(source, payloadType: 0, arrival: arrival) { return verdict }
        }
        hold(datagram, of: source)
        guard let step = newcomers[source]?.receivePlain(datagram, arrival: arrival) else {
            return .ignored
        }
        return follow(step, source, payloadType: 0)
    }

    /// The session of the source that an RTCP packet of this SSRC and address speaks for.
    package func session(ofReportFrom ssrc: UInt32, at address: IPAddress) -> Int? {
        members.first { $0.key.ssrc == ssrc && $0.key.peer.address == address }?.value.session
    }

    /// The session whose packets a packet of forward error correction protects.
    ///
    /// That of its SSRC; senders leave that 0, and then it is the only session of its address.
    package func session(ofCorrectionFrom ssrc: UInt32, at address: IPAddress) -> Int? {
        if ssrc != 0, let session = session(ofReportFrom: ssrc, at: address) { return session }
        let own = sessions.filter { $0.value.address == address }
        return own.count == 1 ? own.first?.key : nil
    }

    /// A source said goodbye.
    ///
    /// - Returns: Its session, when that has no other.
    package mutating func leave(_ ssrc: UInt32, at address: IPAddress) -> Int? {
        let found = members.first { $0.key.ssrc == ssrc && $0.key.peer.address == address }
        guard let (source, member) = found else { return nil }
        members[source] = nil
        sessions[member.session]?.sources.removeAll { $0 == source }
        return sessions[member.session]?.sources.isEmpty ?? true ? member.session : nil
    }

    /// The session was not opened; its source is not looked at again for a while.
    package mutating func refuse(_ session: Int, now: WallTime) {
        for source in end(session) { pause(source, now: now) }
    }

    /// Forgets a session and its sources, which are strangers from now on.
    @discardableResult
    package mutating func end(_ session: Int) -> [Source] {
        guard let ended = sessions.removeValue(forKey: session) else { return [] }
        for source in ended.sources { members[source] = nil }
        return ended.sources
    }

    /// Forgets who is silent.
    ///
    /// To be called a few times a second.
    ///
    /// - Returns: The sessions of which no source sends any more.
    package mutating func expire(now: WallTime) -> [Int] {
        for (source, newcomer) in newcomers
        where now.duration(since: newcomer.lastArrival) >= Self.newcomerTimeout {
            forget(source)
        }
        refused = refused.filter { $0.value > now }
        return sessions.keys.filter { session in
            sessions[session]?.sources.allSatisfy { source in
                guard let member = members[source] else { return true }
                return now.duration(since: member.lastArrival) >= idleTimeout
            } ?? true
        }
    }

    /// Other declarations hold from now on.
    ///
    /// - Returns: The sessions that are another's now, or carry something else: to be ended.
    package mutating func update(_ declarations: [RTPDeclaration]) -> [Int] {
        self.declarations = declarations
        for source in newcomers.keys { forget(source) }
        refused = [:]
        return sessions.filter { _, session in
            guard let source = session.sources.first else { return true }
            let now = declaration(of: source, payloadType: session.payloadType)
            return now != session.declaration
        }.map(\.key)
    }

    /// Somebody is looked at who is not on air, proven or not.
    package var hasNewcomers: Bool { !newcomers.isEmpty }

    /// Sources that have proved to be some and are not on air, those of one port.
    package var detections: [RTPDetection] {
        newcomers.compactMap { source, newcomer in
            guard newcomer.isProven, let name = name(of: source, newcomer.declaration) else {
                return nil
            }
            return RTPDetection(
                name: name,
                peer: source.peer,
                ssrc: source.ssrc,
                payloadType: newcomer.payloadType,
                since: newcomer.firstArrival,
                packets: newcomer.packets,
                hint: newcomer.hint
            )
        }
    }

    // MARK: Newcomers

    /// Lets a new source be looked at, or says why not.
    private mutating func admit(
        _ source: Source,
        payloadType: UInt8,
        arrival: WallTime
    ) -> Verdict? {
        if let until = refused[source], arrival < until { return .ignored }
        guard rate.take(source.peer.address, at: arrival, limits) else { return .dropped }
        let declaration = declaration(of: source, payloadType: payloadType)
        if newcomers.count >= limits.newcomers { forgetOldest() }
        newcomers[source] = RTPNewcomer(
            declaration: declaration,
            payloadType: payloadType,
            arrival: arrival
        )
        return nil
    }

    /// A newcomer's next step, once its packets say what they are.
    private mutating func follow(
        _ step: RTPNewcomer.Step,
        _ source: Source,
        payloadType: UInt8
    ) -> Verdict {
        guard let newcomer = newcomers[source], newcomer.isProven else { return .pending }
        // To a port of a description comes only what one describes.
        guard newcomer.declaration != nil || acceptsUnannounced && source.port == nil else {
            return turnAway(source, .unannounced)
        }
        if let session = sessionToJoin(source, newcomer, payloadType) {
            return .joined(session, join(source, session))
        }
        guard case .found(let content) = step else { return .pending }
        let siblings = sessions.values.count { $0.address == source.peer.address }
        guard siblings < limits.sessionsPerAddress else { return turnAway(source, .full) }
        guard let name = name(of: source, newcomer.declaration) else { return .ignored }
        lastSession += 1
        sessions[lastSession] = Session(
            name: name,
            address: source.peer.address,
            declaration: newcomer.declaration,
            content: content,
            payloadType: payloadType,
            sources: []
        )
        return .opening(
            Opening(
                session: lastSession,
                name: name,
                source: source,
                declaration: newcomer.declaration,
                content: content,
                datagrams: join(source, lastSession)
            )
        )
    }

    /// The session under way of the same declaration, from the same address, that carries this.
    private func sessionToJoin(
        _ source: Source,
        _ newcomer: RTPNewcomer,
        _ payloadType: UInt8
    ) -> Int? {
        guard let declaration = newcomer.declaration, declaration.payload == .rtp else {
            return nil
        }
        return sessions.first { _, session in
            guard session.declaration == declaration, session.address == source.peer.address
            else { return false }
            guard case .media(let media) = session.content else { return false }
            return media.contains { $0.names(payloadType) }
        }?.key
    }

    /// - Returns: What was held of the source.
    private mutating func join(_ source: Source, _ session: Int) -> [ByteBuffer] {
        let newcomer = forget(source)
        if var own = sessions[session]?.sources {
            if own.count >= limits.sourcesPerSession,
                let silent = own.min(by: { lastArrival(of: $0) < lastArrival(of: $1) })
            {
                members[silent] = nil
                own.removeAll { $0 == silent }
            }
            sessions[session]?.sources = own + [source]
        }
        let arrival = newcomer?.lastArrival ?? WallTime(microsecondsSinceEpoch: 0)
        members[source] = Member(session: session, lastArrival: arrival)
        return newcomer?.held ?? []
    }

    private func lastArrival(of source: Source) -> WallTime {
        members[source]?.lastArrival ?? WallTime(microsecondsSinceEpoch: .min)
    }

    private mutating func turnAway(_ source: Source, _ refusal: PublishRefusal) -> Verdict {
        let newcomer = forget(source)
        guard let newcomer, let name = name(of: source, newcomer.declaration) else {
            return .ignored
        }
        pause(source, now: newcomer.lastArrival)
        return .refused(refusal, name)
    }

    private mutating func pause(_ source: Source, now: WallTime) {
        if refused.count >= Self.refusalLimit { refused = [:] }
        refused[source] = now.advanced(by: Self.refusalPause)
    }

    private mutating func hold(_ datagram: ByteBuffer, of source: Source) {
        guard let newcomer = newcomers[source] else { return }
        let isFull =
            newcomer.heldBytes + datagram.readableBytes > limits.heldBytesPerSource
            || heldBytes + datagram.readableBytes > limits.heldBytes
            || !newcomer.isProven && newcomer.held.count >= limits.unprovenPackets
        if isFull { heldBytes -= newcomers[source]?.letGo() ?? 0 }
        // Of the socket's buffer, which others share, nothing may be kept.
        newcomers[source]?.held.append(ByteBuffer(bytes: datagram.readableBytesView))
        newcomers[source]?.heldBytes += datagram.readableBytes
        heldBytes += datagram.readableBytes
    }

    @discardableResult
    private mutating func forget(_ source: Source) -> RTPNewcomer? {
        guard let newcomer = newcomers.removeValue(forKey: source) else { return nil }
        heldBytes -= newcomer.heldBytes
        return newcomer
    }

    /// The oldest of those that have proved nothing, else of all.
    private mutating func forgetOldest() {
        let oldest = newcomers.min { first, second in
            first.value.isProven == second.value.isProven
                ? first.value.firstArrival < second.value.firstArrival : second.value.isProven
        }
        if let oldest { forget(oldest.key) }
    }

    // MARK: Declarations

    /// The declaration with the most facts that fit.
    private func declaration(of source: Source, payloadType: UInt8) -> RTPDeclaration? {
        declarations.lazy
            .filter { $0.matches(source, payloadType: payloadType) }
            .max { $0.facts < $1.facts }
    }

    private func name(of source: Source, _ declaration: RTPDeclaration?) -> StreamName? {
        declaration?.stream ?? StreamName("rtp-\(source.ssrc)")
    }
}

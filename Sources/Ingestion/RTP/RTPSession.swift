package import Media
package import NIOCore

/// The RTP streams of one contribution become media events.
///
/// The way of the packets, each step a file of this folder:
///
///     datagrams ─▶ RTPStream, by SSRC: RTPReception ─▶ RTPReorderBuffer ─▶ RTPCarriage ─▶
///       ├─▶ RTPElementaryStream ──units──▶ RTPTrackWriter: RTPTimeline and DecodingTimes
///       │                        ──access units──▶ TrackAnnouncer ──▶ MediaEvent
///       └─▶ IngestSession, for an MPEG transport stream
///
/// In:     RTP packets as they come in, each with the datagram that it lies in, and RTCP packets.
/// Out:    as `IngestSession`: `.tracks` before the first access unit of a track, then access units,
///         `.discontinuity` where timeline or format break. Never `.end`.
/// Tracks: the picture is 256, sound is 257 and up in the order of the media, whatever the SSRCs; of
///         an MPEG transport stream, the PIDs. An SSRC takes a track over when the one before said BYE
///         or was silent for 0.3 s while the new one sent.
/// Bounds: `streamLimit` SSRCs; 8 MiB of what waits; the bounds of reordering and of
///         `IngestSession.Configuration`.
/// Errors: none. Damage is counted in `statistics`.
/// Threads: one owner. Nothing here blocks, reads a clock or does I/O.
///
/// Source: RFC 3550, 5.1, 6.3, 8.2.
package struct RTPSession: Sendable {
    package struct Configuration: Sendable {
        package var media: IngestSession.Configuration
        package var reordering: RTPReorderBuffer.Configuration
        /// Of this receiver, in its reports.
        package var ssrc: UInt32
        package var cname: String
        /// The media share the sender's clock, whatever their CNAMEs: so says the operator, or SDP.
        package var isSynchronised: Bool
        /// Packets in a row before a new SSRC is believed.
        package var probation: Int

        package init(
            media: IngestSession.Configuration = .init(),
            reordering: RTPReorderBuffer.Configuration = .init(),
            ssrc: UInt32,
            cname: String,
            isSynchronised: Bool = false,
            probation: Int = 2
        ) {
            self.media = media
            self.reordering = reordering
            self.ssrc = ssrc
            self.cname = cname
            self.isSynchronised = isSynchronised
            self.probation = probation
        }
    }

    /// Takes the bytes of an MPEG transport stream, when they came, and whether packets are missing in
    /// front of them.
    package typealias TransportStreamSink =
        @Sendable (UnsafeRawBufferPointer, WallTime, Bool) -> Void

    package static let streamLimit = 48
    private static let earlyLimit = 16
    /// Of packets of streams that are not carried yet, together.
    private static let waitingByteLimit = 8 << 20
    /// How long a stream must be silent before another takes its place.
    private static let takeoverTime = Duration.milliseconds(300)

    /// How long packets that are asked for again may take.
    private static let retransmissionTime = Duration.milliseconds(100)

    /// What RTCP told of an SSRC before its first packet.
    private struct Early {
        let ssrc: UInt32
        var cname: String?
        var report: RTCPSenderReport?
    }

    private let configuration: Configuration
    private let plan: RTPTrackPlan
    var streams: [RTPStream] = []
    private var program: RTPProgram
    private var early: [Early] = []
    private var recovered: UInt64 = 0
    private var refused: UInt64 = 0
    var feedback: RTPFeedbackSchedule

    /// A session of media that are known, by a description or because they were recognised.
    ///
    /// - Parameters:
    ///   - configuration: Bounds, and what this receiver calls itself.
    ///   - media: As the session description has them; a listener names them by their index.
    ///   - transportStreamSink: Gets an MPEG transport stream as it is; `nil`: its media is emitted.
    package init(
        configuration: Configuration,
        media: [MediaDescription],
        transportStreamSink: TransportStreamSink? = nil
    ) {
        self.configuration = configuration
        plan = RTPTrackPlan(media)
        program = RTPProgram(
            configuration: configuration.media,
            isSynchronised: configuration.isSynchronised,
            sink: transportStreamSink
        )
        feedback = RTPFeedbackSchedule(ssrc: configuration.ssrc, cname: configuration.cname)
    }

    /// Takes a packet.
    ///
    /// - Parameters:
    ///   - packet: Its header.
    ///   - datagram: What it lies in; copied if it must outlive the call.
    ///   - medium: Which of the media its port belongs to; `nil` when the port does not tell.
    ///   - arrival: When it came; never before that of the packet before.
    ///   - emit: Called in order, within this call.
    @inline(__always)
    package mutating func receive(
        _ packet: RTPPacket,
        datagram: ByteBuffer,
        of medium: Int? = nil,
        arrival: WallTime,
        emit: (MediaEvent) -> Void
    ) {
        guard let index = index(of: packet.ssrc, medium), streams[index].isCarried,
            streams[index].payloadType == packet.payloadType
        else { return settle(packet, datagram, medium, arrival: arrival, emit) }
        streams[index].carry(packet, datagram, arrival: arrival, program: &program, emit)
    }

    /// Takes one packet of a compound RTCP packet.
    package mutating func receive(
        _ packet: RTCPPacket,
        arrival: WallTime,
        emit: (MediaEvent) -> Void
    ) {
        switch packet {
        case .senderReport(let report):
            noteEarly(report.ssrc) { $0.report = report }
            for index in indices(of: report.ssrc) {
                streams[index].receive(report, arrival: arrival, program: &program)
            }
        case .sourceDescription(let names):
            for name in names {
                noteEarly(name.ssrc) { $0.cname = name.name }
                for index in indices(of: name.ssrc) {
                    streams[index].setCNAME(name.name, program: &program)
                }
            }
        case .bye(let ssrcs):
            for ssrc in ssrcs {
                for index in indices(of: ssrc) {
                    streams[index].end(arrival: arrival, program: &program, emit)
                }
            }
        case .receiverReport, .feedback:
            break
        }
    }

    /// Takes a packet of forward error correction, as it comes on the ports two and four above that of
    /// the media (SMPTE ST 2022-1).
    ///
    /// - Parameters:
    ///   - datagram: The packet, with its RTP header.
    ///   - ssrc: Of its header; 0 for the only stream that is carried, as nearly all senders have it.
    ///   - arrival: When it came.
    ///   - emit: Called in order, within this call.
    package mutating func correct(
        _ datagram: ByteBuffer,
        ssrc: UInt32,
        arrival: WallTime,
        emit: (MediaEvent) -> Void
    ) {
        let carried = streams.indices.filter { streams[$0].isCarried }
        let index =
            carried.first { streams[$0].ssrc == ssrc } ?? (carried.count == 1 ? carried.first : nil)
        guard let index else { return }
        streams[index].correct(datagram, arrival: arrival, program: &program, emit)
    }

    /// Gives up on what is overdue; to be called at `deadline`.
    package mutating func advance(to now: WallTime, emit: (MediaEvent) -> Void) {
        for index in streams.indices {
            streams[index].advance(to: now, program: &program, emit)
        }
    }

    /// When `advance` or `takeFeedback` has something to do; `nil` while there is nothing.
    package var deadline: WallTime? {
        var deadline = feedback.deadline(streams, plan)
        for stream in streams {
            if let due = stream.deadline { deadline = min(deadline ?? due, due) }
        }
        return deadline
    }

    /// The contribution is over: emits what is complete and was still held.
    package mutating func finish(arrival: WallTime, emit: (MediaEvent) -> Void) {
        for index in streams.indices {
            streams[index].flush(arrival: arrival, program: &program, emit)
        }
        program.transportStream?.finish(emit: emit)
        program.announcer.finish(emit)
    }

    /// Something is carried, or was.
    package var hasBegun: Bool {
        streams.contains { $0.isCarried || $0.state == .left }
    }

    /// Every stream that was carried said BYE.
    package var hasLeft: Bool {
        hasBegun && !streams.contains { $0.isCarried }
    }
}

// MARK: - Streams that are not carried yet

extension RTPSession {
    @inline(__always)
    func index(of ssrc: UInt32, _ medium: Int?) -> Int? {
        for index in streams.indices
        where streams[index].ssrc == ssrc
            && (medium == nil || streams[index].medium == medium)
        {
            return index
        }
        return nil
    }

    private func indices(of ssrc: UInt32) -> [Int] {
        streams.indices.filter { streams[$0].ssrc == ssrc }
    }

    /// Everything but a packet of a stream that is carried.
    private mutating func settle(
        _ packet: RTPPacket,
        _ datagram: ByteBuffer,
        _ medium: Int?,
        arrival: WallTime,
        _ emit: (MediaEvent) -> Void
    ) {
        guard let index = index(of: packet.ssrc, medium) ?? join(packet, medium, arrival: arrival)
        else {
            refused &+= 1
            return
        }
        if let original = streams[index].original {
            repeated(packet, datagram, original, index, arrival: arrival, emit)
            return
        }
        if streams[index].isCarried {
            // Tones and comfort noise go past; another codec of the same medium is followed.
            guard plan.format(of: packet.payloadType, streams[index].medium) != nil else {
                streams[index].carry(packet, datagram, arrival: arrival, program: &program, emit)
                return
            }
            streams[index].end(arrival: arrival, program: &program, emit)
        }
        guard let format = plan.format(of: packet.payloadType, streams[index].medium) else {
            streams[index].note(packet, arrival: arrival)
            return streams[index].refuse("payload type \(packet.payloadType) is not announced")
        }
        if streams.reduce(0, { $0 + $1.waitingBytes }) >= Self.waitingByteLimit {
            streams[index].forget()
        }
        guard streams[index].wait(packet, datagram, arrival: arrival) else { return }
        claim(index, format, packet.payloadType, arrival: arrival, emit)
    }

    /// Learns of a new SSRC; the one that was silent longest makes room.
    private mutating func join(
        _ packet: RTPPacket,
        _ medium: Int?,
        arrival: WallTime
    ) -> Int? {
        if packet.ssrc == feedback.ssrc { feedback.changeSSRC() }
        if streams.count >= Self.streamLimit {
            let idle = streams.indices.filter { !streams[$0].isCarried }
            guard let oldest = idle.min(by: { streams[$0].lastArrival < streams[$1].lastArrival }),
                arrival.duration(since: streams[oldest].lastArrival) >= .seconds(1)
            else { return nil }
            streams.remove(at: oldest)
        }
        let medium = medium ?? plan.medium(of: packet)
        var stream = RTPStream(
            packet,
            medium: medium,
            clockRate: plan.format(of: packet.payloadType, medium)?.clockRate ?? 90_000,
            probation: configuration.probation,
            reorder: reordering(of: medium),
            arrival: arrival
        )
        stream.original = plan.original(of: packet, medium) { type in
            streams.first { $0.medium == medium && $0.isCarried && $0.payloadType == type }?.ssrc
        }
        if stream.original != nil { stream.state = .retransmission }
        if let known = early.first(where: { $0.ssrc == packet.ssrc }) {
            if let cname = known.cname { stream.setCNAME(cname, program: &program) }
            if let report = known.report {
                stream.receive(report, arrival: arrival, program: &program)
            }
            early.removeAll { $0.ssrc == packet.ssrc }
        }
        streams.append(stream)
        return streams.count - 1
    }

    /// What is asked for again needs time to come.
    private func reordering(of medium: Int?) -> RTPReorderBuffer.Configuration {
        var reordering = configuration.reordering
        if plan.description(of: medium)?.hasNACK == true {
            reordering.minimumLatency = min(
                max(reordering.minimumLatency, Self.retransmissionTime),
                reordering.maximumLatency
            )
        }
        return reordering
    }

    /// Carries a stream whose payload is known, when its place is free.
    private mutating func claim(
        _ index: Int,
        _ format: RTPPayloadFormat,
        _ payloadType: UInt8,
        arrival: WallTime,
        _ emit: (MediaEvent) -> Void
    ) {
        let track = plan.track(for: format, medium: streams[index].medium)
        let isTransportStream = format.kind == .transportStream
        guard isTransportStream || track != nil else {
            return streams[index].refuse("another stream of pictures is carried")
        }
        let carried = streams.indices.filter { streams[$0].isCarried }
        guard carried.allSatisfy({ (streams[$0].carriage?.track == nil) == isTransportStream })
        else { return streams[index].refuse("a transport stream is not mixed with other streams") }
        if let owner = carried.first(where: { streams[$0].carriage?.track?.id == track?.id }) {
            guard mayReplace(owner, by: index, at: arrival) else { return }
            streams[owner].end(arrival: arrival, program: &program, emit)
        }
        let carriage: RTPCarriage
        if let track {
            guard
                let member = program.timeline.join(
                    clockRate: format.clockRate,
                    isAudio: track.isAudio
                ),
                let made = RTPCarriage(
                    format,
                    payloadType: payloadType,
                    track: track,
                    member: member
                )
            else { return }
            carriage = made
            program.expect(plan.tracks + [track], emit)
        } else {
            carriage = RTPCarriage(transportStream: format, payloadType: payloadType)
        }
        streams[index].begin(carriage, arrival: arrival, program: &program, emit)
    }

    /// Says whether a stream may take another's place: that has been silent while this one sent.
    private mutating func mayReplace(_ owner: Int, by index: Int, at arrival: WallTime) -> Bool {
        streams[index].state = .waiting
        guard let since = streams[index].waitingSince else { return false }
        guard streams[owner].lastArrival < since else {
            streams[index].forget()
            return false
        }
        return arrival.duration(since: since) >= Self.takeoverTime
    }

    /// A packet that was sent again goes where it was missed.
    private mutating func repeated(
        _ packet: RTPPacket,
        _ datagram: ByteBuffer,
        _ original: (ssrc: UInt32, payloadType: UInt8),
        _ index: Int,
        arrival: WallTime,
        _ emit: (MediaEvent) -> Void
    ) {
        streams[index].note(packet, arrival: arrival)
        let found = RTPRetransmission.original(
            of: packet,
            in: datagram.readableBytesUInt8Span,
            payloadType: original.payloadType,
            ssrc: original.ssrc
        )
        guard let found, let missed = self.index(of: found.ssrc, streams[index].medium) else {
            return
        }
        recovered &+= 1
        streams[missed].recover(found, datagram, arrival: arrival, program: &program, emit)
    }

    private mutating func noteEarly(_ ssrc: UInt32, _ change: (inout Early) -> Void) {
        guard !streams.contains(where: { $0.ssrc == ssrc }) else { return }
        if let index = early.firstIndex(where: { $0.ssrc == ssrc }) {
            change(&early[index])
        } else {
            if early.count >= Self.earlyLimit { early.removeFirst() }
            var new = Early(ssrc: ssrc)
            change(&new)
            early.append(new)
        }
    }
}

// MARK: - Statistics

extension RTPSession {
    package func statistics(at now: WallTime) -> RTPStatistics {
        var statistics = RTPStatistics()
        statistics.streams = streams.map { stream in
            var snapshot = stream.snapshot
            if let member = stream.carriage?.member {
                snapshot.clock = program.timeline.status(of: member, at: now)
            }
            return snapshot
        }
        statistics.accessUnits = program.announcer.accessUnits
        statistics.discontinuities = program.announcer.discontinuities
        statistics.misplacedUnits = program.misplacedUnits
        statistics.recoveredPackets = streams.reduce(recovered) {
            $0 &+ ($1.correctionStatistics?.recovered ?? 0)
        }
        for stream in streams { statistics.add(stream.correctionStatistics) }
        statistics.refusedPackets = refused
        statistics.packetsRequested = feedback.packetsRequested
        statistics.keyframesRequested = feedback.keyframesRequested
        statistics.transportStream = program.transportStream?.statistics
        return statistics
    }

    /// RTCP for the sender: reports when they are due, and at once what is missing, where the session
    /// description says that the sender takes it.
    ///
    /// - Returns: `nil` when nothing is due.
    package mutating func takeFeedback(now: WallTime) -> ByteBuffer? {
        feedback.take(&streams, plan, now: now)
    }

    /// The last RTCP packet: this receiver leaves.
    ///
    /// - Returns: `nil` when no report was ever sent.
    package mutating func goodbye() -> ByteBuffer? {
        feedback.goodbye()
    }
}

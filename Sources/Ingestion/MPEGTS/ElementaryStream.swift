import Media

/// One audio or video stream of the program: PES packets to access units.
///
/// In:     the transport packets of one PID, in order.
/// Out:    the access units of each PES packet as soon as it is complete, in decoding order, with
///         times on the program's timeline. `dts` grows within an epoch: a picture's that does not
///         is moved one tick behind the last (pictures that follow need it), a sound's is dropped.
/// Damage: a video PES packet with missing bytes is dropped whole, because decoders smear what is
///         left of it. Of an audio PES packet the frames before the gap are kept.
struct ElementaryStream {
    private static let audioPESLimitBytes = 1 << 20
    /// For several pictures in one PES packet when nothing else tells how far apart they are.
    private static let fallbackFrameTicks: Int64 = 3_000

    let description: ElementaryStreamDescription
    private var continuity = ContinuityCounter()
    private var pes: PESAssembler
    /// One of the two is set; optionals, not an enum, because a parser is changed in place.
    private var video: VideoBitstreamParser?
    private var audio: AudioBitstreamParser?
    /// A format that is not announced yet because its first frame was dropped.
    private var newAudioFormat: AudioFormat?
    private var cursor = Timeline.Cursor()
    /// That packets come.
    var presence: TransportStreamMonitor.Recurrence
    /// When a PES packet with PTS began last, in the time of the program's clock.
    private var lastTimestamp: Int64?
    /// When the last byte of the PES packet at hand arrived.
    private var arrival = WallTime(microsecondsSinceEpoch: 0)

    /// - Returns: `nil` for a data stream.
    init?(
        _ description: ElementaryStreamDescription,
        pesLimitBytes: Int,
        presence: TransportStreamMonitor.Recurrence
    ) {
        self.description = description
        self.presence = presence
        switch description.contents {
        case .video(let codec):
            video = VideoBitstreamParser(codec: codec)
            pes = PESAssembler(limitBytes: pesLimitBytes, joinsUnstamped: true)
        case .audio(let framing, let opusChannelConfiguration):
            audio = AudioBitstreamParser(
                framing: framing,
                opusChannelConfiguration: opusChannelConfiguration
            )
            pes = PESAssembler(
                limitBytes: min(pesLimitBytes, Self.audioPESLimitBytes),
                joinsUnstamped: false
            )
        case .data:
            return nil
        }
    }

    /// PES packets dropped.
    var damagedPESPackets: UInt64 { pes.damaged }

    /// Pictures that came before anything they could be decoded from.
    var undecodableUnits: UInt64 { video?.droppedUnits ?? 0 }

    /// Takes one packet that has a payload.
    mutating func receive(
        _ packet: TransportPacket,
        _ payload: Span<UInt8>,
        arrival: WallTime,
        program: inout SelectedProgram,
        emit: (MediaEvent) -> Void
    ) {
        presence.note(at: program.monitor.now)
        switch continuity.follow(packet) {
        case .inOrder:
            break
        case .maybeRepeated where pes.endsWith(payload):
            return
        case .maybeRepeated, .lost:
            program.statistics.continuityErrors &+= 1
            lose(&program, emit)
        case .restarted:
            lose(&program, emit)
        }
        guard !packet.isScrambled else {
            program.statistics.scrambledPackets &+= 1
            lose(&program, emit)
            return
        }
        if packet.startsUnit {
            if payload.count >= PESHeader.fixedByteCount, PESHeader.isStamped(payload) {
                program.monitor.receiveTimestamp(last: &lastTimestamp)
            }
            if pes.completes(beforeStart: payload) { deliver(&program, emit) }
        }
        self.arrival = arrival
        if pes.append(payload, of: packet) { deliver(&program, emit) }
    }

    /// Takes the packets at the front that are this stream's and only go on with the PES packet at hand.
    ///
    /// - Returns: How many were taken.
    mutating func receiveRun(_ packets: Span<UInt8>, arrival: WallTime) -> Int {
        guard let counter = continuity.expected else { return 0 }
        let header = TransportPacket.continuationHeader(pid: description.pid)
        let limit = min(packets.count / TransportPacket.byteCount, pes.continuationLimit)
        let count = packets.withUnsafeBytes { bytes in
            var count = 0
            while count < limit {
                let start = count * TransportPacket.byteCount
                let found = bytes.loadUnaligned(fromByteOffset: start, as: UInt32.self)
                let expected = header | UInt32((count &+ Int(counter)) & 0x0F)
                guard UInt32(bigEndian: found) == expected else { break }
                count += 1
            }
            return count
        }
        guard count > 0 else { return 0 }
        pes.append(continuations: packets, count: count)
        continuity.advance(by: count)
        self.arrival = arrival
        return count
    }

    /// The contribution is over: hands on the last PES packet when it looks complete.
    mutating func finish(program: inout SelectedProgram, emit: (MediaEvent) -> Void) {
        if pes.completesAtFinish() { deliver(&program, emit) }
    }

    private mutating func lose(_ program: inout SelectedProgram, _ emit: (MediaEvent) -> Void) {
        let hadPayload = pes.lose()
        guard audio != nil else { return }
        if hadPayload { deliver(&program, emit) }
        audio?.reset()
    }

    /// Hands on what is in the PES packet at hand.
    private mutating func deliver(_ program: inout SelectedProgram, _ emit: (MediaEvent) -> Void) {
        guard let header = pes.header else { return }
        guard let pts = header.pts else {
            // Only sound comes here: its frames follow those before them.
            deliverSound(pts: nil, &program, emit)
            return
        }
        guard
            let position = program.timeline.place(
                pts: pts,
                dts: video == nil ? nil : header.dts,
                cursor: &cursor,
                leads: program.leadingPID == description.pid
            )
        else {
            program.statistics.misplacedAccessUnits &+= 1
            audio?.reset()
            return
        }
        if position.isCorrected { program.statistics.correctedTimestamps &+= 1 }
        if position.startsEpoch {
            program.clock.beginEpoch()
            program.announcer.beginEpoch(emit)
        }
        program.announcer.hear(description.trackID, dts: position.dts)
        if video == nil {
            if position.isFirstInEpoch { audio?.reset() }
            deliverSound(pts: position.pts, &program, emit)
        } else {
            deliverPictures(at: position, &program, emit)
        }
    }

    private mutating func deliverPictures(
        at position: Timeline.Position,
        _ program: inout SelectedProgram,
        _ emit: (MediaEvent) -> Void
    ) {
        let bytes = pes.buffer
        guard let units = video?.parse(bytes.span.extracting(pes.payload)) else { return }
        var position = position
        // Nearly always there is one.
        let frameTicks = units.count > 1 ? frameTicks : 0
        for unit in units {
            let dts = cursor.advanceNudging(to: position.dts)
            if dts != position.dts { program.statistics.correctedTimestamps &+= 1 }
            let accessUnit = AccessUnit(
                track: description.trackID,
                pts: MediaTime(mpegTicks: max(position.pts, dts)),
                dts: MediaTime(mpegTicks: dts),
                payload: unit.payload,
                randomAccess: unit.randomAccess,
                isDisposable: unit.isDisposable,
                temporalLayer: unit.temporalLayer,
                arrival: arrival,
                sourceTime: program.clock.time(at: dts, arrival: arrival)
            )
            program.announcer.receive(
                accessUnit,
                newFormat: unit.newFormat.map { .video($0) },
                emit
            )
            position.pts &+= frameTicks
            position.dts &+= frameTicks
        }
    }

    private mutating func deliverSound(
        pts: Int64?,
        _ program: inout SelectedProgram,
        _ emit: (MediaEvent) -> Void
    ) {
        let bytes = pes.buffer
        let time = pts.map { MediaTime(mpegTicks: $0) }
        guard let units = audio?.parse(bytes.span.extracting(pes.payload), pts: time) else {
            return
        }
        for unit in units {
            newAudioFormat = unit.newFormat ?? newAudioFormat
            guard cursor.advance(to: unit.pts.ticks) else {
                program.statistics.misplacedAccessUnits &+= 1
                continue
            }
            let accessUnit = AccessUnit(
                track: description.trackID,
                pts: unit.pts,
                dts: unit.pts,
                payload: unit.payload,
                randomAccess: .closed,
                arrival: arrival,
                sourceTime: program.clock.time(at: unit.pts.ticks, arrival: arrival)
            )
            program.announcer.receive(
                accessUnit,
                newFormat: newAudioFormat.map { .audio($0) },
                emit
            )
            newAudioFormat = nil
        }
    }

    /// How far apart pictures are, from the bitstream's own frame rate.
    private var frameTicks: Int64 {
        guard let rate = video?.format?.frameRate, rate.numerator > 0 else {
            return Self.fallbackFrameTicks
        }
        let frame = MediaTime(
            ticks: Int64(rate.denominator),
            timescale: UInt32(clamping: rate.numerator)
        )
        return frame.converted(to: MediaTime.mpegTimescale).ticks
    }
}

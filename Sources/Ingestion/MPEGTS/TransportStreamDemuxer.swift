import Media

/// Leads each transport packet to what its PID carries, and follows the program tables.
///
/// The selected program's first video stream and its first 32 audio streams are carried; every
/// other stream is listed as data and its packets are counted. A stream that stays in a new version
/// of the map goes on undisturbed.
struct TransportStreamDemuxer {
    private enum Route {
        case ignored
        case data
        /// An index into `assemblers`.
        case sections(UInt8)
        /// An index into `streams`.
        case elementary(UInt8)
    }

    private static let audioLimit = 32
    /// Tables that have a PID to themselves.
    private static let reservedTables: [(pid: UInt16, table: Section.Table)] = [
        (0, .programAssociation), (TransportStreamMonitor.conditionalAccessPID, .conditionalAccess),
    ]
    /// PIDs below are reserved for tables.
    private static let firstFreePID: UInt16 = 0x10

    private let configuration: IngestSession.Configuration
    /// One entry for each of the 8,192 PIDs.
    private var routes = [Route](repeating: .ignored, count: 0x2000)
    private var assemblers: [(pid: UInt16, sections: SectionAssembler, counter: ContinuityCounter)]
    private var streams: [ElementaryStream] = []
    private var selection = ProgramSelection()
    /// What `routes` and `streams` were made for.
    private var map: ProgramMap?
    /// Of `selection`, for which the assemblers and all else were made.
    private var followedRevision = 0
    private var program: SelectedProgram
    /// Counts of assemblers and streams that are gone.
    private var retired = TransportStreamStatistics()

    init(configuration: IngestSession.Configuration) {
        self.configuration = configuration
        program = SelectedProgram(
            announcer: TrackAnnouncer(configuration: configuration),
            monitor: TransportStreamMonitor(absenceLimit: configuration.absenceLimit)
        )
        assemblers = []
        followTables(Self.reservedTables.map(\.pid))
        for index in assemblers.indices {
            routes[Int(assemblers[index].pid)] = .sections(UInt8(index))
        }
    }

    /// What the framer counts is 0 here.
    var statistics: TransportStreamStatistics {
        var statistics = program.statistics
        statistics.sectionErrors = retired.sectionErrors &+ selection.errors
        statistics.errors = program.monitor.errors
        statistics.errors.checksumErrors = retired.errors.checksumErrors
        for assembler in assemblers where assembler.pid != TimeTable.pid {
            statistics.sectionErrors &+= assembler.sections.errors
            statistics.errors.checksumErrors &+= assembler.sections.checksumErrors
        }
        // The reserved tables are the first, and stay.
        statistics.errors.associationErrors &+= assemblers[0].sections.foreignSections
        statistics.errors.conditionalAccessErrors &+= assemblers[1].sections.foreignSections
        statistics.damagedPESPackets = retired.damagedPESPackets
        statistics.undecodableAccessUnits = retired.undecodableAccessUnits
        for stream in streams {
            statistics.damagedPESPackets &+= stream.damagedPESPackets
            statistics.undecodableAccessUnits &+= stream.undecodableUnits
        }
        statistics.accessUnits = program.announcer.accessUnits
        statistics.discontinuities = program.announcer.discontinuities
        statistics.programs = selection.programCount
        statistics.selectedProgram = selection.current?.programNumber
        statistics.hasSourceClock = program.clock.isSet
        return statistics
    }

    /// What follows arrived at another time than what came before, or may have.
    mutating func pass(to arrival: WallTime) {
        let scrambledPackets = program.statistics.scrambledPackets
        guard program.monitor.pass(to: arrival, scrambledPackets: scrambledPackets) else { return }
        for index in streams.indices { program.monitor.judge(&streams[index].presence) }
    }

    /// No packets are found.
    mutating func pause() {
        program.monitor.pause()
    }

    /// Takes one packet of 188 bytes that begins with the sync byte.
    mutating func receive(
        _ bytes: Span<UInt8>,
        arrival: WallTime,
        emit: (MediaEvent) -> Void
    ) {
        let packet = TransportPacket(bytes)
        program.statistics.packets &+= 1
        guard !packet.hasTransportError, !packet.isMalformed else {
            program.statistics.transportErrors &+= 1
            return
        }
        guard packet.pid != TransportPacket.nullPID else {
            program.statistics.nullPackets &+= 1
            return
        }
        if packet.concernsClock, packet.pid == map?.clockPID {
            receiveClock(packet, bytes, arrival: arrival)
        }
        guard !packet.payload.isEmpty else { return }
        switch routes[Int(packet.pid)] {
        case .ignored:
            break
        case .data:
            program.statistics.dataPackets &+= 1
        case .sections(let index):
            receiveSections(
                packet,
                bytes.extracting(packet.payload),
                Int(index),
                arrival: arrival,
                emit: emit
            )
        case .elementary(let index):
            streams[Int(index)].receive(
                packet,
                bytes.extracting(packet.payload),
                arrival: arrival,
                program: &program,
                emit: emit
            )
        }
    }

    /// Takes the packets at the front that only go on with a PES packet: nearly all of a contribution.
    ///
    /// It does what `receive` does with each, for less.
    ///
    /// - Parameters:
    ///   - packets: Whole packets of 188 bytes, if their sync bytes say so.
    ///   - arrival: When they reached this machine.
    /// - Returns: How many were taken; the next one is for `receive`.
    mutating func receiveRun(_ packets: Span<UInt8>, arrival: WallTime) -> Int {
        guard packets.count >= TransportPacket.byteCount else { return 0 }
        let pid = UInt16(packets[1] & 0x1F) << 8 | UInt16(packets[2])
        guard case .elementary(let index) = routes[Int(pid)] else { return 0 }
        let count = streams[Int(index)].receiveRun(packets, arrival: arrival)
        program.statistics.packets &+= UInt64(count)
        return count
    }

    /// The contribution is over.
    mutating func finish(emit: (MediaEvent) -> Void) {
        for index in streams.indices { streams[index].finish(program: &program, emit: emit) }
        program.announcer.finish(emit)
    }

    private mutating func receiveClock(
        _ packet: TransportPacket,
        _ bytes: Span<UInt8>,
        arrival: WallTime
    ) {
        if packet.isDiscontinuous {
            program.timeline.expectJump()
            program.monitor.expectJump()
        }
        guard let clock = packet.clock(in: bytes) else { return }
        program.monitor.receiveClock(clock, arrival: arrival)
    }

    private mutating func receiveSections(
        _ packet: TransportPacket,
        _ payload: Span<UInt8>,
        _ index: Int,
        arrival: WallTime,
        emit: (MediaEvent) -> Void
    ) {
        switch assemblers[index].counter.follow(packet) {
        case .inOrder: break
        // Should fifteen have been lost instead: tables are sent again and again.
        case .maybeRepeated: return
        case .restarted: assemblers[index].sections.lose()
        case .lost:
            program.statistics.continuityErrors &+= 1
            assemblers[index].sections.lose()
        }
        guard !packet.isScrambled else {
            program.statistics.scrambledPackets &+= 1
            program.monitor.receiveScrambledTable(on: assemblers[index].pid)
            return
        }
        let sections = assemblers[index].sections.receive(payload, startsUnit: packet.startsUnit)
        let pid = assemblers[index].pid
        if pid == TimeTable.pid, let time = assemblers[index].sections.takeTime() {
            program.clock.set(time.instant, at: program.timeline.newest, arrival: arrival)
        }
        guard !sections.isEmpty else { return }
        for section in sections {
            program.monitor.receive(section.table, on: pid)
            selection.receive(section, pid: pid)
        }
        follow(emit)
    }

    /// Brings routes and streams in line with the tables.
    private mutating func follow(_ emit: (MediaEvent) -> Void) {
        // Tables are sent again ten times a second.
        guard selection.revision != followedRevision else { return }
        followedRevision = selection.revision
        let tablePIDs = tablePIDs
        let hasNewMap = selection.current != map
        guard hasNewMap || tablePIDs != assemblers.map(\.pid) else { return }
        followTables(tablePIDs)
        if selection.current?.clockPID != map?.clockPID {
            program.monitor.followClock(
                isThere: selection.current.map { $0.clockPID != TransportPacket.nullPID } ?? false
            )
        }
        map = selection.current
        let descriptions = carriedStreams()
        followStreams(descriptions)
        routes = makeRoutes(descriptions)
        let leading = descriptions.first(where: \.isVideo) ?? descriptions.first(where: \.isAudio)
        program.leadingPID = leading?.pid
        if hasNewMap { program.announcer.setStreams(descriptions.map(\.track), emit) }
    }

    /// Outside DVB the PID of its time tables may carry anything.
    private var tablePIDs: [UInt16] {
        let isFree = selection.current?.streams.contains { $0.pid == TimeTable.pid } == false
        let reserved = Self.reservedTables.map(\.pid)
        let pids = reserved + selection.mapPIDs.filter { !reserved.contains($0) }
        return isFree && !pids.contains(TimeTable.pid) ? pids + [TimeTable.pid] : pids
    }

    private mutating func followTables(_ pids: [UInt16]) {
        let before = assemblers
        assemblers = pids.map { pid in
            let onlyTable = Self.reservedTables.first { $0.pid == pid }?.table
            return before.first { $0.pid == pid }
                ?? (pid, SectionAssembler(onlyTable: onlyTable), ContinuityCounter())
        }
        let mapPIDs = selection.mapPIDs
        program.monitor.follow(
            tablePIDs: pids.filter { $0 != TimeTable.pid || mapPIDs.contains($0) }
        )
        for assembler in before
        where !pids.contains(assembler.pid) && assembler.pid != TimeTable.pid {
            retired.sectionErrors &+= assembler.sections.errors
            retired.errors.checksumErrors &+= assembler.sections.checksumErrors
        }
    }

    /// The streams of the map on PIDs of their own; those that are not carried turned into data.
    private func carriedStreams() -> [ElementaryStreamDescription] {
        var taken = Set(assemblers.map(\.pid))
        var videoCount = 0
        var audioCount = 0
        return (map?.streams ?? []).compactMap { stream in
            guard stream.pid >= Self.firstFreePID, stream.pid != TransportPacket.nullPID,
                taken.insert(stream.pid).inserted
            else { return nil }
            if stream.isVideo { videoCount += 1 }
            if stream.isAudio { audioCount += 1 }
            let isCarried = stream.isVideo ? videoCount == 1 : audioCount <= Self.audioLimit
            return isCarried ? stream : stream.asData
        }
    }

    private mutating func followStreams(_ descriptions: [ElementaryStreamDescription]) {
        var before = streams
        streams = descriptions.compactMap { description in
            let index = before.firstIndex { $0.description.isSameStream(as: description) }
            return index.map { before.remove(at: $0) }
                ?? ElementaryStream(
                    description,
                    pesLimitBytes: configuration.pesLimitBytes,
                    presence: .init(at: program.monitor.now)
                )
        }
        for stream in before {
            retired.damagedPESPackets &+= stream.damagedPESPackets
            retired.undecodableAccessUnits &+= stream.undecodableUnits
        }
    }

    private func makeRoutes(_ descriptions: [ElementaryStreamDescription]) -> [Route] {
        var routes = [Route](repeating: .ignored, count: 0x2000)
        for description in descriptions { routes[Int(description.pid)] = .data }
        for (index, stream) in streams.enumerated() {
            routes[Int(stream.description.pid)] = .elementary(UInt8(index))
        }
        for (index, assembler) in assemblers.enumerated() {
            routes[Int(assembler.pid)] = .sections(UInt8(index))
        }
        return routes
    }
}

import Media
import NIOCore

/// One SSRC of an RTP contribution.
///
/// It waits, with a copy of its packets, until it is believed and its place among the tracks is free;
/// then it is carried, from its first packet on.
struct RTPStream {
    /// How many packets a stream that waits may hold.
    private static let waitingPacketLimit = 4_096

    private struct Waiting {
        let packet: RTPPacket
        let datagram: ByteBuffer
        let arrival: WallTime
    }

    let ssrc: UInt32
    let medium: Int?
    private(set) var payloadType: UInt8
    var state = RTPStatistics.State.probation
    var cname: String?
    /// The SSRC whose packets these repeat, and as which payload type.
    var original: (ssrc: UInt32, payloadType: UInt8)?
    private(set) var lastArrival: WallTime
    private(set) var carriage: RTPCarriage?
    private(set) var isCarried = false

    private(set) var reception: RTPReception
    private var reorder: RTPReorderBuffer
    /// From the first FEC packet on.
    private var correction: RTPForwardErrorCorrection?
    private var waiting: [Waiting] = []
    private(set) var waitingBytes = 0
    private var waitingReport: RTCPSenderReport?

    init(
        _ packet: RTPPacket,
        medium: Int?,
        clockRate: Int,
        probation: Int,
        reorder: RTPReorderBuffer.Configuration,
        arrival: WallTime
    ) {
        ssrc = packet.ssrc
        payloadType = packet.payloadType
        self.medium = medium
        lastArrival = arrival
        reception = RTPReception(clockRate: clockRate, minimumSequential: probation)
        self.reorder = RTPReorderBuffer(configuration: reorder)
    }

    var reordering: RTPReorderBuffer.Statistics { reorder.statistics }
    var deadline: WallTime? { isCarried ? reorder.deadline : nil }
    var missing: [UInt16] { isCarried ? reorder.missing : [] }
    var needsKeyframe: Bool { carriage?.needsKeyframe ?? false }
    /// Since when packets wait.
    var waitingSince: WallTime? { waiting.first?.arrival }

    /// Takes a packet of a stream that is carried.
    @inline(__always)
    mutating func carry(
        _ packet: RTPPacket,
        _ datagram: ByteBuffer,
        arrival: WallTime,
        program: inout RTPProgram,
        _ emit: (MediaEvent) -> Void
    ) {
        lastArrival = arrival
        let number: Int64
        switch reception.receive(packet, arrival: arrival) {
        case .accepted(let extended):
            number = extended
        case .restarted(let extended):
            flush(arrival: arrival, program: &program, emit)
            carriage?.receive(.lost(1), arrival: arrival, program: &program, emit)
            number = extended
        case .probation, .duplicate, .invalid:
            return
        }
        if correction != nil {
            let recovered = correction?.media(
                packet,
                extendedSequence: number,
                datagram: datagram,
                arrival: arrival
            )
            recover(recovered ?? [], arrival: arrival, program: &program, emit)
        }
        sort(packet, number, datagram, arrival: arrival, program: &program, emit)
    }

    /// Takes a packet of forward error correction.
    mutating func correct(
        _ datagram: ByteBuffer,
        arrival: WallTime,
        program: inout RTPProgram,
        _ emit: (MediaEvent) -> Void
    ) {
        guard isCarried else { return }
        if correction == nil { correction = RTPForwardErrorCorrection() }
        let recovered = correction?.fec(datagram, arrival: arrival) ?? []
        if let delay = correction?.delay { reorder.expect(delay, arrival: arrival) }
        recover(recovered, arrival: arrival, program: &program, emit)
    }

    /// Every way is past this packet; those behind it may come yet.
    mutating func setPassed(_ number: UInt16, at now: WallTime) {
        guard isCarried else { return }
        reorder.setPassed(reception.extendedSequence(of: number), at: now)
    }

    private mutating func recover(
        _ datagrams: [ByteBuffer],
        arrival: WallTime,
        program: inout RTPProgram,
        _ emit: (MediaEvent) -> Void
    ) {
        for datagram in datagrams {
            guard let packet = try? RTPPacket(datagram.readableBytesUInt8Span) else { continue }
            recover(packet, datagram, arrival: arrival, program: &program, emit)
        }
    }

    /// Takes a packet that did not come by the network but was sent again or rebuilt.
    mutating func recover(
        _ packet: RTPPacket,
        _ datagram: ByteBuffer,
        arrival: WallTime,
        program: inout RTPProgram,
        _ emit: (MediaEvent) -> Void
    ) {
        guard isCarried else { return }
        let number = reception.extendedSequence(of: packet.sequenceNumber)
        sort(packet, number, datagram, arrival: arrival, program: &program, emit)
    }

    private mutating func sort(
        _ packet: RTPPacket,
        _ number: Int64,
        _ datagram: ByteBuffer,
        arrival: WallTime,
        program: inout RTPProgram,
        _ emit: (MediaEvent) -> Void
    ) {
        reorder.receive(packet, extendedSequence: number, datagram: datagram, arrival: arrival) {
            carriage?.receive($0, arrival: arrival, program: &program, emit)
        }
    }

    /// Gives up on packets that are overdue.
    mutating func advance(
        to now: WallTime,
        program: inout RTPProgram,
        _ emit: (MediaEvent) -> Void
    ) {
        guard isCarried else { return }
        reorder.advance(to: now) {
            carriage?.receive($0, arrival: now, program: &program, emit)
        }
    }

    /// Hands on what is held: the sequence ends here.
    mutating func flush(
        arrival: WallTime,
        program: inout RTPProgram,
        _ emit: (MediaEvent) -> Void
    ) {
        reorder.flush { carriage?.receive($0, arrival: arrival, program: &program, emit) }
        carriage?.finish(arrival: arrival, program: &program, emit)
    }

    /// Takes a packet of a stream that is not carried; nothing is kept of one that never will be.
    ///
    /// - Returns: Whether the source is believed.
    mutating func wait(_ packet: RTPPacket, _ datagram: ByteBuffer, arrival: WallTime) -> Bool {
        lastArrival = arrival
        payloadType = packet.payloadType
        switch reception.receive(packet, arrival: arrival) {
        case .duplicate, .invalid:
            return reception.hasPassedProbation
        case .restarted:
            forget()
        case .probation, .accepted:
            break
        }
        if waiting.count >= Self.waitingPacketLimit { forget() }
        let copy = ByteBuffer(bytes: datagram.readableBytesView)
        waiting.append(Waiting(packet: packet, datagram: copy, arrival: arrival))
        waitingBytes += copy.readableBytes
        return reception.hasPassedProbation
    }

    /// Counts a packet that goes nowhere by itself.
    mutating func note(_ packet: RTPPacket, arrival: WallTime) {
        lastArrival = arrival
        payloadType = packet.payloadType
        _ = reception.receive(packet, arrival: arrival)
    }

    /// It is not carried, for as long as this holds.
    mutating func refuse(_ reason: String) {
        state = .notCarried(reason)
        forget()
    }

    mutating func setCNAME(_ cname: String, program: inout RTPProgram) {
        self.cname = cname
        if let member = carriage?.member { program.timeline.setCNAME(cname, of: member) }
    }

    /// Packets that waited are of no use any more.
    mutating func forget() {
        waiting = []
        waitingBytes = 0
    }

    /// Takes the sender's report, which waits as long as the packets do.
    mutating func receive(
        _ report: RTCPSenderReport,
        arrival: WallTime,
        program: inout RTPProgram
    ) {
        reception.receive(report, arrival: arrival)
        guard let carriage else {
            waitingReport = report
            return
        }
        if let member = carriage.member {
            program.receive(report, of: member, arrival: arrival)
        }
    }

    /// From here on the stream is carried; what waited goes first.
    mutating func begin(
        _ carriage: RTPCarriage,
        arrival: WallTime,
        program: inout RTPProgram,
        _ emit: (MediaEvent) -> Void
    ) {
        self.carriage = carriage
        isCarried = true
        payloadType = carriage.payloadType
        state = .carried
        reception.setClockRate(carriage.format.clockRate)
        if let member = carriage.member {
            if let cname { program.timeline.setCNAME(cname, of: member) }
            if let waitingReport {
                program.receive(waitingReport, of: member, arrival: arrival)
            }
        }
        waitingReport = nil
        let packets = waiting.map { ($0, reception.extendedSequence(of: $0.packet.sequenceNumber)) }
        forget()
        for (waited, number) in packets.sorted(by: { $0.1 < $1.1 }) {
            sort(
                waited.packet,
                number,
                waited.datagram,
                arrival: waited.arrival,
                program: &program,
                emit
            )
        }
    }

    /// It is carried no longer: its place is taken, it left, or its payload changed.
    mutating func end(
        arrival: WallTime,
        program: inout RTPProgram,
        _ emit: (MediaEvent) -> Void
    ) {
        flush(arrival: arrival, program: &program, emit)
        if let member = carriage?.member { program.leave(member) }
        carriage = nil
        isCarried = false
        state = .left
        forget()
    }

    /// `nil` while no FEC packet came.
    var correctionStatistics: RTPForwardErrorCorrection.Statistics? { correction?.statistics }

    /// Without its clock, which the timeline knows.
    var snapshot: RTPStatistics.Stream {
        var snapshot = RTPStatistics.Stream(
            ssrc: ssrc,
            medium: medium,
            payloadType: payloadType,
            state: state
        )
        snapshot.format = carriage?.format
        snapshot.track = carriage?.track?.id
        snapshot.cname = cname
        snapshot.reception = reception.statistics
        snapshot.reordering = reorder.statistics
        if let carriage {
            snapshot.units = carriage.statistics
            snapshot.hint = carriage.hint
        }
        return snapshot
    }

    mutating func makeReportBlock(now: WallTime) -> RTCPReceptionReport {
        reception.makeReportBlock(now: now)
    }
}

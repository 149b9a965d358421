package import Media

/// The one timeline of an RTP contribution: puts the clocks of its streams on it, in lip sync.
///
/// Each stream has a clock of its own, with a start of its own. One leads: the first sound, or the
/// picture where there is none. Its timestamps run through unchanged, so sound is never bent. The
/// others follow it:
///
/// - where both have sender reports of one clock, by these: in lip sync as the sender has it;
/// - until then by arrival (`ArrivalEnvelope`).
///
/// A follower is moved by what its clock drifts, and by what reports correct, slowly: a picture by at
/// most 2 % of the time that passes, a second sound by 0.2 %. Only its first unit, one after a silence
/// of 3 s, and one that is off by more than 5 s is put where it belongs at once. When another stream
/// begins to lead, nothing moves.
///
/// Jumps: a step back by more than 0.5 s, one forward by 5 s more than what passed here, or a pause of
///        10 s that timestamps do not tell of. The stream goes on where it arrives. A jump of the
///        leading stream begins a new epoch, and so does a follower that has to be set back by 5 s.
/// Units: ticks of the 90 kHz clock.
/// Bound: `memberLimit` streams.
/// Source: RFC 3550, 5.1 and 6.4.1.
package struct RTPTimeline: Sendable {
    /// What a stream is put in its place by.
    package enum ClockSource: String, Sendable, CaseIterable {
        case senderReport = "sender_report"
        case arrival
    }

    /// Who joined; given back by `join`.
    package typealias Member = Int

    package struct Position: Sendable, Equatable {
        package var ticks: Int64
        /// The timeline begins anew here: the leading clock jumped, or a follower had to be set back
        /// by too much.
        package var startsEpoch = false
        /// Counts the epochs; times of one are not compared with those of another.
        package var epoch = 0
        /// The time does not go on from that of the stream's unit before.
        package var isBroken = false
    }

    /// How a stream's clock is doing.
    package struct Status: Sendable, Equatable {
        package var source = ClockSource.arrival
        package var leads = false
        /// How far the stream still is from where its clock says; positive when it is shown late.
        package var offset = Duration.zero
        /// How far it was moved since it was put in its place.
        package var correction = Duration.zero
        /// Its clock against this machine's, in millionths; positive when it runs fast, `nil` while
        /// it has not been seen for long enough.
        package var driftPPM: Double?
        package var jumps: UInt64 = 0

        package init() {}
    }

    package static let memberLimit = 64
    /// Where a timeline begins, so that decoding times before the first picture are not negative.
    static let origin: Int64 = 10 * 90_000
    /// Further off, a follower is put in its place at once; and reports that say so are of clocks
    /// that have nothing to do with each other.
    private static let slewLimit: Int64 = 5 * 90_000
    /// A follower makes up for its error in about this time, when it may.
    private static let settlingTicks: Int64 = 4 * 90_000

    private let isSynchronised: Bool
    private var clocks: [RTPClock?] = []
    /// The latest place of any stream, and when that came.
    package private(set) var newest: Int64?
    private var newestArrival = WallTime(microsecondsSinceEpoch: 0)
    private var epoch = 0

    /// A timeline without streams.
    ///
    /// - Parameter isSynchronised: The streams share the sender's clock, whatever their CNAMEs.
    package init(isSynchronised: Bool = false) {
        self.isSynchronised = isSynchronised
    }

    /// A stream joins.
    ///
    /// - Returns: `nil` when there are too many.
    package mutating func join(clockRate: Int, isAudio: Bool) -> Member? {
        let clock = RTPClock(clockRate: clockRate, isAudio: isAudio)
        if let free = clocks.firstIndex(where: { $0 == nil }) {
            clocks[free] = clock
            return free
        }
        guard clocks.count < Self.memberLimit else { return nil }
        clocks.append(clock)
        return clocks.count - 1
    }

    package mutating func leave(_ member: Member) {
        if clocks.indices.contains(member) { clocks[member] = nil }
    }

    /// Streams of different CNAMEs do not share a clock.
    package mutating func setCNAME(_ cname: String, of member: Member) {
        if clocks.indices.contains(member) { clocks[member]?.cname = cname }
    }

    package mutating func receive(
        _ report: RTCPSenderReport,
        of member: Member,
        arrival: WallTime
    ) {
        if clocks.indices.contains(member) { clocks[member]?.receive(report, arrival: arrival) }
    }

    /// Where the instant of a report is on the timeline; `nil` before the stream's first unit.
    package func ticks(of report: RTCPSenderReport, of member: Member) -> Int64? {
        guard clocks.indices.contains(member), let clock = clocks[member],
            let offset = clock.offset
        else { return nil }
        return clock.ticks(of: report.rtpTimestamp).map { $0 &+ offset }
    }

    /// Takes the time of a stream's next unit, in decoding order.
    ///
    /// - Parameters:
    ///   - timestamp: As the RTP header has it.
    ///   - member: The stream.
    ///   - arrival: When it came.
    /// - Returns: Its place.
    package mutating func place(
        _ timestamp: UInt32,
        of member: Member,
        arrival: WallTime
    ) -> Position {
        guard clocks.indices.contains(member), clocks[member] != nil else {
            return Position(ticks: newest ?? Self.origin, epoch: epoch)
        }
        // A stream that was silent does not lead, so this is looked up first.
        let leader = leader(at: arrival)
        let before = clocks[member]?.newest ?? 0
        let step = clocks[member]?.advance(to: timestamp, arrival: arrival) ?? .same
        var startsEpoch = false
        var isSetAtOnce = false
        if step != .same {
            if let leader, leader != member {
                let correction = follow(leader, member, step: step, since: before, arrival: arrival)
                isSetAtOnce = correction.magnitude > Self.slewLimit.magnitude
                startsEpoch = correction < -Self.slewLimit
            } else {
                startsEpoch = lead(member, step: step, arrival: arrival)
            }
        }
        let ticks = (clocks[member]?.ticks ?? 0) &+ (clocks[member]?.offset ?? 0)
        if startsEpoch { epoch &+= 1 }
        if startsEpoch || ticks > newest ?? .min {
            newest = ticks
            newestArrival = arrival
        }
        return Position(
            ticks: ticks,
            startsEpoch: startsEpoch,
            epoch: epoch,
            isBroken: startsEpoch || isSetAtOnce || step == .first || step == .jumped
        )
    }

    package func status(of member: Member, at now: WallTime) -> Status {
        guard clocks.indices.contains(member), let clock = clocks[member] else { return Status() }
        var status = Status()
        status.source = clock.source
        status.leads = leader(at: now) == member
        let offset = clock.offset ?? 0
        status.offset = .microseconds(Self.microseconds(offset &- clock.target))
        status.correction = .microseconds(
            Self.microseconds(offset &- (clock.firstOffset ?? offset))
        )
        status.driftPPM = clock.arrivals.driftPPM
        status.jumps = clock.jumps
        return status
    }

    /// The first sound that still comes, or else the first picture.
    package func leader(at now: WallTime) -> Member? {
        var picture: Member?
        for (index, clock) in clocks.enumerated() {
            guard let clock, clock.isActive(at: now) else { continue }
            if clock.isAudio { return index }
            if picture == nil { picture = index }
        }
        return picture
    }

    /// Places a unit of the leading stream, or of one that finds no other to follow.
    ///
    /// - Returns: Whether the timeline begins anew.
    private mutating func lead(
        _ member: Member,
        step: RTPClock.Step,
        arrival: WallTime
    ) -> Bool {
        guard var clock = clocks[member] else { return false }
        clocks[member] = nil
        defer { clocks[member] = clock }
        var startsEpoch = false
        if step == .first || step == .jumped {
            let passed = arrival.microsecondsSinceEpoch &- newestArrival.microsecondsSinceEpoch
            let ticks = newest.map { $0 &+ max(1, Self.ticks(passed)) } ?? Self.origin
            clock.offset = ticks &- clock.ticks
            clock.firstOffset = clock.offset
            clock.reportBias = 0
            startsEpoch = newest != nil
        }
        clock.target = clock.offset ?? 0
        clock.source = clock.senderOffset(at: arrival) == nil ? .arrival : .senderReport
        return startsEpoch
    }

    /// Moves a follower towards where it belongs.
    ///
    /// - Returns: How far its units were moved, but for those after a jump of its own.
    private mutating func follow(
        _ leader: Member,
        _ member: Member,
        step: RTPClock.Step,
        since before: Int64,
        arrival: WallTime
    ) -> Int64 {
        guard let leading = clocks[leader], var clock = clocks[member] else { return 0 }
        clocks[member] = nil
        defer { clocks[member] = clock }
        aim(&clock, at: leading, arrival: arrival)
        guard let offset = clock.offset, step != .jumped else {
            clock.offset = clock.target
            clock.firstOffset = clock.target
            return 0
        }
        let error = clock.target &- offset
        guard step == .onward, error.magnitude <= Self.slewLimit.magnitude else {
            clock.offset = clock.target
            return error
        }
        let passed = min(max(0, clock.newest &- before), Self.slewLimit)
        let most = passed / (clock.isAudio ? 500 : 50)
        let move = min(max(error * passed / Self.settlingTicks, -most), most)
        clock.offset = offset &+ move
        return move
    }

    /// Finds where a follower belongs.
    private func aim(_ clock: inout RTPClock, at leading: RTPClock, arrival: WallTime) {
        let start = leading.offset ?? 0
        let byArrival =
            start
            &+ Self.ticks(
                clock.arrivals.delay(at: arrival) &- leading.arrivals.delay(at: arrival)
            )
        if areOfOneSender(clock, leading), let own = clock.senderOffset(at: arrival),
            let other = leading.senderOffset(at: arrival)
        {
            let byReports = start &+ Self.ticks(own &- other)
            let bias = byReports &- byArrival
            if bias.magnitude <= Self.slewLimit.magnitude {
                clock.reportBias = bias
                clock.target = byReports
                clock.source = .senderReport
                return
            }
        }
        clock.target = byArrival &+ clock.reportBias
        clock.source = .arrival
    }

    private func areOfOneSender(_ one: RTPClock, _ other: RTPClock) -> Bool {
        guard !isSynchronised, let first = one.cname, let second = other.cname else { return true }
        return first == second
    }

    static func ticks(_ microseconds: Int64) -> Int64 {
        MediaTime(ticks: microseconds, timescale: 1_000_000)
            .converted(to: MediaTime.mpegTimescale).ticks
    }

    static func microseconds(_ ticks: Int64) -> Int64 {
        MediaTime(mpegTicks: ticks).converted(to: 1_000_000).ticks
    }
}

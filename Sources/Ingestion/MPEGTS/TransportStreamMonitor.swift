import Media

/// Judges whether everything in a transport stream comes as often as it has to.
///
/// Time:  tables and streams are judged by arrival, of which only the time counts in which bytes
///        came: an input that is silent as a whole, or comes in bursts, lacks nothing in particular.
///        PCR and PTS are judged by the program's own clock, `ProgramClockMonitor`.
/// Cost:  a packet of a stream stores one number; all else is done when time has passed or a table,
///        a PCR or a PES packet is here.
/// Bound: the tables that the demultiplexer follows, at most 67.
///
/// Source: ETSI TR 101 290, 5.2.1 and 5.2.2.
struct TransportStreamMonitor: Sendable {
    /// Something that has to come again within a time.
    struct Recurrence: Sendable {
        private var last: Int64

        /// - Parameter now: Where the time begins for what never came.
        init(at now: Int64) { last = now }

        mutating func note(at now: Int64) { last = now }

        /// Whether it is overdue; if so, its time begins anew, so that a long absence counts on.
        mutating func isOverdue(at now: Int64, limit: Int64) -> Bool {
            guard now - last > limit else { return false }
            last = now
            return true
        }
    }

    static let conditionalAccessPID: UInt16 = 1
    private static let associationPID: UInt16 = 0

    /// Arrivals are not told apart any finer: packets are taken out every 12 ms.
    private static let resolution: Int64 = 10_000
    /// Half a second, and what two arrivals may be off.
    private static let tableLimit: Int64 = 500_000 + 2 * resolution
    private static let timestampLimit: Int64 = 700_000
    /// A clock that is away for longer is judged without it.
    private static let clockLimit: Int64 = 1_000_000
    /// More than what lies between two arrivals of anything that can be called a stream.
    private static let silenceLimit: Int64 = 200_000

    let absenceLimit: Int64
    /// Microseconds in which bytes came.
    private(set) var now: Int64 = 0
    private(set) var clock = ProgramClockMonitor()
    private var counts = TransportStreamErrors()
    private var lastArrival: WallTime?
    private var tables: [(pid: UInt16, recurrence: Recurrence)] = []
    private var clockPresence = Recurrence(at: 0)
    private var hasClock = false
    /// What was scrambled when the absence of a CAT was looked at last.
    private var judgedScrambledPackets: UInt64 = 0

    init(absenceLimit: Duration) {
        self.absenceLimit = max(0, absenceLimit.microseconds)
    }

    var errors: TransportStreamErrors {
        var errors = counts
        errors.clockRepetitionErrors = clock.repetitionErrors
        errors.clockDiscontinuityErrors = clock.discontinuityErrors
        errors.clockJitterMicroseconds = clock.jitterMicroseconds
        errors.clockDriftPPM = clock.driftPPM
        return errors
    }

    /// Bytes follow that arrived then: all that arrived before is taken and can be judged.
    ///
    /// - Returns: Whether time has passed.
    mutating func pass(to arrival: WallTime, scrambledPackets: UInt64) -> Bool {
        guard let lastArrival else {
            lastArrival = arrival
            return false
        }
        let passed = arrival.microsecondsSinceEpoch
            .subtractingReportingOverflow(lastArrival.microsecondsSinceEpoch).partialValue
        guard !(0..<Self.resolution).contains(passed) else { return false }
        self.lastArrival = arrival
        judge(scrambledPackets: scrambledPackets)
        // A clock that is set back passes no time.
        let step = min(max(passed, 0), Self.silenceLimit)
        now &+= step
        if !clock.isRunning { clock.pass(microseconds: step) }
        return true
    }

    /// Packets are not found: until they are, nothing can be judged.
    mutating func pause() {
        lastArrival = nil
    }

    /// On these PIDs tables are due: the association table, the conditional access table, maps.
    mutating func follow(tablePIDs: [UInt16]) {
        let before = tables
        tables = tablePIDs.map { pid in
            before.first { $0.pid == pid } ?? (pid, Recurrence(at: now))
        }
    }

    /// The program's clock is another from here on, or is there no more.
    mutating func followClock(isThere: Bool) {
        hasClock = isThere
        clockPresence.note(at: now)
        clock.restart()
    }

    /// A whole section came.
    mutating func receive(_ table: Section.Table, on pid: UInt16) {
        let due: Section.Table =
            switch pid {
            case Self.associationPID: .programAssociation
            case Self.conditionalAccessPID: .conditionalAccess
            default: .programMap
            }
        guard table == due, let index = tables.firstIndex(where: { $0.pid == pid }) else { return }
        tables[index].recurrence.note(at: now)
    }

    mutating func receiveScrambledTable(on pid: UInt16) {
        switch pid {
        case Self.associationPID: counts.associationErrors &+= 1
        case Self.conditionalAccessPID: break
        default: if tables.contains(where: { $0.pid == pid }) { counts.mapErrors &+= 1 }
        }
    }

    /// The source says that its clock begins anew.
    mutating func expectJump() {
        clock.restart()
    }

    mutating func receiveClock(_ value: Int64, arrival: WallTime) {
        clockPresence.note(at: now)
        clock.receive(value, arrival: arrival.microsecondsSinceEpoch)
    }

    /// A PES packet with PTS begins.
    ///
    /// - Parameter last: When the stream's last one did; brought up to date.
    mutating func receiveTimestamp(last: inout Int64?) {
        let time = clock.elapsedMicroseconds
        if let last, time - last > Self.timestampLimit { counts.timestampErrors &+= 1 }
        last = time
    }

    /// A stream of the program may have gone.
    mutating func judge(_ stream: inout Recurrence) {
        if stream.isOverdue(at: now, limit: absenceLimit) { counts.absences &+= 1 }
    }

    private mutating func judge(scrambledPackets: UInt64) {
        for index in tables.indices {
            let pid = tables[index].pid
            let isConditionalAccess = pid == Self.conditionalAccessPID
            let limit = isConditionalAccess ? absenceLimit : Self.tableLimit
            guard tables[index].recurrence.isOverdue(at: now, limit: limit) else { continue }
            switch pid {
            case Self.associationPID:
                counts.associationErrors &+= 1
            case Self.conditionalAccessPID:
                if scrambledPackets > judgedScrambledPackets {
                    counts.conditionalAccessErrors &+= 1
                }
                judgedScrambledPackets = scrambledPackets
            default:
                counts.mapErrors &+= 1
            }
        }
        if hasClock, clockPresence.isOverdue(at: now, limit: Self.clockLimit) { clock.miss() }
    }
}

extension Duration {
    /// Whole microseconds; saturates.
    fileprivate var microseconds: Int64 {
        let (seconds, attoseconds) = components
        let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000)
        guard !overflow else { return seconds < 0 ? .min : .max }
        let (sum, hasOverflowed) = product.addingReportingOverflow(attoseconds / 1_000_000_000_000)
        return hasOverflowed ? (seconds < 0 ? .min : .max) : sum
    }
}

import Media

/// One way on which the feed comes, and how far it is.
struct MergeLeg: Sendable {
    enum Place: Sendable, Equatable {
        /// Its next packet is the one with this index of the output, or the next of all.
        case known(Int)
        /// Its packets wait until it is found where they belong: not before this index.
        case unknown(notBefore: Int)
    }

    /// Up to where packets that wait and the output have been compared.
    struct Searched: Sendable {
        var waiting = 0
        var history = 0
        /// In front of this one that waits is none from which the leg goes on where it was.
        var next = 0
    }

    /// What the counter of a PID said last.
    private struct Counter {
        var counter = ContinuityCounter()
        /// How many gaps were known when it was seen last.
        var knownGaps: UInt32 = 0
        /// Of the packet before: one that is sent twice is the same byte by byte.
        var digest: UInt16 = 0
        /// How often it broke where nothing was missing.
        var falseAlarms: UInt8 = 0
        /// Packets that were in order one after another while it was not listened to.
        var regained: UInt8 = 0
    }

    /// A counter that broke this often with nothing missing is broken where it is made.
    private static let falseAlarmLimit: UInt8 = 3
    /// So many packets in order, and it is listened to again.
    private static let regainedLimit: UInt8 = 200
    private static let pidCount = 0x2000

    var place = Place.unknown(notBefore: 0)
    /// Up to where in the output it was when its place was lost.
    private(set) var reached: Int?
    var searched = Searched()
    var waiting = WaitingPackets()
    var isPresent = false
    /// It was found in the feed since it came.
    var isProven = false
    /// Packets waited in vain, and others went on.
    var isStray = false
    var framer = TransportPacketFramer()
    var counts = LegStatistics()
    private(set) var lastArrival: WallTime?
    /// The transport lost something in front of what comes next.
    private var hasLost = false
    /// Gaps that are known: connections that have come, and what the transport and counters told of.
    private var knownGaps: UInt32 = 0
    /// The last of them that is certain, with nothing else missing behind it.
    private var toldGap: UInt32 = 0
    /// The PID whose counter broke where the place was lost.
    private var suspect: UInt16?
    private var counters: [Counter]

    init() {
        counters = [Counter](repeating: Counter(), count: Self.pidCount)
    }

    /// A connection has come.
    mutating func join() {
        dropWaiting(waiting.count)
        counts.skippedBytes &+= framer.skippedBytes
        framer = TransportPacketFramer()
        noteKnownGap()
        isPresent = true
        isProven = false
        isStray = false
        hasLost = false
        suspect = nil
        lastArrival = nil
        losePlace()
        // It may come over a longer way now, and bring what it brought before.
        place = .unknown(notBefore: 0)
    }

    mutating func leave() {
        isPresent = false
        losePlace()
    }

    mutating func note(arrival: WallTime) {
        lastArrival = arrival
    }

    mutating func noteLoss() {
        counts.gaps &+= 1
        hasLost = true
        noteKnownGap()
    }

    private mutating func noteKnownGap() {
        knownGaps &+= 1
        toldGap = knownGaps
    }

    /// It is not known any more what comes next.
    mutating func losePlace() {
        guard case .known(let index) = place else { return }
        reached = index
        place = .unknown(notBefore: index)
    }

    var isKnown: Bool {
        if case .known = place { true } else { false }
    }

    /// Lets packets that wait go, oldest first.
    mutating func dropWaiting(_ count: Int) {
        counts.unusedPackets &+= UInt64(count)
        removeWaiting(count)
    }

    mutating func removeWaiting(_ count: Int) {
        waiting.removeFirst(count)
        searched.waiting = max(0, searched.waiting - count)
        searched.next = max(0, searched.next - count)
    }

    /// Whether something came within the time before `now`.
    func isHeard(within time: Duration, of now: WallTime) -> Bool {
        guard isPresent, let lastArrival else { return false }
        return now.duration(since: lastArrival) < time
    }

    /// Looks at the next packet.
    ///
    /// - Returns: What it is known by, and whether something is missing in front of it.
    @inline(__always)
    mutating func examine(_ bytes: Span<UInt8>) -> (digest: UInt64, isAfterGap: Bool) {
        counts.packets &+= 1
        let packet = TransportPacket(bytes)
        let pid = Int(packet.pid)
        guard packet.pid != TransportPacket.nullPID else {
            return (PacketDigest.null, takeLoss())
        }
        let digest = PacketDigest.make(bytes)
        let short = UInt16(truncatingIfNeeded: digest)
        guard !packet.payload.isEmpty else { return (digest, takeLoss()) }
        // Of a gap that is certain, a counter has nothing new to tell.
        if counters[pid].knownGaps < toldGap { counters[pid].counter = ContinuityCounter() }
        let isNews = counters[pid].knownGaps == knownGaps
        counters[pid].knownGaps = knownGaps
        let verdict = counters[pid].counter.follow(packet)
        let isRepeated = short == counters[pid].digest
        counters[pid].digest = short
        let isInOrder =
            switch verdict {
            case .inOrder, .restarted: true
            case .maybeRepeated: isRepeated
            case .lost: false
            }
        guard counters[pid].falseAlarms < Self.falseAlarmLimit else {
            regainTrust(in: pid, isInOrder: isInOrder)
            return (digest, takeLoss())
        }
        guard !isInOrder else { return (digest, takeLoss()) }
        counts.gaps &+= 1
        knownGaps &+= 1
        counters[pid].knownGaps = knownGaps
        // It may be the gap that another counter has told of: no false alarm of this one.
        suspect = isNews ? packet.pid : nil
        return (digest, true)
    }

    /// Something, or nothing, turned out to be missing where the place was lost.
    mutating func settleSuspicion(isMissing: Bool) {
        guard let suspect else { return }
        self.suspect = nil
        if isMissing {
            counters[Int(suspect)].falseAlarms = 0
        } else {
            counters[Int(suspect)].falseAlarms &+= 1
        }
    }

    /// Listens to a counter again that has been right for a while: one more false alarm is enough then.
    private mutating func regainTrust(in pid: Int, isInOrder: Bool) {
        counters[pid].regained = isInOrder ? counters[pid].regained + 1 : 0
        guard counters[pid].regained == Self.regainedLimit else { return }
        counters[pid].regained = 0
        counters[pid].falseAlarms = Self.falseAlarmLimit - 1
    }

    @inline(__always)
    private mutating func takeLoss() -> Bool {
        guard hasLost else { return false }
        hasLost = false
        return true
    }
}

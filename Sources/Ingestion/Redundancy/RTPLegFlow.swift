import Media

/// One RTP stream as one leg brings it: the newest packets, each by what is in it.
///
/// Numbers: extended, and the leg's own; behind a jump they go on far above all before.
/// Bound:   the newest `capacity` packets.
struct RTPLegFlow: Sendable {
    /// What streams are told apart by.
    struct Stream: Sendable, Hashable {
        let ssrc: UInt32
        /// `nil` where the port does not tell.
        let medium: Int?
    }

    struct Packet: Sendable {
        fileprivate var number: Int64 = .min
        /// It went on, with this leg or with another.
        fileprivate(set) var isOut = false
        private(set) var digest: UInt64 = 0
        private(set) var arrival = WallTime(microsecondsSinceEpoch: 0)

        fileprivate init() {}

        fileprivate init(number: Int64, digest: UInt64, arrival: WallTime) {
            self.number = number
            self.digest = digest
            self.arrival = arrival
        }
    }

    enum Step: Sendable, Equatable {
        /// Behind this many that are missing.
        case onward(missing: Int)
        /// In front of what came before it.
        case late
        case duplicate
        /// The sequence goes on elsewhere: the sender began anew, or the leg was gone for long.
        case jump
    }

    /// How far a packet may be behind the newest of its leg, and how many may be missing in a row.
    static let reach = Int64(SequenceWindow.reach)
    private static let capacity = 4_096
    /// So many packets in a row must be those of a leg that is believed.
    private static let proof = 4

    let stream: Stream
    /// Its packets are those of the feed.
    private(set) var isFound = false
    /// Since when it is found, or is not.
    private(set) var since: WallTime
    private(set) var lastArrival: WallTime
    private var agreements = 0
    /// The highest number; a cycle up, so that those behind the first are above zero.
    private var highest: Int64
    /// The first number, or the first behind a jump.
    private var base: Int64
    private var packets: [Packet]

    /// A stream whose first packet is about to be taken.
    init(_ stream: Stream, before first: UInt16, arrival: WallTime) {
        self.stream = stream
        since = arrival
        lastArrival = arrival
        highest = 0x1_0000 &+ Int64(first) &- 1
        base = highest &+ 1
        packets = [Packet](repeating: Packet(), count: Self.capacity)
    }

    /// Takes the next packet of the leg.
    mutating func note(_ number: UInt16, _ digest: UInt64, arrival: WallTime) -> Step {
        lastArrival = arrival
        let step = distance(of: number)
        guard -Self.reach...Self.reach ~= step else {
            let cycle = (highest >> 16) &+ 2
            highest = cycle << 16 | Int64(number)
            base = highest
            keep(highest, digest, arrival)
            return .jump
        }
        let extended = highest &+ step
        guard step <= 0 else {
            highest = extended
            keep(extended, digest, arrival)
            return .onward(missing: Int(step) - 1)
        }
        guard packets[Self.slot(extended)].number != extended else { return .duplicate }
        keep(extended, digest, arrival)
        // In front of the first, nothing was missed.
        return extended < base ? .onward(missing: 0) : .late
    }

    /// The packet of this number, unless it came before `start`, or did not come.
    func packet(_ number: UInt16, since start: WallTime) -> Packet? {
        let step = distance(of: number)
        guard -Self.reach...0 ~= step else { return nil }
        let packet = packets[Self.slot(highest &+ step)]
        return packet.number == highest &+ step && packet.arrival >= start ? packet : nil
    }

    /// Notes that a packet that was just taken went on.
    mutating func handOn(_ number: UInt16) {
        packets[Self.slot(highest &+ distance(of: number))].isOut = true
    }

    /// The number of the newest packet.
    var newest: UInt16 { UInt16(truncatingIfNeeded: highest) }

    /// A packet is one that went on.
    mutating func agree(at arrival: WallTime) {
        agreements += 1
        if agreements >= Self.proof { find(at: arrival) }
    }

    mutating func find(at arrival: WallTime) {
        guard !isFound else { return }
        isFound = true
        since = arrival
    }

    mutating func lose(at arrival: WallTime) {
        agreements = 0
        guard isFound else { return }
        isFound = false
        since = arrival
    }

    private func distance(of number: UInt16) -> Int64 {
        Int64(Int16(bitPattern: number &- UInt16(truncatingIfNeeded: highest)))
    }

    private mutating func keep(_ number: Int64, _ digest: UInt64, _ arrival: WallTime) {
        packets[Self.slot(number)] = Packet(number: number, digest: digest, arrival: arrival)
    }

    private static func slot(_ number: Int64) -> Int { Int(number & Int64(capacity - 1)) }
}

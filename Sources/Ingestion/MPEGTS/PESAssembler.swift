/// Puts the PES packets of one PID together and tells as early as can be when one is whole.
///
/// A PES packet is complete:
/// - with its length given, at its last byte;
/// - without, at the next one's start, or earlier: muxers fill a PES packet's last transport packet
///   up with stuffing, and once this PID has shown that habit eight times, a stuffed packet
///   completes the PES packet. The first counter-example ends the use of it for good, so at most
///   one access unit is ever cut.
///
/// A video PES packet without PTS goes on with the access unit before it. The first of them makes
/// the assembler wait for each next start from then on; what was handed on before is the only unit
/// cut.
///
/// Bound:  `limitBytes`. The one buffer is reused; it grows to the largest PES packet.
/// Errors: what is damaged is dropped whole up to the next start and counted.
struct PESAssembler {
    private enum State {
        /// Nothing usable. Exits: a start → collecting.
        case idle
        /// Exits: complete (taken by the caller) → idle or cutByStuffing; damage → idle.
        case collecting
        /// As idle, but a payload that goes on from here refutes the stuffing habit.
        case cutByStuffing
    }

    private static let initialBytes = 16 << 10
    private static let continuationByteCount =
        TransportPacket.byteCount - TransportPacket.plainHeaderByteCount

    /// What stuffed packets have meant on this PID.
    ///
    /// Exits: seen reaches the number → proven; a counter-example → refuted.
    private enum StuffingHabit {
        case seen(Int)
        case proven
        case refuted

        static let provingCount = 8
    }

    /// The PES packet from its start code on, until the next start: the first `count` bytes.
    ///
    /// An array that is appended to costs more than the copy of a transport packet.
    private(set) var buffer: [UInt8] = []
    private var count = 0
    private(set) var header: PESHeader?
    /// PES packets dropped.
    private(set) var damaged: UInt64 = 0

    private let limitBytes: Int
    /// Video: an access unit may go on in PES packets without PTS.
    private let joinsUnstamped: Bool
    private var state = State.idle
    private var habit = StuffingHabit.seen(0)
    private var wasStuffed = false
    private var waitsForNextStart = false
    private var hasCompleted = false
    /// The packet at hand starts a PES packet that goes on with the one collected.
    private var isJoining = false
    /// Where the PES packet ends in `bytes`, as far as that is known.
    private var end: Int?

    init(limitBytes: Int, joinsUnstamped: Bool) {
        self.limitBytes = limitBytes
        self.joinsUnstamped = joinsUnstamped
    }

    /// Where the elementary stream's bytes of the PES packet lie in `buffer`.
    var payload: Range<Int> {
        guard let header else { return 0..<0 }
        let end = min(end ?? count, count)
        return min(header.payloadStart, end)..<end
    }

    /// A packet is here that starts a PES packet; its payload is given to `append` next.
    ///
    /// - Returns: Whether that completes the PES packet before, for the caller to take now.
    mutating func completes(beforeStart payload: Span<UInt8>) -> Bool {
        isJoining = false
        guard case .collecting = state else { return false }
        if let end, count < end {
            drop()
            return false
        }
        if wasStuffed, end == nil, case .seen(let count) = habit {
            habit = count + 1 >= StuffingHabit.provingCount ? .proven : .seen(count + 1)
        }
        guard header != nil else {
            drop()
            return false
        }
        if joinsUnstamped, payload.count >= PESHeader.fixedByteCount,
            !PESHeader.isStamped(payload)
        {
            isJoining = true
            return false
        }
        return complete(.idle)
    }

    /// - Returns: Whether a PES packet is complete now, for the caller to take.
    mutating func append(_ payload: Span<UInt8>, of packet: TransportPacket) -> Bool {
        if packet.startsUnit {
            if isJoining { return join(payload, of: packet) }
            begin()
        } else {
            switch state {
            case .collecting where !wasStuffed || end != nil: break
            case .collecting: habit = .refuted
            case .cutByStuffing:
                habit = .refuted
                damaged &+= 1
                state = .idle
                return false
            case .idle: return false
            }
        }
        wasStuffed = packet.isStuffed
        guard count + payload.count <= limitBytes else {
            drop()
            return false
        }
        collect(payload)
        if header == nil, !readHeader() { return false }
        return isComplete()
    }

    /// How many packets of nothing but payload may be appended without a closer look.
    ///
    /// They neither begin nor complete a PES packet, and there is room for them.
    var continuationLimit: Int {
        guard case .collecting = state, header != nil, !wasStuffed else { return 0 }
        let room = min(limitBytes, end.map { $0 - 1 } ?? .max) - count
        return max(0, room) / Self.continuationByteCount
    }

    /// Adds the payload of packets that go on with the PES packet, `continuationLimit` at most.
    mutating func append(continuations packets: Span<UInt8>, count packetCount: Int) {
        let byteCount = Self.continuationByteCount
        let start = count
        reserve(start + packetCount * byteCount)
        packets.withUnsafeBytes { source in
            buffer.withUnsafeMutableBytes { target in
                for index in 0..<packetCount {
                    let payload =
                        index * TransportPacket.byteCount + TransportPacket.plainHeaderByteCount
                    UnsafeMutableRawBufferPointer(
                        rebasing: target[(start + index * byteCount)...].prefix(byteCount)
                    )
                    .copyMemory(
                        from: UnsafeRawBufferPointer(rebasing: source[payload...].prefix(byteCount))
                    )
                }
            }
        }
        count = start + packetCount * byteCount
    }

    /// The contribution is over.
    ///
    /// - Returns: Whether the last PES packet looks complete, for the caller to take.
    mutating func completesAtFinish() -> Bool {
        guard case .collecting = state, header != nil else { return false }
        if let end { return count >= end && complete(.idle) }
        return wasStuffed && complete(.idle)
    }

    /// Packets are missing or unreadable: what is collected cannot become whole.
    ///
    /// - Returns: Whether payload had been collected.
    mutating func lose() -> Bool {
        defer { state = .idle }
        wasStuffed = false
        guard case .collecting = state else { return false }
        drop()
        return !payload.isEmpty
    }

    /// Whether the payload is what was appended last: a transport packet that was sent twice.
    func endsWith(_ payload: Span<UInt8>) -> Bool {
        let start = count - payload.count
        guard start >= 0 else { return false }
        for index in payload.indices where buffer[start + index] != payload[index] { return false }
        return true
    }

    /// The sum is at most `limitBytes`.
    private mutating func collect(_ payload: Span<UInt8>) {
        let end = count + payload.count
        reserve(end)
        payload.withUnsafeBytes { source in
            buffer.withUnsafeMutableBytes {
                UnsafeMutableRawBufferPointer(rebasing: $0[count..<end]).copyMemory(from: source)
            }
        }
        count = end
    }

    private mutating func reserve(_ byteCount: Int) {
        guard byteCount > buffer.count else { return }
        let size = min(max(byteCount, 2 * buffer.count, Self.initialBytes), limitBytes)
        buffer.append(contentsOf: repeatElement(0, count: size - buffer.count))
    }

    private mutating func begin() {
        count = 0
        header = nil
        end = nil
        state = .collecting
    }

    /// Adds the payload of a PES packet without PTS to the one collected.
    private mutating func join(_ payload: Span<UInt8>, of packet: TransportPacket) -> Bool {
        isJoining = false
        waitsForNextStart = true
        guard PESHeader.byteCount(payload) <= payload.count,
            let next = try? PESHeader(payload),
            count + payload.count <= limitBytes
        else {
            drop()
            return false
        }
        // Stuffing or other bytes behind the end are not the access unit's.
        if let end { count = end }
        end = next.end.map { count + $0 - next.payloadStart }
        collect(payload.extracting(next.payloadStart..<payload.count))
        wasStuffed = packet.isStuffed
        return isComplete()
    }

    /// - Returns: Whether the header is known.
    private mutating func readHeader() -> Bool {
        let buffer = buffer
        let bytes = buffer.span.extracting(first: count)
        guard count >= PESHeader.fixedByteCount, count >= PESHeader.byteCount(bytes) else {
            return false
        }
        guard let header = try? PESHeader(bytes) else {
            drop()
            return false
        }
        if joinsUnstamped, header.pts == nil {
            // The access unit it goes on with is gone.
            waitsForNextStart = waitsForNextStart || hasCompleted
            drop()
            return false
        }
        self.header = header
        end = header.end
        return true
    }

    private mutating func isComplete() -> Bool {
        guard !waitsForNextStart else { return false }
        if let end { return count >= end && complete(.idle) }
        if wasStuffed, case .proven = habit { return complete(.cutByStuffing) }
        return false
    }

    private mutating func complete(_ next: State) -> Bool {
        state = next
        hasCompleted = true
        return true
    }

    private mutating func drop() {
        damaged &+= 1
        state = .idle
    }
}

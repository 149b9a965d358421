import DequeModule
import Media

/// The packets of one leg that are not handed on yet, oldest first.
///
/// Shape: a gap may be in front of each: packets between two gaps follow one another in the feed.
/// Bound: the owner's, who looks at `byteCount` and `oldestArrival`.
struct WaitingPackets: Sendable {
    private var bytes: [UInt8] = []
    private var digests: [UInt64] = []
    /// Indices of `digests`, ascending.
    private var gaps: Deque<Int> = []
    /// When packets came, from an index of `digests` on.
    private var arrivals: Deque<(index: Int, arrival: WallTime)> = []
    /// Packets at the front of the arrays that are gone.
    private var gone = 0

    var count: Int { digests.count - gone }
    var isEmpty: Bool { count == 0 }
    var byteCount: Int { count * TransportPacket.byteCount }
    /// Of the first packet; `nil` when there is none.
    var oldestArrival: WallTime? { isEmpty ? nil : arrivals.first?.arrival }

    /// Something is missing in front of the first.
    var beginsAfterGap: Bool { gaps.first == gone }

    subscript(index: Int) -> UInt64 { digests[gone + index] }

    /// The packets about this one with no gap between them.
    func run(of index: Int) -> Range<Int> {
        var run = gone..<digests.count
        for gap in gaps {
            guard gap <= gone + index else {
                run = run.lowerBound..<gap
                break
            }
            run = max(gap, gone)..<digests.count
        }
        return (run.lowerBound - gone)..<(run.upperBound - gone)
    }

    mutating func append(
        _ packet: Span<UInt8>,
        _ digest: UInt64,
        isAfterGap: Bool,
        arrival: WallTime
    ) {
        if isAfterGap { gaps.append(digests.count) }
        if arrivals.last?.arrival != arrival { arrivals.append((digests.count, arrival)) }
        digests.append(digest)
        packet.withUnsafeBufferPointer { bytes.append(contentsOf: $0) }
    }

    mutating func removeAll() {
        self = WaitingPackets()
    }

    mutating func removeFirst(_ count: Int) {
        guard count < self.count else { return removeAll() }
        gone += count
        while let gap = gaps.first, gap < gone { gaps.removeFirst() }
        while arrivals.count > 1, arrivals[1].index <= gone { arrivals.removeFirst() }
        // Now and then, so that a packet is moved twice at most.
        guard gone > digests.count / 2 else { return }
        digests.removeFirst(gone)
        bytes.removeFirst(gone * TransportPacket.byteCount)
        for index in gaps.indices { gaps[index] -= gone }
        for index in arrivals.indices { arrivals[index].index -= gone }
        gone = 0
    }

    /// How many packets came before an instant.
    func count(before instant: WallTime) -> Int {
        guard let later = arrivals.first(where: { $0.arrival >= instant }) else { return count }
        return max(0, later.index - gone)
    }

    /// Where this digest is; `nil` when it is not there, or is there more than once.
    func onlyIndex(of digest: UInt64) -> Int? {
        var found: Int?
        for index in gone..<digests.count where digests[index] == digest {
            guard found == nil else { return nil }
            found = index - gone
        }
        return found
    }

    /// The bytes of some packets.
    func withBytes(of range: Range<Int>, _ body: (UnsafeRawBufferPointer) -> Void) {
        let size = TransportPacket.byteCount
        let first = (gone + range.lowerBound) * size
        bytes.withUnsafeBytes { all in
            body(UnsafeRawBufferPointer(rebasing: all[first..<(first + range.count * size)]))
        }
    }
}

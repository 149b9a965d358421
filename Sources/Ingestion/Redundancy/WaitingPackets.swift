import DequeModule
import Media

/// The packets of one leg that are not handed on yet, oldest first.
///
/// Shape: a gap may be in front of each: packets between two gaps follow one another in the feed.
/// Bound: the owner's, who looks at `byteCount` and `oldestArrival`.
struct WaitingPackets: Sendable {
    private var row = DigestRow()
    /// Of the packets from `firstByte` of the row on.
    private var bytes: [UInt8] = []
    private var firstByte = 0
    /// Indices of the row, ascending.
    private var gaps: Deque<Int> = []
    /// When packets came, from an index of the row on.
    private var arrivals: Deque<(index: Int, arrival: WallTime)> = []

    var count: Int { row.count }
    var isEmpty: Bool { count == 0 }
    var byteCount: Int { count * TransportPacket.byteCount }
    /// Of the first packet; `nil` when there is none.
    var oldestArrival: WallTime? { isEmpty ? nil : arrivals.first?.arrival }

    /// Something is missing in front of the first.
    var beginsAfterGap: Bool { gaps.first == row.start }

    subscript(index: Int) -> UInt64 { row[row.start + index] }

    /// The packets about this one with no gap between them.
    func run(of index: Int) -> Range<Int> {
        let next = gaps.partitionIndex { $0 > row.start + index }
        let first = next > 0 ? gaps[next - 1] : row.start
        let end = next < gaps.count ? gaps[next] : row.end
        return (first - row.start)..<(end - row.start)
    }

    mutating func append(
        _ packet: Span<UInt8>,
        _ digest: UInt64,
        isAfterGap: Bool,
        arrival: WallTime
    ) {
        if isAfterGap { gaps.append(row.end) }
        if arrivals.last?.arrival != arrival { arrivals.append((row.end, arrival)) }
        row.append(digest)
        packet.withUnsafeBufferPointer { bytes.append(contentsOf: $0) }
    }

    mutating func removeAll() {
        self = WaitingPackets()
    }

    mutating func removeFirst(_ count: Int) {
        guard count < self.count else { return removeAll() }
        row.removeFirst(count)
        while let gap = gaps.first, gap < row.start { gaps.removeFirst() }
        while arrivals.count > 1, arrivals[1].index <= row.start { arrivals.removeFirst() }
        // Now and then, so that a packet is moved twice at most.
        guard row.start - firstByte > row.count else { return }
        bytes.removeFirst((row.start - firstByte) * TransportPacket.byteCount)
        firstByte = row.start
    }

    /// How many packets came before an instant.
    func count(before instant: WallTime) -> Int {
        guard let later = arrivals.first(where: { $0.arrival >= instant }) else { return count }
        return max(0, later.index - row.start)
    }

    /// Where a telling digest is; `nil` when it is not there, or is there more than once.
    func onlyIndex(of digest: UInt64) -> Int? {
        row.onlyIndex(of: digest).map { $0 - row.start }
    }

    /// The bytes of some packets.
    func withBytes(of range: Range<Int>, _ body: (UnsafeRawBufferPointer) -> Void) {
        let size = TransportPacket.byteCount
        let first = (row.start - firstByte + range.lowerBound) * size
        bytes.withUnsafeBytes { all in
            body(UnsafeRawBufferPointer(rebasing: all[first..<(first + range.count * size)]))
        }
    }
}

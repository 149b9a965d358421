import DequeModule
import Media

/// The digests of the packets that were handed on last, by their index in the output.
///
/// Bound: `capacity` digests; of when they were handed on, `runLimit` instants.
struct PacketHistory: Sendable {
    private static let runLimit = 2_048

    private var row: DigestRow
    /// When packets were handed on, from an index on.
    private var runs: Deque<(index: Int, arrival: WallTime)> = []

    /// - Parameter capacity: Rounded up to a power of two, 64 at least.
    init(capacity: Int) {
        row = DigestRow(capacity: capacity)
    }

    /// The oldest that is known.
    var start: Int { row.start }
    /// Of the next packet.
    var end: Int { row.end }

    /// `index` is one of `start..<end`.
    @inline(__always)
    subscript(index: Int) -> UInt64 { row[index] }

    @inline(__always)
    mutating func append(_ digest: UInt64) {
        if row.isFull { row.removeFirst(1) }
        row.append(digest)
    }

    /// What follows has nothing to do with what came before.
    mutating func forget() {
        row.removeFirst(row.count)
        runs.removeAll()
    }

    /// What is appended from now on came at this time.
    mutating func noteArrival(_ arrival: WallTime) {
        if let last = runs.last, last.index == end { runs.removeLast() }
        if runs.count >= Self.runLimit { runs.removeFirst() }
        runs.append((end, arrival))
    }

    /// When the packet at an index was handed on; `nil` when that is too long ago.
    func arrival(of index: Int) -> WallTime? {
        let next = runs.partitionIndex { $0.index > index }
        return next > 0 ? runs[next - 1].arrival : nil
    }

    /// Where a telling digest is; `nil` when it is not there, or is there more than once.
    func onlyIndex(of digest: UInt64) -> Int? {
        row.onlyIndex(of: digest)
    }
}

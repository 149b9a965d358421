import DequeModule
import Media

/// The digests of the packets that were handed on last, by their index in the output.
///
/// Bound: `capacity` digests; of when they were handed on, `runLimit` instants.
struct PacketHistory: Sendable {
    private static let runLimit = 2_048

    private var ring: [UInt64]
    private let mask: Int
    /// The oldest that is known.
    private(set) var start = 0
    /// Of the next packet.
    private(set) var end = 0
    /// When packets were handed on, from an index on.
    private var runs: Deque<(index: Int, arrival: WallTime)> = []

    /// - Parameter capacity: Rounded up to a power of two, 64 at least.
    init(capacity: Int) {
        var size = 64
        while size < capacity { size *= 2 }
        ring = [UInt64](repeating: PacketDigest.null, count: size)
        mask = size - 1
    }

    var isEmpty: Bool { start == end }

    /// `index` is one of `start..<end`.
    @inline(__always)
    subscript(index: Int) -> UInt64 { ring[index & mask] }

    @inline(__always)
    mutating func append(_ digest: UInt64) {
        ring[end & mask] = digest
        end += 1
        if end - start > ring.count { start = end - ring.count }
    }

    /// What follows has nothing to do with what came before.
    mutating func forget() {
        start = end
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
        runs.last { $0.index <= index }?.arrival
    }

    /// Where this digest is; `nil` when it is not there, or is there more than once.
    func onlyIndex(of digest: UInt64) -> Int? {
        let first = start & mask
        let count = min(end - start, ring.count - first)
        var found: Int?
        for place in first..<(first + count) where ring[place] == digest {
            guard found == nil else { return nil }
            found = start + place - first
        }
        for place in 0..<(end - start - count) where ring[place] == digest {
            guard found == nil else { return nil }
            found = start + count + place
        }
        return found
    }
}

/// Digests one after another, by an index that only grows; one that is there once is found at once.
///
/// Shape: a ring, with chains through it of the telling digests that share a bucket, newest first.
/// Bound: the owner's, who lets the oldest go; the ring doubles when it is full.
/// Cost:  of each call a few steps in the mean, whatever comes: nobody can know which share a bucket.
package struct DigestRow: Sendable {
    private static let least = 64
    /// Odd, which makes of a product's upper bits one of a universal family of hashes.
    private static let secret = UInt64.random(in: .min ... .max) | 1

    private var digests: [UInt64]
    /// By place in the ring: the index before it in its bucket.
    private var previous: [Int]
    /// By bucket.
    private var newest: [Int]
    private var mask: Int
    private var shift: UInt64
    private let factor = Self.secret
    /// The oldest.
    package private(set) var start = 0
    /// Of the next.
    package private(set) var end = 0

    /// A row with room for as many, rounded up to a power of two, 64 at least.
    package init(capacity: Int = 0) {
        var size = Self.least
        while size < capacity { size *= 2 }
        digests = [UInt64](repeating: PacketDigest.null, count: size)
        previous = [Int](repeating: -1, count: size)
        newest = [Int](repeating: -1, count: size)
        mask = size - 1
        shift = UInt64(UInt64.bitWidth - size.trailingZeroBitCount)
    }

    package var count: Int { end - start }
    /// One more would make it grow.
    package var isFull: Bool { count == digests.count }

    /// `index` is one of `start..<end`.
    @inline(__always)
    package subscript(index: Int) -> UInt64 { digests[index & mask] }

    @inline(__always)
    package mutating func append(_ digest: UInt64) {
        if isFull { grow() }
        digests[end & mask] = digest
        end += 1
        link(end - 1)
    }

    /// Lets the oldest go; `count` is what there are, at most.
    package mutating func removeFirst(_ count: Int) {
        start += count
    }

    /// Where a telling digest is; `nil` when it is not there, or is there more than once.
    package func onlyIndex(of digest: UInt64) -> Int? {
        guard PacketDigest.isTelling(digest) else { return nil }
        var found: Int?
        var index = newest[bucket(of: digest)]
        while index >= start {
            if self[index] == digest {
                guard found == nil else { return nil }
                found = index
            }
            index = previous[index & mask]
        }
        return found
    }

    @inline(__always)
    private func bucket(of digest: UInt64) -> Int {
        Int(truncatingIfNeeded: (digest &* factor) &>> shift)
    }

    @inline(__always)
    private mutating func link(_ index: Int) {
        let digest = self[index]
        guard PacketDigest.isTelling(digest) else { return }
        let bucket = bucket(of: digest)
        previous[index & mask] = newest[bucket]
        newest[bucket] = index
    }

    private mutating func grow() {
        var larger = DigestRow(capacity: digests.count * 2)
        (larger.start, larger.end) = (start, end)
        for index in start..<end {
            larger.digests[index & larger.mask] = self[index]
            larger.link(index)
        }
        self = larger
    }
}

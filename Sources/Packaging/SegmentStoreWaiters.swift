/// The viewers who wait for something a store does not have yet.
///
/// Each waiter leaves exactly once: taken because what it wants is decided, expired, or removed by
/// its own task. Whoever gets the continuation resumes it, outside the store's lock.
struct SegmentStoreWaiters {
    typealias Wanted = SegmentStoreState.Wanted
    typealias Continuation = CheckedContinuation<SegmentStoreState.Resolution, Never>

    private struct Waiter {
        let deadline: ContinuousClock.Instant
        let continuation: Continuation
    }

    /// By what they wait for: thousands of viewers want one and the same thing.
    private var groups: [Wanted: [UInt64: Waiter]] = [:]
    private(set) var count = 0

    var wanted: [Wanted] { Array(groups.keys) }

    mutating func insert(
        _ continuation: Continuation,
        id: UInt64,
        wanting wanted: Wanted,
        until deadline: ContinuousClock.Instant
    ) {
        groups[wanted, default: [:]][id] = Waiter(deadline: deadline, continuation: continuation)
        count += 1
    }

    mutating func takeAll(wanting wanted: Wanted) -> [Continuation] {
        let group = groups.removeValue(forKey: wanted) ?? [:]
        count -= group.count
        return group.values.map(\.continuation)
    }

    /// - Returns: `nil` when the waiter has left already, or has not come yet.
    mutating func remove(id: UInt64, wanting wanted: Wanted) -> Continuation? {
        guard let waiter = groups[wanted]?.removeValue(forKey: id) else { return nil }
        if groups[wanted]?.isEmpty == true { groups[wanted] = nil }
        count -= 1
        return waiter.continuation
    }

    mutating func takeExpired(now: ContinuousClock.Instant) -> [Continuation] {
        var expired: [Continuation] = []
        for (wanted, group) in groups {
            for (id, waiter) in group where waiter.deadline <= now {
                if let continuation = remove(id: id, wanting: wanted) {
                    expired.append(continuation)
                }
            }
        }
        return expired
    }
}

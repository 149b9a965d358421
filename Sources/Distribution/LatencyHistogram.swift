/// How often something took how long.
///
/// Bound: one count for each of `limits`, and one for what took longer than the last.
package struct LatencyHistogram: Sendable, Equatable {
    package static let limits: [Duration] = [
        1, 2, 5, 10, 15, 20, 30, 50, 100, 200, 500, 1_000,
    ].map { .milliseconds($0) }

    /// By limit, each not counting what an earlier one counts; the last is of what no limit holds.
    package private(set) var counts = [UInt64](repeating: 0, count: limits.count + 1)
    package private(set) var sum = Duration.zero

    package init() {}

    package mutating func record(_ duration: Duration) {
        counts[Self.limits.firstIndex { duration <= $0 } ?? Self.limits.count] += 1
        sum += duration
    }

    static func += (sum: inout Self, other: Self) {
        for index in sum.counts.indices { sum.counts[index] += other.counts[index] }
        sum.sum += other.sum
    }
}

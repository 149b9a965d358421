package import Media

/// Counts who is watching which stream, by who still asks for its playlists.
///
/// Two generations of ten seconds each: who was seen in either is a viewer. Nothing is kept longer.
/// Bound: `capacity` entries a generation; beyond it new viewers are not counted.
package struct ViewerCensus: Sendable {
    package static let generation: Duration = .seconds(10)
    package static let capacity = 100_000

    private var current: [StreamName: Set<Int>] = [:]
    private var previous: [StreamName: Set<Int>] = [:]
    private var entries = 0
    private var began: ContinuousClock.Instant?

    package init() {}

    /// - Parameters:
    ///   - viewer: A number that tells connections apart.
    ///   - stream: What it asks for.
    ///   - now: Never before an earlier call's.
    package mutating func insert(_ viewer: Int, of stream: StreamName, now: ContinuousClock.Instant)
    {
        turn(now)
        guard entries < Self.capacity else { return }
        if current[stream, default: []].insert(viewer).inserted { entries += 1 }
    }

    package mutating func count(of stream: StreamName, now: ContinuousClock.Instant) -> Int {
        turn(now)
        let present = current[stream] ?? []
        return present.union(previous[stream] ?? []).count
    }

    private mutating func turn(_ now: ContinuousClock.Instant) {
        guard let began else {
            self.began = now
            return
        }
        let age = began.duration(to: now)
        guard age >= Self.generation else { return }
        previous = age < Self.generation * 2 ? current : [:]
        current = [:]
        entries = 0
        self.began = now
    }
}

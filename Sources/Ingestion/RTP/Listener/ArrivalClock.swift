import Media

/// The wall clock for packets' arrival: it never goes back by less than a second.
///
/// A wall clock that is being set makes small steps, which would look like packets before their
/// predecessors; a large step is the truth at last, and is taken over.
struct ArrivalClock {
    private static let tolerance = Duration.seconds(1)

    private var anchor = (wall: WallTime.now, instant: ContinuousClock.now)

    var now: WallTime {
        mutating get {
            let instant = ContinuousClock.now
            let elapsed = anchor.instant.duration(to: instant) / .microseconds(1)
            let steady = WallTime(
                microsecondsSinceEpoch: anchor.wall.microsecondsSinceEpoch &+ Int64(elapsed)
            )
            let told = WallTime.now
            guard abs(told.duration(since: steady) / Self.tolerance) > 1 else { return steady }
            anchor = (told, instant)
            return told
        }
    }
}

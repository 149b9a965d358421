import Media

/// Where a segment begins, told to every rendition.
struct SegmentBoundary: Sendable {
    let mediaSequence: UInt64
    /// Presentation time of its first frame in the leading rendition.
    let start: MediaTime
    let programDateTime: WallTime
    let isDiscontinuity: Bool

    /// The segment of a rendition whose first frame is presented at `time`.
    func segmentStart(at time: MediaTime) -> SegmentStart {
        SegmentStart(
            mediaSequence: mediaSequence,
            programDateTime: programDateTime.advanced(by: time - start),
            isDiscontinuity: isDiscontinuity
        )
    }
}

/// Numbers and dates the segments of all renditions: one number is one stretch of time.
///
/// A timeline runs from `begin` to `end`; its first segment has EXT-X-DISCONTINUITY, but for the
/// stream's very first. Dates come from one arrival time a timeline and then from media time alone, so
/// they do not jitter; they never step back from one timeline to the next.
struct SegmentGrid: Sendable {
    private var nextMediaSequence: UInt64
    private var anchor: (media: MediaTime, wall: WallTime)?
    private var lastEnd: WallTime?

    init(firstMediaSequence: UInt64) {
        nextMediaSequence = firstMediaSequence
    }

    var isRunning: Bool { anchor != nil }

    mutating func begin(at start: MediaTime, arrival: WallTime) -> SegmentBoundary {
        anchor = (start, lastEnd.map { max($0, arrival) } ?? arrival)
        return boundary(at: start, isDiscontinuity: lastEnd != nil)
    }

    mutating func cut(at start: MediaTime) -> SegmentBoundary {
        boundary(at: start, isDiscontinuity: false)
    }

    /// The timeline is over; what it had was published.
    mutating func end(at end: MediaTime) {
        lastEnd = date(of: end)
        anchor = nil
    }

    /// The timeline is over before its only segment had a part: its number is used again.
    mutating func abandon() {
        anchor = nil
        nextMediaSequence &-= 1
    }

    private mutating func boundary(at start: MediaTime, isDiscontinuity: Bool) -> SegmentBoundary {
        defer { nextMediaSequence &+= 1 }
        return SegmentBoundary(
            mediaSequence: nextMediaSequence,
            start: start,
            programDateTime: date(of: start),
            isDiscontinuity: isDiscontinuity
        )
    }

    private func date(of time: MediaTime) -> WallTime {
        guard let anchor else { return WallTime(microsecondsSinceEpoch: 0) }
        return anchor.wall.advanced(by: time - anchor.media)
    }
}

import Media

/// Where a segment begins, told to every rendition.
struct SegmentBoundary: Sendable {
    let mediaSequence: UInt64
    /// Where sound is cut: when the picture's first frame is shown, but see `ReorderDelay`.
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

/// When an access unit was sent: by the source's clock, where that is known, and by its arrival here.
struct SendingTime: Sendable {
    let source: WallTime?
    let arrival: WallTime

    init(_ unit: AccessUnit) {
        source = unit.sourceTime
        arrival = unit.arrival
    }
}

/// Numbers and dates the segments of all renditions: one number is one stretch of time.
///
/// A timeline runs from `begin` to `end`; its first segment has EXT-X-DISCONTINUITY, but for the
/// stream's very first. A timeline is dated once, by the source's clock or else by arrival, and then by
/// media time alone, so dates do not jitter. A timeline that begins with what was shown before, as
/// that of another input may, is dated as that was, though not before the segment in front of it: so
/// dates do not run ahead of the clock, however often inputs change. Only a source that tells another
/// time than what was taken for it, by more than 2 s, has it set right where the next segment begins.
struct SegmentGrid: Sendable {
    private static let tolerance = Duration.seconds(2)

    private var nextMediaSequence: UInt64
    private var anchor: (media: MediaTime, wall: WallTime)?
    /// The date of the newest segment.
    private var newest: WallTime?
    /// That of the last segment of the timelines that are over.
    private var last: WallTime?

    init(firstMediaSequence: UInt64) {
        nextMediaSequence = firstMediaSequence
    }

    var isRunning: Bool { anchor != nil }

    mutating func begin(at start: MediaTime, sent: SendingTime) -> SegmentBoundary {
        let date = sent.source ?? sent.arrival
        anchor = (start, last.map { max($0, date) } ?? date)
        return boundary(at: start, isDiscontinuity: last != nil)
    }

    mutating func cut(at start: MediaTime, sent: SendingTime) -> SegmentBoundary {
        if let source = sent.source {
            let error = date(of: start).duration(since: source)
            if error > Self.tolerance || error < .zero - Self.tolerance { anchor = (start, source) }
        }
        return boundary(at: start, isDiscontinuity: false)
    }

    /// The timeline is over; what it had was published.
    mutating func end() {
        last = newest
        anchor = nil
    }

    /// The timeline is over before its only segment had a part: its number is used again.
    mutating func abandon() {
        anchor = nil
        nextMediaSequence &-= 1
    }

    private mutating func boundary(at start: MediaTime, isDiscontinuity: Bool) -> SegmentBoundary {
        defer { nextMediaSequence &+= 1 }
        let date = date(of: start)
        newest = date
        return SegmentBoundary(
            mediaSequence: nextMediaSequence,
            start: start,
            programDateTime: date,
            isDiscontinuity: isDiscontinuity
        )
    }

    private func date(of time: MediaTime) -> WallTime {
        guard let anchor else { return WallTime(microsecondsSinceEpoch: 0) }
        return anchor.wall.advanced(by: time - anchor.media)
    }
}

import Media

extension SegmentBoundary {
    /// The segment of a rendition whose first frame has `time` for its `tfdt`.
    ///
    /// One date is one `tfdt` in every rendition, as it is to players that lay sound beside the picture.
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

    /// The date of a picture's `tfdt`, so that it is shown when it was sent.
    func decoding(_ picture: Picture) -> SendingTime {
        let wait = MediaTime(mpegTicks: picture.decodeTime - picture.presentationTime)
        return SendingTime(
            source: source?.advanced(by: wait),
            arrival: arrival.advanced(by: wait)
        )
    }
}

extension SendingTime {
    init(_ unit: AccessUnit) {
        self.init(source: unit.sourceTime, arrival: unit.arrival)
    }
}

/// Numbers and dates the segments of all renditions: one number is one stretch of time.
///
/// A timeline runs from `begin` to `end`; its first segment has EXT-X-DISCONTINUITY, but for the
/// stream's very first. A timeline is dated once, by the source's clock or else by arrival, and then by
/// media time, so dates do not jitter. A timeline that begins with what was shown before, as that of
/// another input may, is dated as that was, though not before the segment in front of it: so dates do
/// not run ahead of the clock, however often inputs change. A source that tells another time than what
/// was taken for it, by more than 2 s, has it set right where the next segment begins.
///
/// Drift: where only arrival tells the time, a source whose clock runs fast or slow would take the
///        dates along, 8.6 s a day at 100 millionths. So each segment moves them by a 64th of what
///        they are off by, and by no more than 1/1000 of the time since the last: behind a clock
///        that is off by 100 millionths they stay within 13 ms with segments of two seconds, and a
///        segment that a network held up does not show.
struct SegmentGrid: Sendable {
    private static let tolerance = Duration.seconds(2)
    private static let gain: Int64 = 64
    private static let slewLimit: Int64 = 1_000

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
        } else {
            follow(sent.arrival, at: start)
        }
        return boundary(at: start, isDiscontinuity: false)
    }

    private mutating func follow(_ arrival: WallTime, at start: MediaTime) {
        guard let anchor else { return }
        let date = date(of: start)
        let error = arrival.microsecondsSinceEpoch
            .subtractingReportingOverflow(date.microsecondsSinceEpoch).partialValue
        let passed = (start - anchor.media).converted(to: 1_000_000).ticks
        let limit = max(0, passed / Self.slewLimit)
        let correction = min(max(error / Self.gain, -limit), limit)
        self.anchor = (start, date.advanced(by: MediaTime(ticks: correction, timescale: 1_000_000)))
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

import DequeModule
import Media

/// Where pictures belong that come out of a decoder: it gives them in the order in which they are shown.
///
/// Encoded again they keep that order. The first that is shown takes the first decode time of the
/// source, and so on: none is then decoded later than it is shown, and the segments and parts of all
/// renditions are the same ticks, were the source's own pictures out of order or not. So is what they
/// show: pictures that follow a keyframe and are shown before it (an open group) stay in its segment.
///
/// Units: ticks of the 90 kHz clock.
struct PicturePlaces {
    struct Place: Equatable {
        var decodeTime: Int64
        var presentationTime: Int64
        var boundary: SegmentBoundary?
        /// The source has a keyframe at this decode time.
        var isKeyframeOfSource: Bool
        /// When the picture that is shown had come.
        var since: ContinuousClock.Instant
        /// What came beside it, where that can be told without a decoder.
        var notes: PictureNotes?
    }

    /// A decoder that gives nothing back is given up before.
    private static let limit = 1_024

    private var slots: Deque<Place> = []
    /// When pictures that have not come out are shown, in order.
    private var awaited: [Awaited] = []

    private struct Awaited {
        let time: Int64
        let since: ContinuousClock.Instant
        let notes: PictureNotes?
    }

    /// A picture goes into the decoder, or would if it were not damaged.
    mutating func note(
        _ picture: Picture,
        _ notes: PictureNotes? = nil,
        since: ContinuousClock.Instant
    ) {
        if slots.count >= Self.limit { leaveOut() }
        slots.append(
            Place(
                decodeTime: picture.decodeTime,
                presentationTime: picture.presentationTime,
                boundary: picture.boundary,
                isKeyframeOfSource: picture.isKeyframe,
                since: since
            )
        )
        let time = picture.presentationTime
        awaited.insert(
            Awaited(time: time, since: since, notes: notes),
            at: awaited.partitionIndex { $0.time > time }
        )
    }

    /// How many did not come out.
    private(set) var lost: UInt64 = 0

    /// A picture came out of the decoder; those that were to be shown before it are lost.
    ///
    /// - Returns: `nil` for a picture that was not awaited.
    mutating func place(shownAt time: Int64) -> Place? {
        let earlier = awaited.partitionIndex { $0.time >= time }
        guard earlier < awaited.count, awaited[earlier].time == time else { return nil }
        for _ in 0..<earlier { leaveOut() }
        let shown = awaited.removeFirst()
        guard var place = slots.popFirst() else { return nil }
        place.since = shown.since
        place.notes = shown.notes
        place.presentationTime = max(time, place.decodeTime)
        return place
    }

    /// What was to begin with a picture that is lost begins with the next.
    private mutating func leaveOut() {
        awaited.removeFirst()
        lost &+= 1
        guard let lost = slots.popFirst(), !slots.isEmpty else { return }
        slots[0].boundary = slots[0].boundary ?? lost.boundary
        slots[0].isKeyframeOfSource = slots[0].isKeyframeOfSource || lost.isKeyframeOfSource
    }
}

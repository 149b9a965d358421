package import Media

/// What the packager hands to the store, in order.
///
/// The outputs of one call belong together and are published at once: a part that ends its segment
/// is followed by `closeSegment` in the same call, so EXTINF never lags behind the last part.
/// Order for each rendition: `openSegment`, one or more `part`, `closeSegment`, and so on.
package enum PackagerOutput: Sendable {
    /// All renditions offered from here on. Comes first, and again when the set changes or when one
    /// has a new initialization; segments opened later use it.
    case renditions([Rendition])
    /// Those that will be offered beside what is offered now, as soon as they have media; of `needed`, if
    /// there are any, one must be there before anything is offered at all.
    case expect([Rendition.ID], needed: [Rendition.ID])
    case openSegment(Rendition.ID, SegmentStart)
    case part(Rendition.ID, Part)
    case closeSegment(Rendition.ID)

    /// `nil` for what is about several.
    var rendition: Rendition.ID? {
        switch self {
        case .renditions, .expect: nil
        case .openSegment(let id, _), .part(let id, _), .closeSegment(let id): id
        }
    }
}

/// How a segment begins.
package struct SegmentStart: Sendable, Equatable {
    /// Media sequence number: the same number is the same stretch of time in every rendition.
    package let mediaSequence: UInt64
    /// The date of the segment's `tfdt`: one mapping for all renditions.
    package let programDateTime: WallTime
    /// The timeline or the format does not continue the segment before: EXT-X-DISCONTINUITY.
    package let isDiscontinuity: Bool

    package init(mediaSequence: UInt64, programDateTime: WallTime, isDiscontinuity: Bool) {
        self.mediaSequence = mediaSequence
        self.programDateTime = programDateTime
        self.isDiscontinuity = isDiscontinuity
    }
}

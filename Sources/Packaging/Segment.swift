package import Media

/// One media segment as the store holds it: its parts in order, complete or still growing.
///
/// Units: `duration` is exact, in the timescale of its first part; `microseconds` is for sums over
///        segments, whose timescales may differ.
/// Ownership: the media is in the parts and nowhere else.
package struct Segment: Sendable {
    package let mediaSequence: UInt64
    package let programDateTime: WallTime
    /// EXT-X-DISCONTINUITY stands before it.
    package let isDiscontinuity: Bool
    /// Its Discontinuity Sequence Number: the discontinuities of the stream up to and with its start,
    /// counted alike in every rendition (RFC 8216bis, 6.2.4).
    package let discontinuitySequence: UInt64
    /// Version of the rendition's initialization that decodes it.
    package let initialization: UInt64
    /// Number of its first part, in the numbering that runs on over the rendition.
    package let firstPart: UInt64
    /// Media was missing in this rendition: EXT-X-GAP, no parts.
    package let isGap: Bool
    package private(set) var parts: [Part] = []
    package private(set) var isComplete: Bool
    package private(set) var duration: MediaTime
    package private(set) var microseconds: Int64
    package private(set) var byteCount = 0

    /// A segment that opens with its first part.
    package init(
        start: SegmentStart,
        isDiscontinuity: Bool,
        discontinuitySequence: UInt64,
        initialization: UInt64,
        firstPart: UInt64
    ) {
        mediaSequence = start.mediaSequence
        programDateTime = start.programDateTime
        self.isDiscontinuity = isDiscontinuity
        self.discontinuitySequence = discontinuitySequence
        self.initialization = initialization
        self.firstPart = firstPart
        isGap = false
        isComplete = false
        duration = .zero(timescale: 1)
        microseconds = 0
    }

    /// A complete segment without media.
    package init(
        gap mediaSequence: UInt64,
        programDateTime: WallTime,
        isDiscontinuity: Bool,
        discontinuitySequence: UInt64,
        initialization: UInt64,
        firstPart: UInt64,
        duration: MediaTime
    ) {
        self.mediaSequence = mediaSequence
        self.programDateTime = programDateTime
        self.isDiscontinuity = isDiscontinuity
        self.discontinuitySequence = discontinuitySequence
        self.initialization = initialization
        self.firstPart = firstPart
        isGap = true
        isComplete = true
        self.duration = duration
        microseconds = duration.microseconds
    }

    /// How many of its bytes show the I-frame that it begins with; `nil` where it begins with none.
    package var iFrameByteCount: Int? {
        guard let first = parts.first, first.isIndependent else { return nil }
        return first.firstFrameEnd
    }

    package mutating func append(_ part: Part) {
        duration = parts.isEmpty ? part.duration : duration + part.duration
        microseconds = duration.microseconds
        byteCount += part.byteCount
        parts.append(part)
    }

    package mutating func complete() {
        isComplete = true
    }
}

extension MediaTime {
    /// To the nearest microsecond, the unit of sums over segments of different timescales.
    ///
    /// Bound: 0 to 10^15 (31 years), so that sums and small multiples of a store's segments fit.
    var microseconds: Int64 {
        min(max(0, converted(to: 1_000_000).ticks), 1_000_000_000_000_000)
    }
}

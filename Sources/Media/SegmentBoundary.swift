/// Where a segment begins, told to every rendition.
package struct SegmentBoundary: Sendable, Equatable {
    /// The same number is the same stretch of time in every rendition.
    package let mediaSequence: UInt64
    /// The segment's `tfdt`: that of the picture, and within half a frame that of sound.
    package let start: MediaTime
    /// The date of `start`.
    package let programDateTime: WallTime
    /// The timeline or the format does not continue what was before.
    package let isDiscontinuity: Bool

    package init(
        mediaSequence: UInt64,
        start: MediaTime,
        programDateTime: WallTime,
        isDiscontinuity: Bool
    ) {
        self.mediaSequence = mediaSequence
        self.start = start
        self.programDateTime = programDateTime
        self.isDiscontinuity = isDiscontinuity
    }
}

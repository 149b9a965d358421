package import Media

/// A snapshot of what the packager saw and did; counts are since the stream began.
package struct PackagerStatistics: Sendable, Equatable {
    /// Frames a second over the last groups of pictures; `nil` until it can be told.
    package var frameRate: Double?
    package var lastGOP: GOPLength?
    package var shortestGOP: GOPLength?
    /// The group under way included, once it is the longest.
    package var longestGOP: GOPLength?
    /// Keyframes come at distances that differ.
    package var isGOPIrregular = false
    package var hasReorderedPictures = false
    package var hasOpenGOPs = false

    package var segments: UInt64 = 0
    /// Segments that had to end where there was no keyframe.
    package var forcedCuts: UInt64 = 0
    package var parts: UInt64 = 0
    /// Parts that are not the last of their segment and shorter than 85 % of PART-TARGET, or longer.
    package var outOfTargetParts: UInt64 = 0
    package var discontinuities: UInt64 = 0
    /// Access units that were not published: before the first keyframe, doubled, without sensible
    /// times, or of no rendition.
    package var droppedUnits: UInt64 = 0
    /// Pictures without a successor for longer than a part, gaps included.
    package var frameGaps: UInt64 = 0
    /// Pictures whose decode time was not after the one before.
    package var unorderedPictures: UInt64 = 0
    /// Frames of silence that stand for sound that did not come.
    package var silentFrames: UInt64 = 0
    /// How long after the picture the sound of the same time comes in the contribution, lately at
    /// most; negative when it comes before.
    package var audioLag: MediaTime?
    /// Where sound was put minus where its timestamp says: the error of synchronisation made here.
    package var audioTimingError: MediaTime?
    /// What times of the source are moved by, so that pictures follow sound of another clock.
    package var soundCorrection = MediaTime.zero(timescale: MediaTime.mpegTimescale)

    /// What the operator should change at the source, the most urgent first.
    package var advice: [Advice] = []

    package init() {}

    /// With the advice that follows from the figures behind that which is there.
    package func advised(segmentTarget: Duration) -> PackagerStatistics {
        var statistics = self
        statistics.advice += Advice.about(self, segmentTarget: segmentTarget)
        return statistics
    }
}

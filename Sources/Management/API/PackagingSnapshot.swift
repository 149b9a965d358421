import Media
package import Packaging

/// How the source fits the cutting into parts and segments, and what its encoder should change.
///
/// Counts are since the stream began.
package struct PackagingSnapshot: Codable, Sendable, Equatable {
    /// Distances between keyframes.
    package struct GOP: Codable, Sendable, Equatable {
        /// Left out until two keyframes were seen, as the others.
        package var lastSeconds: Double?
        package var lastFrames: Int?
        package var minimumSeconds: Double?
        package var maximumSeconds: Double?
        package var isIrregular: Bool
        package var isOpen: Bool
        package var hasReorderedPictures: Bool
    }

    /// Something the operator should change at the encoder.
    package struct Advice: Codable, Sendable, Equatable {
        /// One of a closed set: `gop_too_long`.
        package var code: String
        /// What is wrong, what it costs and the cure, in words.
        package var message: String

        init(_ advice: Packaging.Advice) {
            code = advice.code.rawValue
            message = advice.text
        }
    }

    package var gop: GOP
    /// Frames a second as they came, not as they were signalled.
    package var measuredFrameRate: Double?
    package var parts: UInt64
    package var outOfTargetParts: UInt64
    package var segments: UInt64
    /// Segments cut without a keyframe, because none came in time.
    package var forcedCuts: UInt64
    package var discontinuities: UInt64
    package var droppedAccessUnits: UInt64
    package var frameGaps: UInt64
    package var unorderedPictures: UInt64
    package var silentFrames: UInt64
    /// How much later than the picture the sound of the same time comes; negative when earlier.
    package var audioLagMilliseconds: Double?
    /// Where sound was put minus where its timestamp says.
    package var audioTimingErrorMilliseconds: Double?
    /// What times are moved by, so that pictures follow sound of another clock.
    package var soundCorrectionMilliseconds: Double
    package var advice: [Advice]

    package init(_ statistics: PackagerStatistics) {
        gop = GOP(
            lastSeconds: statistics.lastGOP?.duration.seconds.roundedForDisplay,
            lastFrames: statistics.lastGOP?.frames,
            minimumSeconds: statistics.shortestGOP?.duration.seconds.roundedForDisplay,
            maximumSeconds: statistics.longestGOP?.duration.seconds.roundedForDisplay,
            isIrregular: statistics.isGOPIrregular,
            isOpen: statistics.hasOpenGOPs,
            hasReorderedPictures: statistics.hasReorderedPictures
        )
        measuredFrameRate = statistics.frameRate?.roundedForDisplay
        parts = statistics.parts
        outOfTargetParts = statistics.outOfTargetParts
        segments = statistics.segments
        forcedCuts = statistics.forcedCuts
        discontinuities = statistics.discontinuities
        droppedAccessUnits = statistics.droppedUnits
        frameGaps = statistics.frameGaps
        unorderedPictures = statistics.unorderedPictures
        silentFrames = statistics.silentFrames
        audioLagMilliseconds = statistics.audioLag.map { ($0.seconds * 1_000).roundedForDisplay }
        audioTimingErrorMilliseconds = statistics.audioTimingError.map {
            ($0.seconds * 1_000).roundedForDisplay
        }
        soundCorrectionMilliseconds =
            (statistics.soundCorrection.seconds * 1_000).roundedForDisplay
        advice = statistics.advice.map(Advice.init)
    }
}

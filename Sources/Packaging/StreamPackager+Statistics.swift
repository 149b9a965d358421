import Media

extension StreamPackager {
    package var statistics: PackagerStatistics {
        measurements.advised(segmentTarget: configuration.segmentTarget)
    }

    /// The statistics without the advice that follows from them: it is words, and dear.
    package var measurements: PackagerStatistics {
        var statistics = counts
        statistics.frameRate = meter.frameRate
        statistics.lastGOP = meter.last
        statistics.shortestGOP = meter.shortest
        statistics.longestGOP = meter.longest
        statistics.isGOPIrregular = meter.isIrregular
        statistics.hasReorderedPictures = meter.hasReorderedPictures
        statistics.hasOpenGOPs = meter.hasOpenGroups
        statistics.segments = segmentCount
        statistics.frameGaps &+= video?.heldFrameCount ?? 0
        let writers = [video?.writer] + rungs.map(\.writer) + audio.map(\.writer)
        for writer in writers.compactMap(\.self) + encodedSounds.writers {
            statistics.parts &+= writer.partCount
            statistics.outOfTargetParts &+= writer.outOfTargetPartCount
        }
        for rendition in audio {
            statistics.droppedUnits &+= rendition.droppedFrameCount
            statistics.silentFrames &+= rendition.silentFrameCount
        }
        statistics.soundCorrection = MediaTime(mpegTicks: soundFollower.correction)
        statistics.audioTimingError = audio.first(where: \.writer.isOffered)?.timingError
        statistics.advice = trackAdvice
        // A publisher may come, or come back, in the middle of a group of pictures.
        if let keyframeWait, keyframeWait.upperBound - keyframeWait.lowerBound > limits.segment {
            statistics.advice.append(.noKeyframe)
        }
        return statistics
    }
}

import Media

/// The configured lengths, in ticks of the 90 kHz clock.
struct SegmentLimits: Sendable {
    /// The part length that is aimed at.
    let part: Int64
    /// A segment ends at the first keyframe at or after this length.
    let segment: Int64
    /// A segment never gets longer: EXTINF, rounded to whole seconds, may not exceed TARGETDURATION.
    ///
    /// Half of the half second that rounding gives is left to sound, whose frames do not end where
    /// pictures do.
    let longestSegment: Int64
    /// Frames further apart than this, and than a part, do not belong to one timeline.
    let shortestGap = Int64(MediaTime.mpegTimescale) / 2

    init(_ configuration: PackagingConfiguration) {
        part = max(1, MediaTime.mpegTicks(configuration.partTarget))
        segment = max(1, MediaTime.mpegTicks(configuration.segmentTarget))
        let second = Int64(MediaTime.mpegTimescale)
        longestSegment = Int64(configuration.targetDurationSeconds) * second + second / 4
    }
}

/// How live streams are cut and how long they are kept.
package struct PackagingConfiguration: Sendable, Equatable {
    package enum Window: Sendable, Equatable {
        case segments(Int)
        case duration(Duration)
    }

    /// The length of a part that is aimed at; the true PART-TARGET is a whole number of frames.
    package var partTarget: Duration
    /// A segment ends at the first keyframe at or after this length.
    package var segmentTarget: Duration
    /// What a playlist lists; at least six segments.
    package var window: Window
    /// PART-HOLD-BACK in parts; RFC 8216bis asks for at least two and recommends three.
    package var holdBackParts: Int
    /// Media held for one stream, whatever the window asks for.
    package var memoryLimitBytes: Int

    package init(
        partTarget: Duration = .milliseconds(333),
        segmentTarget: Duration = .seconds(2),
        window: Window = .duration(.seconds(20)),
        holdBackParts: Int = 3,
        memoryLimitBytes: Int = 512 << 20
    ) {
        self.partTarget = partTarget
        self.segmentTarget = segmentTarget
        self.window = window
        self.holdBackParts = holdBackParts
        self.memoryLimitBytes = memoryLimitBytes
    }

    /// EXT-X-TARGETDURATION in seconds.
    ///
    /// Twice the segment target leaves room for any GOP up to that length, because it must not
    /// change for as long as the playlist lives.
    package var targetDurationSeconds: Int {
        let seconds = segmentTarget / .seconds(1)
        return max(1, Int((seconds * 2).rounded(.up)))
    }
}

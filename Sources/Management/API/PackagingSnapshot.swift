/// How the source fits the cutting into parts and segments, and what its encoder should change.
package struct PackagingSnapshot: Codable, Sendable, Equatable {
    /// Distances between keyframes.
    ///
    /// Left out until two were seen.
    package struct GOP: Codable, Sendable, Equatable {
        package var lastSeconds: Double
        package var minimumSeconds: Double
        package var maximumSeconds: Double

        package init(lastSeconds: Double, minimumSeconds: Double, maximumSeconds: Double) {
            self.lastSeconds = lastSeconds.roundedForDisplay
            self.minimumSeconds = minimumSeconds.roundedForDisplay
            self.maximumSeconds = maximumSeconds.roundedForDisplay
        }
    }

    /// Something the operator should change at the encoder.
    package struct Advice: Codable, Sendable, Equatable {
        /// One of a closed set: `gop_too_long`.
        package var code: String
        /// What is wrong, what it costs and the cure, in words.
        package var message: String

        package init(code: String, message: String) {
            self.code = code
            self.message = message
        }
    }

    package var gop: GOP?
    /// Frames a second as they came, not as they were signalled.
    package var measuredFrameRate: Double?
    package var parts: UInt64
    package var segments: UInt64
    /// Segments cut without a keyframe, because none came in time.
    package var forcedCuts: UInt64
    package var droppedAccessUnits: UInt64
    package var advice: [Advice]

    package init(
        gop: GOP?,
        measuredFrameRate: Double?,
        parts: UInt64,
        segments: UInt64,
        forcedCuts: UInt64,
        droppedAccessUnits: UInt64,
        advice: [Advice]
    ) {
        self.gop = gop
        self.measuredFrameRate = measuredFrameRate?.roundedForDisplay
        self.parts = parts
        self.segments = segments
        self.forcedCuts = forcedCuts
        self.droppedAccessUnits = droppedAccessUnits
        self.advice = advice
    }
}

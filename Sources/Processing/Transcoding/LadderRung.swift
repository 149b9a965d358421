package import Media

/// One size in which a stream's picture is offered beside its own.
package struct LadderRung: Sendable, Equatable {
    /// A path component such as `video-720p`, unique in its ladder.
    package let name: String
    package let codec: VideoFormat.Codec
    package let width: Int
    package let height: Int
    package let bitsPerSecond: Int
    package let preset: TranscodingPreset
    /// Frames a second; `nil`: as many as the source has.
    package let frameRateLimit: Double?
    /// The longest way between keyframes, in ticks of the 90 kHz clock; `nil`: they are where the
    /// source has them.
    package let keyframeInterval: Int64?
    package let mode: TranscodingMode

    /// Of so many pictures of a source of this rate, one is encoded.
    func divisor(for frameRate: Rational?) -> Int {
        guard let frameRate, let frameRateLimit else { return 1 }
        // A rate that is missed by a hair (29.97 for 30) is not halved.
        return max(1, Int((frameRate.value / frameRateLimit - 0.01).rounded(.up)))
    }
}

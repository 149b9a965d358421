package import Media

/// What a slate must be like to go on in place of a stream's picture: all that its players were told.
package struct SlateFormat: Sendable, Hashable {
    package let video: VideoFormat
    /// Frames a second, as measured or signalled, and nothing that no stream has.
    package let frameRate: Rational
    /// Pictures from one keyframe to the next.
    package let groupLength: Int

    /// Rates that encoders use; what was measured is taken for the nearest of them.
    private static let commonRates: [Rational] = [
        (24_000, 1_001), (24, 1), (25, 1), (30_000, 1_001), (30, 1), (48, 1), (50, 1),
        (60_000, 1_001), (60, 1), (100, 1), (120_000, 1_001), (120, 1), (10, 1), (12, 1),
        (12_500, 1_000), (15_000, 1_001), (15, 1), (20, 1), (5, 1),
    ].compactMap { Rational($0.0, $0.1) }
    private static let plausibleRates = 1.0...240.0

    /// The format of a stream's picture.
    ///
    /// - Parameters:
    ///   - video: As the stream announces it.
    ///   - measuredRate: Frames a second that came; `nil` before that is known.
    ///   - groupDuration: From one keyframe to the next, at least.
    ///   - partDuration: What parts last, about. A group is whole parts: players have been seen to skip
    ///     a last one of a single picture.
    package init(
        _ video: VideoFormat,
        measuredRate: Double?,
        groupDuration: Duration,
        partDuration: Duration
    ) {
        self.video = video
        let rate = Self.frameRate(signalled: video.frameRate, measured: measuredRate)
        frameRate = rate
        let part = max(1, (partDuration / .seconds(1) * rate.value).rounded())
        let parts = (groupDuration / .seconds(1) * rate.value / part - 0.01).rounded(.up)
        groupLength = Int(min(max(parts, 1) * part, 600))
    }

    /// What is signalled may be wrong, and what is measured is never exact.
    private static func frameRate(signalled: Rational?, measured: Double?) -> Rational {
        let fallback = commonRates[2]
        guard let measured, plausibleRates.contains(measured) else {
            guard let signalled, plausibleRates.contains(signalled.value),
                Int32(exactly: signalled.numerator) != nil
            else { return fallback }
            return signalled
        }
        let known = ([signalled].compactMap(\.self) + commonRates).filter {
            plausibleRates.contains($0.value) && Int32(exactly: $0.numerator) != nil
        }
        let nearest = known.min { abs($0.value - measured) < abs($1.value - measured) }
        if let nearest, abs(nearest.value - measured) < measured / 200 { return nearest }
        return Rational(Int((measured * 1_000).rounded()), 1_000) ?? fallback
    }
}

package import Media

/// How much work an encoder puts into a bit, in the words of libx264 and libx265.
///
/// Each step costs about half as much again as the one before.
package enum TranscodingPreset: String, Sendable, CaseIterable {
    case ultrafast, superfast, veryfast, faster, fast, medium, slow
}

/// What counts more where both cannot be had.
package enum TranscodingMode: String, Sendable, CaseIterable {
    /// No picture is held back.
    case lowLatency = "low_latency"
    /// Encoders look ahead before they spend a bit, and come later by as much.
    case quality

    /// Half a second finds most of what a look ahead can.
    private static let lookaheadSeconds = 0.5

    /// Pictures of this rate that an encoder holds back.
    func lookahead(of frameRate: Rational?) -> Int {
        switch self {
        case .lowLatency: 0
        case .quality:
            max(1, min(60, Int(((frameRate?.value ?? 30) * Self.lookaheadSeconds).rounded())))
        }
    }
}

/// One size that streams are offered in beside their own.
package struct OutputFormat: Sendable, Equatable {
    package var codec = VideoFormat.Codec.h264
    /// `nil`: what is usual for the size.
    package var bitsPerSecond: Int?
    /// The box that the picture is fitted in, lying or standing as it does; `nil` is to be set.
    package var resolution: PictureSize?
    /// The most frames a second; `nil`: those of the source.
    package var frameRate: Double?
    /// The longest time between keyframes; `nil`: they are where the source has them.
    package var keyframeInterval: Duration?

    package init() {}
}

/// Width and height in pixels.
package struct PictureSize: Sendable, Hashable, CustomStringConvertible {
    /// What encoders of all codecs take.
    package static let limits = 64...7_680

    package let width: Int
    package let height: Int

    /// - Returns: `nil` outside `limits`.
    package init?(width: Int, height: Int) {
        guard Self.limits.contains(width), Self.limits.contains(height) else { return nil }
        self.width = width
        self.height = height
    }

    package var description: String { "\(width)x\(height)" }
}

/// What is encoded again, and how.
package struct TranscodingConfiguration: Sendable, Equatable {
    package var isEnabled = false
    package var preset = TranscodingPreset.veryfast
    package var mode = TranscodingMode.lowLatency
    /// The source itself is the top of the ladder, as it is sent.
    package var keepsSource = true
    /// Empty: what is usual below the size of the source.
    package var outputFormats: [OutputFormat] = []
    /// In the order written: the first that is for a source is taken in place of `outputFormats`.
    package var ladders: [Ladder] = []
    /// Cards are used where there are any.
    package var usesGPU = true
    package var policy = DevicePolicy.fallBack
    /// What sound is encoded as, beside the source's own.
    package var audio: [SoundOutputFormat] = []

    package init() {}

    /// The ladder of a source; that without a name where none is for it.
    func ladder(for source: VideoFormat) -> Ladder {
        if let ladder = ladders.first(where: { $0.isFor(source) }) { return ladder }
        var ladder = Ladder()
        ladder.keepsSource = keepsSource
        ladder.outputFormats = outputFormats
        return ladder
    }

    /// As it is for one stream: with the ladders for streams of its name, or the one of that name alone.
    package func applied(to stream: StreamName, ladder name: String? = nil) -> Self {
        var configuration = self
        configuration.ladders = ladders.filter { ladder in
            name.map { $0 == ladder.name } ?? ladder.match?.matches(stream) ?? true
        }
        guard name != nil else { return configuration }
        configuration.isEnabled = true
        for index in configuration.ladders.indices { configuration.ladders[index].takeAll() }
        return configuration
    }
}

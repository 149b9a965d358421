package import Media

/// The rungs for one source, and why there are not more.
package struct LadderPlan: Sendable, Equatable {
    /// Largest first: each is scaled from the one before.
    package private(set) var rungs: [LadderRung] = []
    /// Why nothing of the source is encoded again, in words.
    package private(set) var refusal: String?
    /// Why some rungs were left out, in words.
    package private(set) var shortage: String?
    /// The name of the ladder; empty for the usual one.
    package private(set) var ladder = ""
    /// The source is offered as well, as it is sent; always where there is no rung.
    package private(set) var keepsSource = true

    /// Short sides of the usual ladder, and what H.264 of 30 frames a second takes there.
    private static let usual: [(side: Int, bitsPerSecond: Int)] = [
        (1_080, 5_000_000), (720, 2_800_000), (480, 1_200_000), (360, 700_000),
    ]
    /// A rung this close to the source would be the source once more, where that is offered.
    private static let smallestStep = 0.9

    package init() {}

    /// The ladder of a source, by the operator's formats or else the usual one.
    ///
    /// Nothing is ever made larger.
    package init(_ configuration: TranscodingConfiguration, for source: VideoFormat) {
        guard configuration.isEnabled else { return }
        refusal = Self.refusal(of: source)
        guard refusal == nil else { return }
        let ladder = configuration.ladder(for: source)
        self.ladder = ladder.name
        let formats =
            ladder.outputFormats.isEmpty
            ? Self.usualFormats(below: source, ladder) : ladder.outputFormats
        for format in formats {
            guard let size = Self.size(of: source, in: format.resolution) else { continue }
            let rate = min(source.frameRate?.value ?? 30, format.frameRate ?? .infinity)
            let usual = Self.bitsPerSecond(size, frameRate: rate, format.codec)
            let rung = LadderRung(
                name: name(for: size, format.codec),
                codec: format.codec,
                width: size.width,
                height: size.height,
                bitsPerSecond: format.bitsPerSecond ?? usual,
                preset: ladder.preset ?? configuration.preset,
                frameRateLimit: format.frameRate,
                keyframeInterval: format.keyframeInterval.map(MediaTime.mpegTicks),
                mode: ladder.mode ?? configuration.mode
            )
            rungs.append(rung)
        }
        keepsSource = ladder.keepsSource || rungs.isEmpty
        rungs.sort { ($0.width * $0.height, $0.name) > ($1.width * $1.height, $1.name) }
    }

    /// So many of its rungs, the smallest: those nearest to the source are missed the least.
    func keeping(smallest count: Int, because reason: String) -> LadderPlan {
        var plan = self
        plan.rungs = Array(rungs.suffix(count))
        if count == 0 {
            plan.refusal = reason
            plan.keepsSource = true
        } else {
            plan.shortage = reason
        }
        return plan
    }

    private static func refusal(of source: VideoFormat) -> String? {
        if source.codec == .jpegXS { return "there is no decoder for JPEG XS" }
        if source.dynamicRange != .sdr, let matrix = source.colour?.matrix,
            [10, 14].contains(matrix)
        {
            return "its \(source.dynamicRange.rawValue) picture is of constant luminance or ICtCp"
        }
        guard source.width >= 16, source.height >= 16 else { return "its size is not known" }
        return nil
    }

    private static func usualFormats(
        below source: VideoFormat,
        _ ladder: Ladder
    ) -> [OutputFormat] {
        let side = Double(min(source.width, source.height))
        let limit = ladder.keepsSource ? side * smallestStep : side + 1
        return usual.filter { Double($0.side) < limit }.map { step in
            var format = OutputFormat()
            format.resolution = PictureSize(width: 7_680, height: step.side)
            return format
        }
    }

    /// The source's picture in the box, lying or standing as it does, with its shape of samples kept.
    ///
    /// - Returns: `nil` where it would have to be made larger.
    private static func size(of source: VideoFormat, in box: PictureSize?) -> PictureSize? {
        guard let box else { return nil }
        let aspect = source.sampleAspectRatio.map { max($0.value, 0.01) } ?? 1
        let shown = (width: Double(source.width) * aspect, height: Double(source.height))
        let isStanding = shown.height > shown.width
        let room = (
            width: Double(isStanding ? min(box.width, box.height) : box.width),
            height: Double(isStanding ? max(box.width, box.height) : box.height)
        )
        let scale = min(room.width / shown.width, room.height / shown.height)
        guard scale <= 1.001 else { return nil }
        return PictureSize(
            width: even(Double(source.width) * scale),
            height: even(Double(source.height) * scale)
        )
    }

    /// Colours are halved both ways, so sizes are even.
    private static func even(_ length: Double) -> Int {
        max(2, 2 * Int((length / 2).rounded()))
    }

    private static func bitsPerSecond(
        _ size: PictureSize,
        frameRate: Double,
        _ codec: VideoFormat.Codec
    ) -> Int {
        let side = min(size.width, size.height)
        let bits = usual.min { abs($0.side - side) < abs($1.side - side) }?.bitsPerSecond ?? 0
        // Neighbouring frames are more alike the more there are.
        let frequent = frameRate > 40 ? bits * 3 / 2 : bits
        return codec == .h264 ? frequent : frequent * 2 / 3
    }

    private func name(for size: PictureSize, _ codec: VideoFormat.Codec) -> String {
        let name = "video-\(min(size.width, size.height))p"
        let names =
            [name, "\(name)-\(codec.pathComponent)"]
            + (2...99).map { "\(name)-\(codec.pathComponent)-\($0)" }
        return names.first { name in !rungs.contains { $0.name == name } } ?? name
    }
}

extension VideoFormat.Codec {
    fileprivate var pathComponent: String {
        switch self {
        case .h264: "h264"
        case .hevc: "hevc"
        case .av1: "av1"
        case .jpegXS: "jxs"
        }
    }
}

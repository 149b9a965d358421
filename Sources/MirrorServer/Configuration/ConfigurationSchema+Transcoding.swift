import Media
package import Processing

extension ConfigurationSchema {
    static let transcoding: [ConfigurationKey<ServerConfiguration>] = [
        ConfigurationKey(
            "transcoding.enabled",
            \.transcoding.isEnabled,
            .boolean,
            "Whether streams are also offered in smaller sizes. A stream's rule may say otherwise.",
            change: .reload
        ),
        ConfigurationKey(
            "transcoding.preset",
            \.transcoding.preset,
            .choice,
            "How much CPU a bit is worth: each step costs about half as much again.",
            change: .reload
        ),
        ConfigurationKey(
            "transcoding.mode",
            \.transcoding.mode,
            .choice,
            "What counts more: with low_latency encoders hold no picture back; with quality they look half a"
                + " second ahead, and the sizes come that much later.",
            change: .reload
        ),
        ConfigurationKey(
            "transcoding.passthrough",
            \.transcoding.keepsSource,
            .boolean,
            "Whether the source itself is offered too, as it is sent. It always is where nothing is made of it.",
            change: .reload
        ),
        ConfigurationKey(
            "transcoding.gpu_enabled",
            \.transcoding.usesGPU,
            .boolean,
            "Whether NVIDIA cards do it, where there are any."
        ),
        ConfigurationKey(
            "transcoding.policy",
            \.transcoding.policy,
            .choice,
            "What becomes of a stream's sizes that no card has room for, or whose card fails: the CPU makes"
                + " them, only the smallest are made, or none.",
            change: .reload
        ),
        ConfigurationKey(
            "transcoding.output_formats",
            \.transcoding.outputFormats,
            .list(of: outputFormat, limit: 8, startingWith: .init()),
            "The sizes beside the source's own. Left out: 1080p, 720p, 480p and 360p, as far as they"
                + " are smaller.",
            change: .reload
        ),
        ConfigurationKey(
            "transcoding.ladders",
            \.transcoding.ladders,
            .list(of: ladder, limit: 16, startingWith: .init()),
            "For some streams or sources, the first that is for them in place of output_formats.",
            change: .reload
        ),
        ConfigurationKey(
            "transcoding.audio",
            \.transcoding.audio,
            .list(of: soundOutputFormat, limit: 4, startingWith: .init()),
            "What every track of sound is encoded as beside the source's own, for all sizes.",
            change: .reload
        ),
    ]

    package static let soundOutputFormat: [ConfigurationKey<SoundOutputFormat>] = [
        ConfigurationKey(
            "codec",
            \.codec,
            .encodedSound,
            "What it is encoded as.",
            example: "aac"
        ),
        ConfigurationKey(
            "bitrate",
            \.bitsPerSecond,
            .bitRateLimit,
            "Its bits a second. Left out, or 0: 64k a channel of AAC, 48k of Opus.",
            example: "128k"
        ),
        ConfigurationKey(
            "channels",
            \.channels,
            .count(1...2, of: "channels"),
            "What sound with more is mixed to.",
            example: "2"
        ),
    ]

    private static let keyframeInterval: ClosedRange<Duration> = .milliseconds(100)...(.seconds(10))

    package static let outputFormat: [ConfigurationKey<OutputFormat>] = [
        ConfigurationKey(
            "resolution",
            \.resolution,
            ConfigurationFormat<PictureSize>.pictureSize.optional,
            "The box the picture is fitted in. Sources that are smaller go without.",
            isRequired: true,
            example: "1280x720"
        ),
        ConfigurationKey(
            "codec",
            \.codec,
            .encodedCodec,
            "What it is encoded as.",
            example: "h264"
        ),
        ConfigurationKey(
            "bitrate",
            \.bitsPerSecond,
            .bitRateLimit,
            "Its bits a second. Left out, or 0: what is usual for the size.",
            example: "2800k"
        ),
        ConfigurationKey(
            "frame_rate",
            \.frameRate,
            ConfigurationFormat<Double>.frameRate.optional,
            "The most frames a second; of a source with more, every second or third is left out.",
            example: "30"
        ),
        ConfigurationKey(
            "keyframe_interval",
            \.keyframeInterval,
            ConfigurationFormat<Duration>.duration(keyframeInterval).optional,
            "The longest time between keyframes. Left out: they are where the source has them.",
            example: "1s"
        ),
    ]
}

extension ConfigurationFormat where Value == PictureSize {
    static let pictureSize = ConfigurationFormat(
        shape: "a size such as 1280x720, \(PictureSize.limits.lowerBound) to "
            + "\(PictureSize.limits.upperBound) each way",
        parse: { text throws(ConfigurationMismatch) in
            let sides = text.split(separator: "x", omittingEmptySubsequences: false).map { Int($0) }
            guard sides.count == 2, let width = sides[0], let height = sides[1] else {
                throw ConfigurationMismatch("is no size")
            }
            guard let size = PictureSize(width: width, height: height) else {
                throw ConfigurationMismatch("is out of range")
            }
            return size
        },
        write: \.description
    )
}

extension ConfigurationFormat where Value == AudioFormat.Codec {
    fileprivate static let encodedSound = ConfigurationFormat(
        shape: "one of aac, opus",
        parse: { text throws(ConfigurationMismatch) in
            switch text {
            case "aac": return .aac
            case "opus": return .opus
            default: throw ConfigurationMismatch("is not one of them")
            }
        },
        write: { $0.rawValue.lowercased() }
    )
}

extension ConfigurationFormat where Value == VideoFormat.Codec {
    private static let names: [(name: String, codec: VideoFormat.Codec)] = [
        ("h264", .h264), ("hevc", .hevc), ("av1", .av1),
    ]

    static let encodedCodec = ConfigurationFormat(
        shape: "one of \(names.map(\.name).joined(separator: ", "))",
        parse: { text throws(ConfigurationMismatch) in
            guard let codec = names.first(where: { $0.name == text })?.codec else {
                throw ConfigurationMismatch("is not one of them")
            }
            return codec
        },
        write: { codec in names.first { $0.codec == codec }?.name ?? Self.nothing }
    )
}

extension ConfigurationFormat where Value == Double {
    fileprivate static let frameRate = ConfigurationFormat(
        shape: "frames a second, 1 to 240",
        parse: { text throws(ConfigurationMismatch) in
            guard let rate = Double(text) else { throw ConfigurationMismatch("is no number") }
            guard (1...240).contains(rate) else { throw ConfigurationMismatch("is out of range") }
            return rate
        },
        write: { $0 == $0.rounded() ? "\(Int($0))" : "\($0)" }
    )
}

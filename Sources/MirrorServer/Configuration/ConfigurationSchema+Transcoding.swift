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
            "transcoding.output_formats",
            \.transcoding.outputFormats,
            .list(of: outputFormat, limit: 8, startingWith: .init()),
            "The sizes beside the source's own. Left out: 1080p, 720p, 480p and 360p, as far as they"
                + " are smaller.",
            change: .reload
        ),
    ]

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
    ]
}

extension ConfigurationFormat where Value == PictureSize {
    fileprivate static let pictureSize = ConfigurationFormat(
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

extension ConfigurationFormat where Value == VideoFormat.Codec {
    private static let names: [(name: String, codec: VideoFormat.Codec)] = [
        ("h264", .h264), ("hevc", .hevc), ("av1", .av1),
    ]

    fileprivate static let encodedCodec = ConfigurationFormat(
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

import Media
package import Processing

extension ConfigurationSchema {
    package static let ladder: [ConfigurationKey<Ladder>] = [
        ConfigurationKey(
            "name",
            \.name,
            .ladderName,
            "What streams[].transcode and the API call it.",
            isRequired: true,
            example: "\"mobile\""
        ),
        ConfigurationKey(
            "match",
            \.match,
            ConfigurationFormat<StreamPattern>.pattern.optional,
            "Streams it is for. Left out: all.",
            example: "\"cam-*\""
        ),
        ConfigurationKey(
            "source_codecs",
            \.sourceCodecs,
            .values(0...3, of: "codecs (h264, hevc, av1)", .encodedCodec),
            "Sources it is for. Left out: all.",
            example: "[hevc, av1]"
        ),
        ConfigurationKey(
            "source_min",
            \.smallestSource,
            ConfigurationFormat<PictureSize>.pictureSize.optional,
            "Sources that are smaller are not meant.",
            example: "1920x1080"
        ),
        ConfigurationKey(
            "source_max",
            \.largestSource,
            ConfigurationFormat<PictureSize>.pictureSize.optional,
            "Sources that are larger are not meant.",
            example: "3840x2160"
        ),
        ConfigurationKey(
            "preset",
            \.preset,
            ConfigurationFormat<TranscodingPreset>.choice.optional,
            "In place of transcoding.preset.",
            example: "faster"
        ),
        ConfigurationKey(
            "mode",
            \.mode,
            ConfigurationFormat<TranscodingMode>.choice.optional,
            "In place of transcoding.mode.",
            example: "quality"
        ),
        ConfigurationKey(
            "passthrough",
            \.keepsSource,
            .boolean,
            "In place of transcoding.passthrough.",
            example: "false"
        ),
        ConfigurationKey(
            "output_formats",
            \.outputFormats,
            .list(of: outputFormat, limit: 8, startingWith: .init()),
            "Its sizes, as those of transcoding.output_formats.",
            example: "[{resolution: 640x360, bitrate: 700k}]"
        ),
    ]
}

/// The name of a ladder, which no word for true or false can be.
private func checkedLadderName(_ text: String) throws(ConfigurationMismatch) -> String {
    let isName = text.utf8.allSatisfy { byte in
        UInt8(ascii: "a")...UInt8(ascii: "z") ~= byte
            || UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte
            || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_")
    }
    let isTruth = ConfigurationFormat<Bool>.truth(of: text) != nil
    guard isName, 1...32 ~= text.utf8.count, !isTruth else {
        throw ConfigurationMismatch("is no name of a ladder")
    }
    return text
}

extension ConfigurationFormat where Value == String {
    fileprivate static let ladderName = ConfigurationFormat(
        shape: "1 to 32 small letters, digits, - and _, no word for true or false",
        parse: { text throws(ConfigurationMismatch) in try checkedLadderName(text) },
        write: \.quoted
    )
}

extension ConfigurationFormat where Value == TranscodingChoice {
    static let transcodingChoice = ConfigurationFormat(
        shape: "true, false or the name of a ladder",
        parse: { text throws(ConfigurationMismatch) in
            switch ConfigurationFormat<Bool>.truth(of: text) {
            case true: .on
            case false: .off
            case nil: .named(try checkedLadderName(text))
            }
        },
        write: { choice in
            switch choice {
            case .on: "true"
            case .off: "false"
            case .named(let name): name.quoted
            }
        }
    )
}

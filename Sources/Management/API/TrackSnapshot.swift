package import Media

/// One track as its bitstream describes itself.
package struct TrackSnapshot: Codable, Sendable, Equatable {
    package enum Kind: String, Codable, Sendable {
        case video, audio, data
    }

    /// Facts of a picture that only video has.
    package struct Video: Codable, Sendable, Equatable {
        /// Code points of ITU-T H.273.
        package struct Colour: Codable, Sendable, Equatable {
            package var primaries: Int
            package var transfer: Int
            package var matrix: Int
            package var isFullRange: Bool
        }

        package var profile: String
        package var level: String
        package var width: Int
        package var height: Int
        /// `16:11`; left out when not signalled.
        package var sampleAspectRatio: String?
        /// Frames a second, as signalled.
        package var frameRate: Double?
        package var bitDepth: Int
        /// `4:2:0`, `4:2:2`.
        package var chroma: String
        /// `SDR`, `HLG`, `PQ`.
        package var dynamicRange: String
        package var colour: Colour?
        package var isInterlaced: Bool

        init(_ format: VideoFormat) {
            profile = format.profile
            level = format.level
            width = format.width
            height = format.height
            sampleAspectRatio = format.sampleAspectRatio.map { "\($0.numerator):\($0.denominator)" }
            frameRate = format.frameRate?.value.roundedForDisplay
            bitDepth = format.bitDepth
            chroma = format.chroma.rawValue
            dynamicRange = format.dynamicRange.rawValue
            colour = format.colour.map { colour in
                Colour(
                    primaries: Int(colour.primaries),
                    transfer: Int(colour.transfer),
                    matrix: Int(colour.matrix),
                    isFullRange: colour.isFullRange
                )
            }
            isInterlaced = format.isInterlaced
        }
    }

    /// Facts of sound that only audio has.
    package struct Audio: Codable, Sendable, Equatable {
        package var profile: String?
        package var sampleRateHertz: Int
        package var channels: Int
        /// `stereo`, `5.1`.
        package var layout: String

        init(_ format: AudioFormat) {
            profile = format.profile.isEmpty ? nil : format.profile
            sampleRateHertz = format.sampleRate
            channels = format.channels
            layout = format.channelLayout
        }
    }

    /// The PID, for MPEG-TS.
    package var id: Int
    package var kind: Kind
    /// `H.264`, `AAC`, `SCTE-35`.
    package var codec: String
    /// RFC 6381; left out for data and linear PCM.
    package var codecString: String?
    package var language: String?
    package var video: Video?
    package var audio: Audio?

    package init(_ track: Track) {
        id = track.id.rawValue
        language = track.language
        switch track.format {
        case .video(let format):
            kind = .video
            codec = format.codec.rawValue
            codecString = format.codecString
            video = Video(format)
        case .audio(let format):
            kind = .audio
            codec = format.codec.rawValue
            codecString = format.codecString.isEmpty ? nil : format.codecString
            audio = Audio(format)
        case .data(let format):
            kind = .data
            codec = format.kind.rawValue
        }
    }
}

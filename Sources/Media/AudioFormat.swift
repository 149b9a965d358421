package import NIOCore

/// What an audio bitstream says of itself in its headers.
package struct AudioFormat: Sendable, Hashable {
    package enum Codec: String, Sendable, Hashable, CaseIterable {
        case aac = "AAC"
        case opus = "Opus"
        case ac3 = "AC-3"
        case eac3 = "E-AC-3"
        case mp3 = "MP3"
        /// Not coded at all.
        case linearPCM = "linear PCM"
    }

    package var codec: Codec
    /// RFC 6381: `mp4a.40.2`, `Opus`, `ac-3`, `ec-3`, `mp4a.40.34`; empty for linear PCM.
    package var codecString: String
    /// In words: `AAC-LC`, `HE-AAC`, `Layer III`, `24 bit`; empty when the codec has no profiles.
    package var profile: String
    /// In hertz, of the decoded sound (HE-AAC: the doubled rate).
    package var sampleRate: Int
    package var channels: Int
    /// In words: `mono`, `stereo`, `5.1`, `7.1`.
    package var channelLayout: String
    /// Samples a channel in each access unit, at `sampleRate`; constant for the format.
    package var samplesPerAccessUnit: Int
    /// AudioSpecificConfig for AAC, the payload of `dOps`, `dac3`, `dec3`; empty for MP3; one byte for
    /// linear PCM, the number of bits of a sample.
    ///
    /// Source: ISO/IEC 14496-3 1.6.2.1; Encapsulation of Opus in ISOBMFF 4.3.2; ETSI TS 102 366 F.
    package var decoderConfiguration: ByteBuffer

    package init(
        codec: Codec,
        codecString: String,
        profile: String = "",
        sampleRate: Int,
        channels: Int,
        channelLayout: String,
        samplesPerAccessUnit: Int,
        decoderConfiguration: ByteBuffer
    ) {
        self.codec = codec
        self.codecString = codecString
        self.profile = profile
        self.sampleRate = sampleRate
        self.channels = channels
        self.channelLayout = channelLayout
        self.samplesPerAccessUnit = samplesPerAccessUnit
        self.decoderConfiguration = decoderConfiguration
    }
}

package import Media

/// What one payload type of an RTP session carries: told by SDP, by its static number, or detected.
///
/// Units: `clockRate` is in ticks a second of the RTP timestamps.
///
/// Source: RFC 3551, 6 (static numbers); RFC 6184, 8.1 and RFC 7798, 7.1 (parameters of pictures);
///         RFC 3640, 4.1 and RFC 6416, 7.3 (of sound).
package struct RTPPayloadFormat: Sendable, Hashable {
    package enum Encoding: Sendable, Hashable {
        /// RFC 6184.
        case h264
        /// RFC 7798; with DONL every unit tells its place in decoding order (`sprop-max-don-diff` above 0).
        case hevc(hasDONL: Bool)
        /// RTP Payload Format For AV1.
        case av1
        /// RFC 9134; each packet says itself whether it is of the codestream or of the slice mode.
        case jpegXS
        /// RFC 2250, 2.
        case mpegTS
        /// RFC 3640 (`mpeg4-generic`).
        case aac(AACPacking)
        /// RFC 6416 (`MP4A-LATM`); `config` is a StreamMuxConfig, wanted when it is not in band
        /// (`cpresent=0`).
        case latm(config: [UInt8]?, isConfigInBand: Bool)
        /// RFC 7587.
        case opus
        /// L16 of RFC 3551, L24 of RFC 3190.
        case linearPCM(bits: Int)
    }

    /// How access units lie in a packet of `mpeg4-generic`: the lengths, in bits, of the fields of an
    /// AU-header.
    ///
    /// Source: RFC 3640, 3.2.1 and 4.1.
    package struct AACPacking: Sendable, Hashable {
        package var sizeLength: Int
        package var indexLength: Int
        package var indexDeltaLength: Int
        package var compositionDeltaLength = 0
        package var decodingDeltaLength = 0
        package var hasRandomAccessIndication = false
        package var streamStateLength = 0
        package var auxiliarySizeLength = 0
        /// `constantSize`: of every access unit, in bytes, where headers do not tell.
        package var constantSize: Int?
        /// AudioSpecificConfig.
        package var config: [UInt8]

        /// The fields of `AAC-hbr`, unless others are given.
        package init(
            sizeLength: Int = 13,
            indexLength: Int = 3,
            indexDeltaLength: Int = 3,
            config: [UInt8]
        ) {
            self.sizeLength = sizeLength
            self.indexLength = indexLength
            self.indexDeltaLength = indexDeltaLength
            self.config = config
        }
    }

    /// What a payload is before anything of it was read.
    package enum Kind: Sendable, Hashable {
        case video(VideoFormat.Codec)
        case audio(AudioFormat.Codec)
        /// Tracks of its own.
        case transportStream
    }

    package var encoding: Encoding
    package var clockRate: Int
    /// Of sound, as `rtpmap` has them; `nil` when not given.
    package var channels: Int?
    /// `sprop-parameter-sets`, or `sprop-vps`, `sprop-sps` and `sprop-pps`: raw NAL units.
    package var parameterSets: [[UInt8]]
    /// How far units are sent out of their decoding order; `nil` where they are not.
    package var interleaving: RTPInterleaving?

    package init(
        encoding: Encoding,
        clockRate: Int,
        channels: Int? = nil,
        parameterSets: [[UInt8]] = [],
        interleaving: RTPInterleaving? = nil
    ) {
        self.encoding = encoding
        self.clockRate = clockRate
        self.channels = channels
        self.parameterSets = parameterSets
        self.interleaving = interleaving
    }

    /// The format of a static payload type that can be taken; `nil` for any other.
    ///
    /// Source: RFC 3551, Tables 4 and 5.
    package init?(staticPayloadType: UInt8) {
        switch staticPayloadType {
        case 10: self.init(encoding: .linearPCM(bits: 16), clockRate: 44_100, channels: 2)
        case 11: self.init(encoding: .linearPCM(bits: 16), clockRate: 44_100, channels: 1)
        case 33: self.init(encoding: .mpegTS, clockRate: 90_000)
        default: return nil
        }
    }

    package var kind: Kind {
        switch encoding {
        case .h264: .video(.h264)
        case .hevc: .video(.hevc)
        case .av1: .video(.av1)
        case .jpegXS: .video(.jpegXS)
        case .mpegTS: .transportStream
        case .aac, .latm: .audio(.aac)
        case .opus: .audio(.opus)
        case .linearPCM: .audio(.linearPCM)
        }
    }
}

package import NIOCore

/// What a video bitstream says of itself in its parameter sets.
package struct VideoFormat: Sendable, Hashable {
    package enum Codec: String, Sendable, Hashable, CaseIterable {
        case h264 = "H.264"
        case hevc = "HEVC"
        case av1 = "AV1"
        case jpegXS = "JPEG XS"
    }

    package enum DynamicRange: String, Sendable, Hashable {
        case sdr = "SDR"
        case hlg = "HLG"
        case pq = "PQ"
    }

    package enum ChromaFormat: String, Sendable, Hashable {
        case monochrome = "4:0:0"
        case yuv420 = "4:2:0"
        case yuv422 = "4:2:2"
        case yuv444 = "4:4:4"
    }

    /// Code points of ITU-T H.273.
    ///
    /// `nil` fields were not signalled.
    package struct Colour: Sendable, Hashable {
        package var primaries: UInt8
        package var transfer: UInt8
        package var matrix: UInt8
        package var isFullRange: Bool

        package init(primaries: UInt8, transfer: UInt8, matrix: UInt8, isFullRange: Bool) {
            self.primaries = primaries
            self.transfer = transfer
            self.matrix = matrix
            self.isFullRange = isFullRange
        }
    }

    package var codec: Codec
    /// RFC 6381, as it goes into CODECS: `avc1.64001f`, `hvc1.1.6.L93.B0`, `av01.0.04M.08`.
    package var codecString: String
    /// In words: `High`, `Main 10`, `Professional`.
    package var profile: String
    /// In words: `4.1`, `5.0 (High tier)`.
    package var level: String
    /// Picture size after cropping, in luma samples.
    package var width: Int
    package var height: Int
    /// `nil` when not signalled (players then take 1:1).
    package var sampleAspectRatio: Rational?
    /// Frames (not fields) a second when the bitstream signals a fixed rate; else `nil`.
    package var frameRate: Rational?
    package var bitDepth: Int
    package var chroma: ChromaFormat
    package var colour: Colour?
    package var isInterlaced: Bool
    /// Pictures a decoder may hold back to put B-frames in order; `nil` when not signalled.
    package var reorderDepth: Int?
    /// The payload of `avcC`, `hvcC` or `av1C`, parameter sets included; empty for JPEG XS.
    ///
    /// Source: ISO/IEC 14496-15; AV1 Codec ISO Media File Format Binding, 2.3.
    package var decoderConfiguration: ByteBuffer

    package init(
        codec: Codec,
        codecString: String,
        profile: String,
        level: String,
        width: Int,
        height: Int,
        sampleAspectRatio: Rational? = nil,
        frameRate: Rational? = nil,
        bitDepth: Int = 8,
        chroma: ChromaFormat = .yuv420,
        colour: Colour? = nil,
        isInterlaced: Bool = false,
        reorderDepth: Int? = nil,
        decoderConfiguration: ByteBuffer
    ) {
        self.codec = codec
        self.codecString = codecString
        self.profile = profile
        self.level = level
        self.width = width
        self.height = height
        self.sampleAspectRatio = sampleAspectRatio
        self.frameRate = frameRate
        self.bitDepth = bitDepth
        self.chroma = chroma
        self.colour = colour
        self.isInterlaced = isInterlaced
        self.reorderDepth = reorderDepth
        self.decoderConfiguration = decoderConfiguration
    }

    /// From the transfer characteristics: 16 is PQ (SMPTE ST 2084), 18 is HLG (ARIB STD-B67).
    package var dynamicRange: DynamicRange {
        switch colour?.transfer {
        case 16: .pq
        case 18: .hlg
        default: .sdr
        }
    }
}

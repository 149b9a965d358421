/// Video usability information: what a decoder need not know and a player wants to.
///
/// Source: ITU-T H.264 Annex E, ITU-T H.265 Annex E.
struct VideoUsability: Sendable {
    var sampleAspectRatio: Rational?
    var colour: VideoFormat.Colour?
    /// `num_units_in_tick` and `time_scale`, neither of them 0.
    var timing: (unitsInTick: UInt32, timeScale: UInt32)?
    var hasFixedFrameRate = false
    /// `field_seq_flag` of HEVC: every picture is a field.
    var isFieldSequence = false
    var maximumReorderedPictures: Int?
    var minimumSpatialSegmentation = 0

    /// The fields with which both codecs begin: aspect ratio to chroma location.
    mutating func readCommonFields(_ reader: inout BitReader) throws(BitstreamError) {
        if try reader.flag() {
            sampleAspectRatio = try Self.readSampleAspectRatio(&reader)
        }
        // overscan_info_present_flag
        if try reader.flag() { try reader.skip(1) }
        // video_signal_type_present_flag
        if try reader.flag() {
            try reader.skip(3)
            let isFullRange = try reader.flag()
            var described = VideoFormat.Colour(
                primaries: 2,
                transfer: 2,
                matrix: 2,
                isFullRange: isFullRange
            )
            if try reader.flag() {
                described.primaries = try reader.byte()
                described.transfer = try reader.byte()
                described.matrix = try reader.byte()
            }
            let isUnspecified =
                described.primaries == 2 && described.transfer == 2 && described.matrix == 2
            colour = isUnspecified && !isFullRange ? nil : described
        }
        // chroma_loc_info_present_flag
        if try reader.flag() {
            _ = try reader.ue()
            _ = try reader.ue()
        }
    }

    mutating func readTiming(_ reader: inout BitReader) throws(BitstreamError) {
        let unitsInTick = try reader.bits(32)
        let timeScale = try reader.bits(32)
        if unitsInTick > 0, timeScale > 0 { timing = (unitsInTick, timeScale) }
    }

    private static func readSampleAspectRatio(
        _ reader: inout BitReader
    ) throws(BitstreamError) -> Rational? {
        let code = try reader.int(8)
        // Extended_SAR
        if code == 255 {
            let width = try reader.int(16)
            let height = try reader.int(16)
            return width > 0 ? Rational(width, height) : nil
        }
        guard code > 0, code <= sampleAspectRatios.count else { return nil }
        let (width, height) = sampleAspectRatios[code - 1]
        return Rational(width, height)
    }

    /// Table E-1 of either standard, from `aspect_ratio_idc` 1.
    private static let sampleAspectRatios = [
        (1, 1), (12, 11), (10, 11), (16, 11), (40, 33), (24, 11), (20, 11), (32, 11),
        (80, 33), (18, 11), (15, 11), (64, 33), (160, 99), (4, 3), (3, 2), (2, 1),
    ]
}

extension Rational {
    /// In lowest terms; `nil` unless it is a believable frame rate.
    init?(frameRate numerator: UInt64, over denominator: UInt64) {
        guard denominator > 0, numerator > 0, numerator / denominator <= 1000 else { return nil }
        var (a, b) = (numerator, denominator)
        while b != 0 { (a, b) = (b, a % b) }
        self.init(Int(clamping: numerator / a), Int(clamping: denominator / a))
    }
}

extension VideoFormat.ChromaFormat {
    /// - Parameter idc: `chroma_format_idc`, 0 to 3.
    init(idc: Int) {
        switch idc {
        case 0: self = .monochrome
        case 2: self = .yuv422
        case 3: self = .yuv444
        default: self = .yuv420
        }
    }

    /// Luma samples for each chroma sample, across and down.
    var subsampling: (width: Int, height: Int) {
        switch self {
        case .yuv420: (2, 2)
        case .yuv422: (2, 1)
        case .monochrome, .yuv444: (1, 1)
        }
    }
}

/// A picture size after cropping.
struct PictureSize: Sendable, Hashable {
    /// Larger pictures are taken as damage.
    static let limit = 16_384

    let width: Int
    let height: Int

    /// Takes the borders `crop`, in units of `cropUnit`, off the coded size.
    init(
        coded: (width: Int, height: Int),
        crop: (left: Int, right: Int, top: Int, bottom: Int),
        cropUnit: (width: Int, height: Int)
    ) throws(BitstreamError) {
        guard coded.width <= Self.limit, coded.height <= Self.limit,
            max(crop.left, crop.right, crop.top, crop.bottom) <= Self.limit
        else { throw .invalid }
        width = coded.width - (crop.left + crop.right) * cropUnit.width
        height = coded.height - (crop.top + crop.bottom) * cropUnit.height
        guard width > 0, height > 0 else { throw .invalid }
    }
}

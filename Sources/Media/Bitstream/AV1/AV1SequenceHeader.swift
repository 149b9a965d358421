/// The sequence header OBU of AV1, as far as a server needs it.
///
/// Source: AV1 Bitstream & Decoding Process Specification, 5.5.
struct AV1SequenceHeader: Sendable {
    let profile: Int
    let isReduced: Bool
    /// `seq_level_idx[0]` and `seq_tier[0]`: of the operating point that holds the whole stream.
    private(set) var levelIndex = 0
    private(set) var isHighTier = false
    private(set) var frameRate: Rational?
    private(set) var width = 0
    private(set) var height = 0
    private(set) var bitDepth = 8
    private(set) var isMonochrome = false
    private(set) var colour: VideoFormat.Colour?
    private(set) var subsampling = (x: true, y: true)
    private(set) var chromaSamplePosition = 0
    /// What frame headers carry because of it.
    private(set) var frameFields = FrameFields()

    /// Fields of frame headers that are there, or not, as the sequence header says.
    ///
    /// Source: 5.5.1, 5.5.2, 5.9.2.
    struct FrameFields: Sendable {
        var hasDecoderModel = false
        /// 0 when frames have no identifier.
        var frameIDBits = 0
        var orderHintBits = 0
        /// `seq_force_screen_content_tools` is SELECT_SCREEN_CONTENT_TOOLS, or what it is.
        var screenContentTools = Choice.byFrame
        /// The same of `seq_force_integer_mv`.
        var integerMotionVectors = Choice.byFrame
    }

    enum Choice: Sendable {
        case byFrame
        case always(Bool)
    }

    /// Reads the payload of the OBU, without its header.
    init(_ payload: Span<UInt8>) throws(BitstreamError) {
        var reader = BitReader(payload)
        profile = try reader.int(3)
        guard profile <= 2 else { throw .invalid }
        try reader.skip(1)
        isReduced = try reader.flag()
        if isReduced {
            levelIndex = try reader.int(5)
        } else {
            try readOperatingPoints(&reader)
        }
        let widthBits = try reader.int(4) + 1
        let heightBits = try reader.int(4) + 1
        width = try reader.int(widthBits) + 1
        height = try reader.int(heightBits) + 1
        guard width <= PictureSize.limit, height <= PictureSize.limit else { throw .invalid }
        try readCodingTools(&reader)
        try readColour(&reader)
    }

    private mutating func readOperatingPoints(_ reader: inout BitReader) throws(BitstreamError) {
        var delayBits: Int?
        // timing_info_present_flag
        if try reader.flag() {
            try readTiming(&reader)
            // decoder_model_info_present_flag
            if try reader.flag() {
                frameFields.hasDecoderModel = true
                delayBits = try reader.int(5) + 1
                try reader.skip(42)
            }
        }
        let hasDisplayDelay = try reader.flag()
        for point in 0...(try reader.int(5)) {
            try reader.skip(12)
            let level = try reader.int(5)
            let tier = level > 7 ? try reader.flag() : false
            if point == 0 { (levelIndex, isHighTier) = (level, tier) }
            if let delayBits, try reader.flag() { try reader.skip(2 * delayBits + 1) }
            if hasDisplayDelay, try reader.flag() { try reader.skip(4) }
        }
    }

    private mutating func readTiming(_ reader: inout BitReader) throws(BitstreamError) {
        let unitsInTick = UInt64(try reader.bits(32))
        let timeScale = UInt64(try reader.bits(32))
        // equal_picture_interval
        guard try reader.flag() else { return }
        let ticks = UInt64(try reader.ue()) + 1
        frameRate = Rational(frameRate: timeScale, over: unitsInTick.multipliedClamped(by: ticks))
    }

    /// From `frame_id_numbers_present_flag` to `enable_restoration`.
    private mutating func readCodingTools(_ reader: inout BitReader) throws(BitstreamError) {
        if !isReduced, try reader.flag() {
            let deltaBits = try reader.int(4) + 2
            frameFields.frameIDBits = deltaBits + (try reader.int(3)) + 1
        }
        try reader.skip(3)
        if !isReduced {
            try reader.skip(4)
            let hasOrderHint = try reader.flag()
            if hasOrderHint { try reader.skip(2) }
            frameFields.screenContentTools = try Self.readChoice(&reader)
            if case .always(false) = frameFields.screenContentTools {
            } else {
                frameFields.integerMotionVectors = try Self.readChoice(&reader)
            }
            if hasOrderHint { frameFields.orderHintBits = try reader.int(3) + 1 }
        }
        try reader.skip(3)
    }

    private static func readChoice(_ reader: inout BitReader) throws(BitstreamError) -> Choice {
        try reader.flag() ? .byFrame : .always(try reader.flag())
    }

    /// Source: 5.5.2.
    private mutating func readColour(_ reader: inout BitReader) throws(BitstreamError) {
        let isHighBitDepth = try reader.flag()
        bitDepth = isHighBitDepth ? 10 : 8
        if profile == 2, isHighBitDepth, try reader.flag() { bitDepth = 12 }
        if profile != 1 { isMonochrome = try reader.flag() }
        var described = VideoFormat.Colour(primaries: 2, transfer: 2, matrix: 2, isFullRange: false)
        let isDescribed = try reader.flag()
        if isDescribed {
            described.primaries = try reader.byte()
            described.transfer = try reader.byte()
            described.matrix = try reader.byte()
        }
        let isRGB = described.primaries == 1 && described.transfer == 13 && described.matrix == 0
        if !isMonochrome, isRGB {
            described.isFullRange = true
            subsampling = (false, false)
        } else {
            described.isFullRange = try reader.flag()
            if !isMonochrome { try readSubsampling(&reader) }
        }
        colour = isDescribed || described.isFullRange ? described : nil
    }

    private mutating func readSubsampling(_ reader: inout BitReader) throws(BitstreamError) {
        switch profile {
        case 0: subsampling = (true, true)
        case 1: subsampling = (false, false)
        default:
            subsampling = (true, false)
            if bitDepth == 12 {
                subsampling.x = try reader.flag()
                subsampling.y = subsampling.x ? try reader.flag() : false
            }
        }
        if subsampling.x, subsampling.y { chromaSamplePosition = try reader.int(2) }
    }
}

extension UInt64 {
    fileprivate func multipliedClamped(by other: UInt64) -> UInt64 {
        let (product, overflow) = multipliedReportingOverflow(by: other)
        return overflow ? .max : product
    }
}

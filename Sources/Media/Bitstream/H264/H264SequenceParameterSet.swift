/// The sequence parameter set of H.264, as far as a server needs it.
///
/// Source: ITU-T H.264 7.3.2.1.1 and Annex E.
struct H264SequenceParameterSet: Sendable {
    let id: Int
    let profileIDC: UInt8
    /// `constraint_set0_flag` in the highest bit, down to the two reserved ones.
    let constraints: UInt8
    let levelIDC: UInt8
    private(set) var chroma = VideoFormat.ChromaFormat.yuv420
    private(set) var hasSeparateColourPlanes = false
    private(set) var bitDepthLuma = 8
    private(set) var bitDepthChroma = 8
    let frameNumberBits: Int
    private(set) var pictureOrder: PictureOrder
    let isFrameOnly: Bool
    let size: PictureSize
    private(set) var usability = VideoUsability()

    /// What slice headers carry for the picture order count.
    enum PictureOrder: Sendable {
        case leastSignificantBits(Int)
        case deltas(alwaysZero: Bool)
        /// Output order is decoding order.
        case decodingOrder
    }

    /// Reads a whole NAL unit, its header included.
    init(_ unit: Span<UInt8>) throws(BitstreamError) {
        var reader = BitReader(unescaping: unit)
        try reader.skip(8)
        profileIDC = try reader.byte()
        constraints = try reader.byte()
        levelIDC = try reader.byte()
        id = try reader.ue(max: 31)
        if Self.hasChromaFields(profileIDC) {
            let chromaIDC = try reader.ue(max: 3)
            chroma = VideoFormat.ChromaFormat(idc: chromaIDC)
            if chromaIDC == 3 { hasSeparateColourPlanes = try reader.flag() }
            bitDepthLuma = 8 + (try reader.ue(max: 6))
            bitDepthChroma = 8 + (try reader.ue(max: 6))
            try reader.skip(1)
            if try reader.flag() {
                try Self.skipScalingMatrix(&reader, lists: chromaIDC == 3 ? 12 : 8)
            }
        }
        frameNumberBits = 4 + (try reader.ue(max: 12))
        pictureOrder = try Self.readPictureOrder(&reader)
        _ = try reader.ue()
        try reader.skip(1)
        let widthInMacroblocks = try reader.ue(max: PictureSize.limit / 16) + 1
        let heightInMapUnits = try reader.ue(max: PictureSize.limit / 16) + 1
        isFrameOnly = try reader.flag()
        if !isFrameOnly { try reader.skip(1) }
        try reader.skip(1)
        let fields = isFrameOnly ? 1 : 2
        let sampling = hasSeparateColourPlanes ? (1, 1) : chroma.subsampling
        size = try PictureSize(
            coded: (widthInMacroblocks * 16, heightInMapUnits * 16 * fields),
            crop: try Self.readCropping(&reader),
            cropUnit: (sampling.0, sampling.1 * fields)
        )
        // A usability part that is damaged or cut short costs only its own facts.
        if try reader.flag() { try? Self.readUsability(&reader, into: &usability) }
    }

    private static func hasChromaFields(_ profileIDC: UInt8) -> Bool {
        switch profileIDC {
        case 100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135: true
        default: false
        }
    }

    private static func skipScalingMatrix(
        _ reader: inout BitReader,
        lists: Int
    ) throws(BitstreamError) {
        for list in 0..<lists where try reader.flag() {
            var last = 8
            var next = 8
            for _ in 0..<(list < 6 ? 16 : 64) {
                if next != 0 { next = (last + (try reader.se())) & 0xFF }
                if next != 0 { last = next }
            }
        }
    }

    private static func readPictureOrder(
        _ reader: inout BitReader
    ) throws(BitstreamError) -> PictureOrder {
        switch try reader.ue(max: 2) {
        case 0:
            return .leastSignificantBits(4 + (try reader.ue(max: 12)))
        case 1:
            let alwaysZero = try reader.flag()
            _ = try reader.se()
            _ = try reader.se()
            for _ in 0..<(try reader.ue(max: 255)) { _ = try reader.se() }
            return .deltas(alwaysZero: alwaysZero)
        default:
            return .decodingOrder
        }
    }

    private static func readCropping(
        _ reader: inout BitReader
    ) throws(BitstreamError) -> (left: Int, right: Int, top: Int, bottom: Int) {
        guard try reader.flag() else { return (0, 0, 0, 0) }
        let limit = PictureSize.limit
        return (
            try reader.ue(max: limit), try reader.ue(max: limit),
            try reader.ue(max: limit), try reader.ue(max: limit)
        )
    }

    private static func readUsability(
        _ reader: inout BitReader,
        into usability: inout VideoUsability
    ) throws(BitstreamError) {
        try usability.readCommonFields(&reader)
        if try reader.flag() {
            try usability.readTiming(&reader)
            usability.hasFixedFrameRate = try reader.flag()
        }
        let hasNALParameters = try reader.flag()
        if hasNALParameters { try skipHypotheticalDecoder(&reader) }
        let hasVCLParameters = try reader.flag()
        if hasVCLParameters { try skipHypotheticalDecoder(&reader) }
        if hasNALParameters || hasVCLParameters { try reader.skip(1) }
        try reader.skip(1)
        // bitstream_restriction_flag
        guard try reader.flag() else { return }
        try reader.skip(1)
        for _ in 0..<4 { _ = try reader.ue() }
        usability.maximumReorderedPictures = try reader.ue(max: 16)
    }

    private static func skipHypotheticalDecoder(_ reader: inout BitReader) throws(BitstreamError) {
        let count = try reader.ue(max: 31) + 1
        try reader.skip(8)
        for _ in 0..<count {
            _ = try reader.ue()
            _ = try reader.ue()
            try reader.skip(1)
        }
        try reader.skip(20)
    }
}

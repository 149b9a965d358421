/// The sequence parameter set of HEVC, as far as a server needs it.
///
/// Source: ITU-T H.265 7.3.2.2 and Annex E.
struct HEVCSequenceParameterSet: Sendable {
    let id: Int
    let videoParameterSet: Int
    /// `sps_max_sub_layers_minus1`: the highest TemporalId.
    let highestSubLayer: Int
    let isTemporalIDNesting: Bool
    let profileTierLevel: HEVCProfileTierLevel
    let chroma: VideoFormat.ChromaFormat
    let size: PictureSize
    let bitDepthLuma: Int
    let bitDepthChroma: Int
    /// `sps_max_num_reorder_pics` of the highest sub-layer.
    let maximumReorderedPictures: Int
    private(set) var usability = VideoUsability()

    /// Reads a whole NAL unit, its header included.
    init(_ unit: Span<UInt8>) throws(BitstreamError) {
        var reader = BitReader(unescaping: unit)
        try reader.skip(16)
        videoParameterSet = try reader.int(4)
        highestSubLayer = try reader.int(3)
        guard highestSubLayer < 7 else { throw .invalid }
        isTemporalIDNesting = try reader.flag()
        profileTierLevel = try HEVCProfileTierLevel(&reader, subLayers: highestSubLayer)
        id = try reader.ue(max: 15)
        let chromaIDC = try reader.ue(max: 3)
        chroma = VideoFormat.ChromaFormat(idc: chromaIDC)
        if chromaIDC == 3 { try reader.skip(1) }
        size = try Self.readSize(&reader, chroma: chroma)
        bitDepthLuma = 8 + (try reader.ue(max: 8))
        bitDepthChroma = 8 + (try reader.ue(max: 8))
        let pictureOrderBits = 4 + (try reader.ue(max: 12))
        let hasEachSubLayer = try reader.flag()
        var reordered = 0
        for _ in 0..<(hasEachSubLayer ? highestSubLayer + 1 : 1) {
            _ = try reader.ue(max: 15)
            reordered = try reader.ue(max: 15)
            _ = try reader.ue()
        }
        maximumReorderedPictures = reordered
        // What lies between matters only as the way to the usability part; damage there, or an
        // extension not known here, costs only what it says.
        try? Self.skipCodingTools(&reader, chromaIDC: chromaIDC, pictureOrderBits: pictureOrderBits)
        guard (try? reader.flag()) == true else { return }
        try? Self.readUsability(&reader, subLayers: highestSubLayer, into: &usability)
    }

    private static func readSize(
        _ reader: inout BitReader,
        chroma: VideoFormat.ChromaFormat
    ) throws(BitstreamError) -> PictureSize {
        let limit = PictureSize.limit
        let coded = (try reader.ue(max: limit), try reader.ue(max: limit))
        var crop = (left: 0, right: 0, top: 0, bottom: 0)
        if try reader.flag() {
            crop = (
                try reader.ue(max: limit), try reader.ue(max: limit),
                try reader.ue(max: limit), try reader.ue(max: limit)
            )
        }
        return try PictureSize(coded: coded, crop: crop, cropUnit: chroma.subsampling)
    }

    /// From `log2_min_luma_coding_block_size_minus3` to `strong_intra_smoothing_enabled_flag`.
    private static func skipCodingTools(
        _ reader: inout BitReader,
        chromaIDC: Int,
        pictureOrderBits: Int
    ) throws(BitstreamError) {
        for _ in 0..<6 { _ = try reader.ue() }
        // scaling_list_enabled_flag, sps_scaling_list_data_present_flag
        if try reader.flag(), try reader.flag() { try skipScalingLists(&reader) }
        try reader.skip(2)
        // pcm_enabled_flag
        if try reader.flag() {
            try reader.skip(8)
            _ = try reader.ue()
            _ = try reader.ue()
            try reader.skip(1)
        }
        var pictureCounts: [Int] = []
        for _ in 0..<(try reader.ue(max: 64)) {
            pictureCounts.append(try skipReferencePictureSet(&reader, after: pictureCounts.last))
        }
        // long_term_ref_pics_present_flag
        if try reader.flag() {
            try reader.skip(try reader.ue(max: 32) * (pictureOrderBits + 1))
        }
        try reader.skip(2)
    }

    /// Source: ITU-T H.265 7.3.4.
    private static func skipScalingLists(_ reader: inout BitReader) throws(BitstreamError) {
        for sizeID in 0..<4 {
            for _ in stride(from: 0, to: 6, by: sizeID == 3 ? 3 : 1) {
                guard try reader.flag() else {
                    _ = try reader.ue()
                    continue
                }
                if sizeID > 1 { _ = try reader.se() }
                for _ in 0..<min(64, 1 << (4 + sizeID * 2)) { _ = try reader.se() }
            }
        }
    }

    /// Takes `NumDeltaPocs` of the set before, `nil` for the first, and returns that of this set.
    ///
    /// Source: ITU-T H.265 7.3.7.
    private static func skipReferencePictureSet(
        _ reader: inout BitReader,
        after previous: Int?
    ) throws(BitstreamError) -> Int {
        // inter_ref_pic_set_prediction_flag
        if let previous, try reader.flag() {
            try reader.skip(1)
            _ = try reader.ue()
            var count = 0
            for _ in 0...previous {
                let isUsed = try reader.flag()
                if isUsed { count += 1 } else if try reader.flag() { count += 1 }
            }
            return count
        }
        let count = try reader.ue(max: 16) + (try reader.ue(max: 16))
        for _ in 0..<count {
            _ = try reader.ue()
            try reader.skip(1)
        }
        return count
    }

    private static func readUsability(
        _ reader: inout BitReader,
        subLayers: Int,
        into usability: inout VideoUsability
    ) throws(BitstreamError) {
        try usability.readCommonFields(&reader)
        try reader.skip(1)
        usability.isFieldSequence = try reader.flag()
        try reader.skip(1)
        // default_display_window_flag: a hint that players may follow, not a cropping.
        if try reader.flag() {
            for _ in 0..<4 { _ = try reader.ue() }
        }
        if try reader.flag() {
            try usability.readTiming(&reader)
            if try reader.flag() { _ = try reader.ue() }
            if try reader.flag() { try skipHypotheticalDecoder(&reader, subLayers: subLayers) }
        }
        // bitstream_restriction_flag
        guard try reader.flag() else { return }
        try reader.skip(3)
        usability.minimumSpatialSegmentation = try reader.ue(max: 4095)
    }

    /// Source: ITU-T H.265 E.2.2 and E.2.3.
    private static func skipHypotheticalDecoder(
        _ reader: inout BitReader,
        subLayers: Int
    ) throws(BitstreamError) {
        let hasNALParameters = try reader.flag()
        let hasVCLParameters = try reader.flag()
        var hasSubPictures = false
        if hasNALParameters || hasVCLParameters {
            hasSubPictures = try reader.flag()
            if hasSubPictures { try reader.skip(19) }
            try reader.skip(8)
            if hasSubPictures { try reader.skip(4) }
            try reader.skip(15)
        }
        for _ in 0...subLayers {
            var isFixedRate = try reader.flag()
            if !isFixedRate { isFixedRate = try reader.flag() }
            var isLowDelay = false
            if isFixedRate { _ = try reader.ue() } else { isLowDelay = try reader.flag() }
            let count = isLowDelay ? 1 : try reader.ue(max: 31) + 1
            let kinds = (hasNALParameters ? 1 : 0) + (hasVCLParameters ? 1 : 0)
            for _ in 0..<(kinds * count) {
                for _ in 0..<(hasSubPictures ? 4 : 2) { _ = try reader.ue() }
                try reader.skip(1)
            }
        }
    }
}

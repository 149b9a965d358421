/// The head of a picture parameter set of HEVC.
///
/// Source: ITU-T H.265 7.3.2.3.1.
struct HEVCPictureParameterSet: Sendable {
    let id: Int
    let sequenceParameterSet: Int

    /// Reads a whole NAL unit, its header included.
    init(_ unit: Span<UInt8>) throws(BitstreamError) {
        var reader = BitReader(unescaping: unit)
        try reader.skip(16)
        id = try reader.ue(max: 63)
        sequenceParameterSet = try reader.ue(max: 15)
    }
}

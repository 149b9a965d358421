/// The head of a picture parameter set of H.264.
///
/// Source: ITU-T H.264 7.3.2.2.
struct H264PictureParameterSet: Sendable {
    let id: Int
    let sequenceParameterSet: Int
    /// `bottom_field_pic_order_in_frame_present_flag`.
    let hasBottomFieldPictureOrder: Bool

    /// Reads a whole NAL unit, its header included.
    init(_ unit: Span<UInt8>) throws(BitstreamError) {
        var reader = BitReader(unescaping: unit)
        try reader.skip(8)
        id = try reader.ue(max: 255)
        sequenceParameterSet = try reader.ue(max: 31)
        try reader.skip(1)
        hasBottomFieldPictureOrder = try reader.flag()
    }
}

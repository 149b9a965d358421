/// The box `jxes` before each JPEG XS access unit of a transport stream.
///
/// Shape: length (32 bits), `jxes`, brat, frat (32 each), schar, Ppih, Plev (16 each), colour
///        primaries, transfer, matrix, full range (8 each), time code (32).
/// Source: ISO/IEC 13818-1, carriage of JPEG XS; ISO/IEC 21122-3 for the fields.
struct JPEGXSElementaryStreamHeader: Sendable {
    private static let boxType: UInt32 = 0x6A78_6573

    /// Where the codestream begins.
    let byteCount: Int
    let frame: JPEGXSFrameRate
    let colour: VideoFormat.Colour?

    init(_ bytes: Span<UInt8>) throws(BitstreamError) {
        var reader = BitReader(bytes.extracting(first: min(bytes.count, 30)))
        byteCount = try reader.int(32)
        guard try reader.bits(32) == Self.boxType, byteCount >= 30, byteCount <= bytes.count
        else { throw .invalid }
        try reader.skip(32)
        frame = try JPEGXSFrameRate(&reader)
        try reader.skip(48)
        let described = VideoFormat.Colour(
            primaries: try reader.byte(),
            transfer: try reader.byte(),
            matrix: try reader.byte(),
            isFullRange: try reader.flag()
        )
        colour = described.primaries == 2 && described.transfer == 2 ? nil : described
    }
}

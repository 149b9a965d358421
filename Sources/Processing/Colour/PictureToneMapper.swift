import CFFmpeg
import Media

/// Brings pictures of high dynamic range to a size and into standard range, on the calling thread.
///
/// They are scaled first, so that the fewest samples are mapped; with 10 bits, so that none of the range is lost.
///
/// In:  BT.2020, PQ or HLG, of any layout.
/// Out: BT.709, 8 bits a sample, 4:2:0. What is said of light in the source is no longer said.
final class PictureToneMapper {
    /// Of pictures that come out.
    static let colour = VideoFormat.Colour(primaries: 1, transfer: 1, matrix: 1, isFullRange: false)
    private static let depth = AV_PIX_FMT_YUV420P10LE

    let result: PictureScaler.Kind
    private let scaler: PictureScaler
    private let table: ToneTable

    /// - Returns: `nil` for what is of standard range.
    init?(
        from source: PictureScaler.Kind,
        _ format: VideoFormat?,
        to size: (width: Int, height: Int)
    ) throws(FFmpegError) {
        guard let format, let mapping = ToneMapping(format.dynamicRange) else { return nil }
        let own = PictureColour(format.colour, height: source.height)
        let limited = PictureColour(matrix: own.matrix, isFullRange: false)
        result = (size.width, size.height, CPUDevice.layout)
        scaler = try PictureScaler(
            from: source,
            to: (size.width, size.height, Self.depth),
            colours: (own, limited),
            care: .live
        )
        table = ToneTable(mapping)
    }

    /// A new picture; `source` must be like those the mapper was made for.
    func map(_ source: PictureFrame) throws(FFmpegError) -> PictureFrame {
        let scaled = try scaler.scale(source)
        let mapped = try PictureFrame(
            width: result.width,
            height: result.height,
            layout: result.layout
        )
        scaled.lend { scaled in mapped.lend { table.map(scaled.pointee, into: $0.pointee) } }
        try mapped.describe(like: source)
        mapped.lend { frame in
            frame.pointee.color_primaries = AVCOL_PRI_BT709
            frame.pointee.color_trc = AVCOL_TRC_BT709
            frame.pointee.colorspace = AVCOL_SPC_BT709
            frame.pointee.color_range = AVCOL_RANGE_MPEG
            for kind in [
                AV_FRAME_DATA_MASTERING_DISPLAY_METADATA, AV_FRAME_DATA_CONTENT_LIGHT_LEVEL,
                AV_FRAME_DATA_DYNAMIC_HDR_PLUS, AV_FRAME_DATA_DOVI_METADATA,
                AV_FRAME_DATA_DOVI_RPU_BUFFER,
            ] {
                av_frame_remove_side_data(frame, kind)
            }
        }
        return mapped
    }
}

extension VideoFormat {
    /// What samples stand for in the sizes that are made of it.
    var coloursOfSizes: Colour? {
        dynamicRange == .sdr ? colour : PictureToneMapper.colour
    }
}

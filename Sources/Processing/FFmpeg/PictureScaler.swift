import CFFmpeg
import Media

/// How samples of a picture stand for colours.
struct PictureColour: Equatable {
    /// `SWS_CS_*`, which are code points of ITU-T H.273 where they differ in effect.
    var matrix: Int32
    var isFullRange: Bool

    /// Red, green and blue.
    static let rgb = PictureColour(matrix: Int32(SWS_CS_DEFAULT), isFullRange: true)

    init(matrix: Int32, isFullRange: Bool) {
        self.matrix = matrix
        self.isFullRange = isFullRange
    }

    /// What a video format says; where it says nothing, players go by the height.
    init(_ colour: VideoFormat.Colour?, height: Int) {
        let unsaid = height >= 720 ? SWS_CS_ITU709 : SWS_CS_ITU601
        let matrix =
            switch colour?.matrix {
            case nil, 0, 2, 3: unsaid
            case 1: SWS_CS_ITU709
            case 4: SWS_CS_FCC
            case 5, 6: SWS_CS_ITU601
            case 7: SWS_CS_SMPTE240M
            case 9, 10, 14: SWS_CS_BT2020
            default: unsaid
            }
        self.init(matrix: Int32(matrix), isFullRange: colour?.isFullRange ?? false)
    }
}

/// Brings pictures of one size and layout to another, on the calling thread.
final class PictureScaler: PictureScaling {
    /// How much is done for exact colours.
    enum Care {
        /// For a picture that is shown for long.
        case exact
        /// For one of many.
        case live

        fileprivate var flags: Int32 {
            switch self {
            case .exact:
                SWS_BICUBIC | SWS_ACCURATE_RND | SWS_FULL_CHR_H_INT | SWS_FULL_CHR_H_INP
            case .live: SWS_BICUBIC
            }
        }
    }

    private let context: OpaquePointer
    private let width: Int
    private let height: Int
    private let layout: AVPixelFormat

    /// Size and layout of pictures.
    typealias Kind = (width: Int, height: Int, layout: AVPixelFormat)

    /// From pictures like `source` to others; `colours` say what samples stand for before and after.
    init(
        from source: Kind,
        to result: Kind,
        colours: (from: PictureColour, to: PictureColour),
        care: Care = .exact
    ) throws(FFmpegError) {
        (width, height, layout) = result
        context = try FFmpegError.unwrap(
            sws_getContext(
                Int32(clamping: source.width),
                Int32(clamping: source.height),
                source.layout,
                Int32(clamping: width),
                Int32(clamping: height),
                layout,
                care.flags,
                nil,
                nil,
                nil
            ),
            "sws_getContext"
        )
        try FFmpegError.check(
            sws_setColorspaceDetails(
                context,
                sws_getCoefficients(colours.from.matrix),
                colours.from.isFullRange ? 1 : 0,
                sws_getCoefficients(colours.to.matrix),
                colours.to.isFullRange ? 1 : 0,
                0,
                1 << 16,
                1 << 16
            ),
            "sws_setColorspaceDetails"
        )
    }

    deinit {
        sws_freeContext(context)
    }

    /// A new picture; `source` must be like the one the scaler was made for.
    func scale(_ source: PictureFrame) throws(FFmpegError) -> PictureFrame {
        let result = try PictureFrame(width: width, height: height, layout: layout)
        let context = context
        let rows = source.lend { source in
            result.lend { result in sws_scale_frame(context, result, source) }
        }
        try FFmpegError.check(rows, "sws_scale_frame")
        return result
    }
}

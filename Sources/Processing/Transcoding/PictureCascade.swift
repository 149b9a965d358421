import CFFmpeg
import Media

/// Brings pictures to the size of every rung, each from that of the rung above.
///
/// Out: 8 bits a sample, 4:2:0, in the colours of the source; captions and the shape of samples stay
///      with the picture.
final class PictureCascade {
    static let layout = AV_PIX_FMT_YUV420P

    private let source: PictureScaler.Kind
    /// For each rung; `nil` where it takes the picture above as it is.
    private let scalers: [PictureScaler?]

    /// For pictures like `frame`, of which `format` tells the colours.
    init(
        from frame: PictureFrame,
        _ format: VideoFormat?,
        to rungs: [LadderRung]
    ) throws(FFmpegError) {
        source = frame.kind
        let colour = PictureColour(format?.colour, height: frame.height)
        var scalers: [PictureScaler?] = []
        var above = frame.kind
        for rung in rungs {
            let own: PictureScaler.Kind = (
                width: rung.width, height: rung.height, layout: Self.layout
            )
            if above == own {
                scalers.append(nil)
                continue
            }
            let scaler = try PictureScaler(
                from: above,
                to: own,
                colours: (colour, colour),
                care: .live
            )
            scalers.append(scaler)
            above = own
        }
        self.scalers = scalers
    }

    /// Whether it is for pictures of this kind: a source may change within its format.
    func takes(_ frame: PictureFrame) -> Bool {
        frame.kind == source
    }

    /// Calls `body` with the picture for each rung down to the one at `last`, as soon as it is made.
    func scale(
        _ frame: PictureFrame,
        through last: Int,
        _ body: (Int, SharedPicture) -> Void
    ) throws(FFmpegError) {
        var above = frame
        for (index, scaler) in scalers.prefix(last + 1).enumerated() {
            if let scaler {
                let scaled = try scaler.scale(above)
                try scaled.describe(like: frame)
                above = scaled
            }
            body(index, try SharedPicture(above))
        }
    }
}

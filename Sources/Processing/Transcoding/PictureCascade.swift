import Media

/// Brings pictures to the size of every rung, each from that of the rung above.
///
/// Out: on the CPU 8 bits a sample, 4:2:0, in the colours of the source, or in BT.709 where that is of high
///      dynamic range; the shape of samples stays with the picture.
final class PictureCascade {
    private let device: any TranscodingDevice
    private let format: VideoFormat?
    private let rungs: [LadderRung]
    private let kind: PictureScaler.Kind
    private let pool: PicturePool?
    /// For each rung that was reached; `nil` where it takes the picture above as it is.
    private var scalers: [(any PictureScaling)?] = []

    /// To the size of the first rung, from a source of high dynamic range.
    private let toneMapper: PictureToneMapper?

    /// For pictures like `frame`, which come from `format`.
    init(
        from frame: PictureFrame,
        _ format: VideoFormat?,
        to rungs: [LadderRung],
        on device: any TranscodingDevice
    ) throws(FFmpegError) {
        self.device = device
        self.format = format
        self.rungs = rungs
        kind = frame.kind
        pool = frame.pool
        toneMapper = try rungs.first.flatMap { first throws(FFmpegError) in
            try PictureToneMapper(from: frame.kind, format, to: (first.width, first.height))
        }
    }

    /// Whether it is for pictures of this kind: a source may change within its format.
    func takes(_ frame: PictureFrame) -> Bool {
        frame.kind == kind && frame.pool == pool
    }

    /// Calls `body` with the picture for each rung down to the one at `last`, as soon as it is made.
    func scale(
        _ frame: PictureFrame,
        through last: Int,
        _ body: (Int, SharedPicture) -> Void
    ) throws(FFmpegError) {
        var above = try toneMapper?.map(frame) ?? frame
        for (index, rung) in rungs.prefix(last + 1).enumerated() {
            if index == scalers.count {
                scalers.append(try device.makeScaler(from: above, of: format, to: rung))
            }
            if let scaler = scalers[index] {
                let scaled = try scaler.scale(above)
                try scaled.describe(like: above)
                above = scaled
            }
            body(index, try SharedPicture(above))
        }
    }
}

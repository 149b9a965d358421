import CFFmpeg
import Media

/// Lays pictures of any size into pictures that a stream's encoder takes, the rest black.
final class SlateCanvas {
    private let video: VideoFormat
    private let layout: AVPixelFormat
    private let isStill: Bool
    private var fitting: Fitting?
    /// From red, green and blue to what is encoded.
    private var finishing: PictureScaler?

    /// What scales pictures of one kind.
    private struct Fitting {
        let width: Int
        let height: Int
        let layout: AVPixelFormat
        let box: Letterbox
        let scaler: PictureScaler
        let mapping: HDRMapping?
    }

    /// Pictures for a stream of `video`, in `layout`.
    init(_ video: VideoFormat, layout: AVPixelFormat, isStill: Bool) {
        self.video = video
        self.layout = layout
        self.isStill = isStill
    }

    func lay(_ picture: PictureFrame) throws(FFmpegError) -> PictureFrame {
        let fitting = try fitting(for: picture)
        let scaled = try fitting.scaler.scale(picture)
        let canvas = try PictureFrame(
            width: video.width,
            height: video.height,
            layout: AV_PIX_FMT_RGB48LE
        )
        for row in 0..<video.height {
            _ = canvas.withRow(row, samples: video.width * 3) { samples in
                for index in samples.indices { samples[index] = 0 }
                _ = scaled.withRow(row - fitting.box.y, samples: fitting.box.width * 4) { source in
                    Self.blend(source.span, over: &samples, from: fitting.box.x, fitting.mapping)
                }
            }
        }
        if let finishing { return try finishing.scale(canvas) }
        let made = try makeFinishing(like: canvas)
        finishing = made
        return try made.scale(canvas)
    }

    /// One row: red, green, blue and opacity over black.
    private static func blend(
        _ source: Span<UInt16>,
        over canvas: inout MutableSpan<UInt16>,
        from column: Int,
        _ mapping: HDRMapping?
    ) {
        for pixel in 0..<(source.count / 4) {
            let opacity = UInt32(source[pixel * 4 + 3])
            var red = source[pixel * 4]
            var green = source[pixel * 4 + 1]
            var blue = source[pixel * 4 + 2]
            if opacity < 65_535 {
                red = UInt16(UInt32(red) * opacity / 65_535)
                green = UInt16(UInt32(green) * opacity / 65_535)
                blue = UInt16(UInt32(blue) * opacity / 65_535)
            }
            if let mapping { (red, green, blue) = mapping.map(red, green, blue) }
            let place = (column + pixel) * 3
            canvas[place] = red
            canvas[place + 1] = green
            canvas[place + 2] = blue
        }
    }

    private func fitting(for picture: PictureFrame) throws(FFmpegError) -> Fitting {
        let (width, height) = (picture.width, picture.height)
        if let fitting, fitting.width == width, fitting.height == height,
            fitting.layout == picture.layout
        {
            return fitting
        }
        let box = Letterbox(
            inner: (max(1, width), max(1, height)),
            innerSample: picture.sampleAspectRatio,
            outer: (video.width, video.height),
            outerSample: video.sampleAspectRatio
        )
        let made = Fitting(
            width: width,
            height: height,
            layout: picture.layout,
            box: box,
            scaler: try PictureScaler(
                from: picture.kind,
                to: (box.width, box.height, AV_PIX_FMT_RGBA64LE),
                colours: (picture.colour(isStill: isStill), .rgb)
            ),
            mapping: picture.isHighDynamicRange ? nil : HDRMapping(video.dynamicRange)
        )
        fitting = made
        return made
    }

    private func makeFinishing(like canvas: PictureFrame) throws(FFmpegError) -> PictureScaler {
        try PictureScaler(
            from: canvas.kind,
            to: (video.width, video.height, layout),
            colours: (.rgb, PictureColour(video.colour, height: video.height))
        )
    }
}

extension PictureFrame {
    /// `nil` when not known: square.
    fileprivate var sampleAspectRatio: Rational? {
        let ratio = lend { $0.pointee.sample_aspect_ratio }
        return ratio.num > 0 ? Rational(Int(ratio.num), Int(ratio.den)) : nil
    }

    fileprivate var isHighDynamicRange: Bool {
        let transfer = lend { $0.pointee.color_trc }
        return transfer == AVCOL_TRC_SMPTE2084 || transfer == AVCOL_TRC_ARIB_STD_B67
    }

    /// What the picture says of itself; still pictures that say nothing are as JFIF has them.
    fileprivate func colour(isStill: Bool) -> PictureColour {
        let (space, range) = lend { ($0.pointee.colorspace, $0.pointee.color_range) }
        let isUnsaid = space == AVCOL_SPC_UNSPECIFIED
        let signalled = VideoFormat.Colour(
            primaries: 2,
            transfer: 2,
            matrix: isUnsaid ? (isStill ? 6 : 2) : UInt8(clamping: space.rawValue),
            isFullRange: range == AVCOL_RANGE_JPEG || (isStill && range == AVCOL_RANGE_UNSPECIFIED)
        )
        return PictureColour(signalled, height: height)
    }
}

import CFFmpeg
package import Media

/// The processor: it takes every source and every ladder, and is never full.
package final class CPUDevice: TranscodingDevice {
    package static let shared = CPUDevice()

    /// Slices of one picture that are decoded at a time, where the encoder made several.
    private static let threads = 4
    /// What its encoders take.
    static let layout = AV_PIX_FMT_YUV420P

    package let name = "cpu"
    package let model = "CPU"

    package func makeDecoder(
        of format: VideoFormat
    ) throws(FFmpegError) -> any PictureDecoding {
        try PictureDecoder(
            .video(format.codec),
            configuration: format.decoderConfiguration,
            threads: Self.threads
        )
    }

    package func makeScaler(
        from picture: PictureFrame,
        of source: VideoFormat?,
        to rung: LadderRung
    ) throws(FFmpegError) -> (any PictureScaling)? {
        let result: PictureScaler.Kind = (rung.width, rung.height, Self.layout)
        guard picture.kind != result else { return nil }
        let colour = PictureColour(source?.coloursOfSizes, height: source?.height ?? picture.height)
        return try PictureScaler(
            from: picture.kind,
            to: result,
            colours: (colour, colour),
            care: .live
        )
    }

    package func makeEncoder(
        _ terms: EncodingTerms,
        for picture: PictureFrame
    ) throws(FFmpegError) -> any PictureEncoding {
        try PictureEncoder(PictureEncoder.Settings(terms, layout: picture.layout))
    }
}

extension PictureEncoder.Settings {
    init(_ terms: EncodingTerms, layout: AVPixelFormat) {
        self.init(
            codec: terms.codec,
            rate: .live(
                bitsPerSecond: terms.bitsPerSecond,
                terms.preset,
                lookahead: terms.lookahead
            ),
            width: terms.width,
            height: terms.height,
            sampleAspectRatio: terms.sampleAspectRatio,
            frameRate: terms.frameRate,
            layout: layout,
            colour: terms.colour,
            hasTimecode: terms.hasTimecode
        )
    }
}

import CFFmpeg
import Media
import NIOCore

extension PictureEncoder.Settings {
    /// How a slate of this format is encoded.
    ///
    /// Throws what cannot be: JPEG XS, sample formats that the codec's library does not take, and odd
    /// sizes where colours are halved.
    init(_ format: SlateFormat) throws(SlateError) {
        let video = format.video
        guard video.codec != .jpegXS else {
            throw SlateError(.format, "there is no encoder for \(video.codec.rawValue)")
        }
        guard let layout = Self.layout(video) else {
            throw SlateError(
                .format,
                "no \(video.codec.rawValue) is encoded with \(video.bitDepth) bits and"
                    + " \(video.chroma.rawValue)"
            )
        }
        let isHalved = (
            x: video.chroma == .yuv420 || video.chroma == .yuv422, y: video.chroma == .yuv420
        )
        guard !(isHalved.x && video.width % 2 != 0), !(isHalved.y && video.height % 2 != 0),
            (16...8_192).contains(video.width), (16...8_192).contains(video.height)
        else {
            throw SlateError(
                .format,
                "pictures of \(video.width)x\(video.height) are not encoded"
            )
        }
        var profile: String?
        var level: Int?
        if video.codec == .h264 {
            let bytes = video.decoderConfiguration.readableBytesView.prefix(4).map { $0 }
            profile = bytes.count == 4 ? Self.profiles[bytes[1]] : nil
            level = bytes.count == 4 && (10...62).contains(bytes[3]) ? Int(bytes[3]) : nil
        }
        self.init(
            codec: video.codec,
            profile: profile,
            level: level,
            width: video.width,
            height: video.height,
            sampleAspectRatio: video.sampleAspectRatio,
            frameRate: format.frameRate,
            layout: layout,
            colour: video.colour,
            groupLength: format.groupLength
        )
    }

    /// `profile_idc` and what libx264 calls it.
    private static let profiles: [UInt8: String] = [
        66: "baseline", 77: "main", 100: "high", 110: "high10", 122: "high422", 244: "high444",
    ]

    private static func layout(_ video: VideoFormat) -> AVPixelFormat? {
        switch (video.chroma, video.bitDepth) {
        case (.monochrome, 8): AV_PIX_FMT_GRAY8
        case (.yuv420, 8): AV_PIX_FMT_YUV420P
        case (.yuv422, 8): AV_PIX_FMT_YUV422P
        case (.yuv444, 8): AV_PIX_FMT_YUV444P
        case (.yuv420, 10): AV_PIX_FMT_YUV420P10LE
        case (.yuv422, 10): AV_PIX_FMT_YUV422P10LE
        case (.yuv444, 10): AV_PIX_FMT_YUV444P10LE
        default: nil
        }
    }
}

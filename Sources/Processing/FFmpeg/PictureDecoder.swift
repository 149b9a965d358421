import CFFmpeg
import Media
import NIOCore

/// Decodes pictures, on the calling thread or on a few of its own.
///
/// Threads share the slices of one picture, so none is held back for them.
///
/// Bound: pictures of more than `pixelLimit` are refused before memory is taken for them.
final class PictureDecoder: PictureDecoding {
    enum Codec {
        case png
        case jpeg
        case video(VideoFormat.Codec)
    }

    /// 8K: 7,680 × 4,320, rounded up.
    static let pixelLimit: Int64 = 36 << 20

    private let context: UnsafeMutablePointer<AVCodecContext>
    private let packet: UnsafeMutablePointer<AVPacket>

    /// FFmpeg has none for JPEG XS, and may have been built without others.
    static func isAvailable(_ codec: Codec) -> Bool {
        avcodec_find_decoder(codec.id) != nil
    }

    /// A decoder of one bitstream.
    ///
    /// `configuration` is that of `VideoFormat`; empty for still pictures. `showsUnrecovered` has H.264
    /// give pictures out that are intra coded and not said to be a place to begin at. On a `card` all is
    /// done there, and pictures stay there.
    init(
        _ codec: Codec,
        configuration: ByteBuffer = ByteBuffer(),
        threads: Int = 1,
        showsUnrecovered: Bool = false,
        on card: CUDACard? = nil
    ) throws(FFmpegError) {
        mirror_silence_log()
        let decoder = try FFmpegError.unwrap(codec.decoder(onCard: card != nil), "decoder")
        context = try FFmpegError.unwrap(avcodec_alloc_context3(decoder), "avcodec_alloc_context3")
        packet = try FFmpegError.unwrap(av_packet_alloc(), "av_packet_alloc")
        context.pointee.thread_count = Int32(clamping: threads)
        context.pointee.thread_type = FF_THREAD_SLICE
        context.pointee.max_pixels = Self.pixelLimit
        if let card {
            context.pointee.hw_device_ctx = try card.reference()
            context.pointee.get_format = { context, layouts in
                chooseCUDA(of: layouts, for: context)
            }
            // Beside those it needs for itself: what waits for the scaler.
            context.pointee.extra_hw_frames = 4
        }
        if showsUnrecovered { context.pointee.flags |= AV_CODEC_FLAG_OUTPUT_CORRUPT }
        try context.configure(with: configuration)
        try FFmpegError.check(avcodec_open2(context, decoder, nil), "avcodec_open2")
    }

    deinit {
        var context: UnsafeMutablePointer<AVCodecContext>? = context
        avcodec_free_context(&context)
        var packet: UnsafeMutablePointer<AVPacket>? = packet
        av_packet_free(&packet)
    }

    /// Takes one coded picture; `nil` asks for the pictures that are still held back.
    ///
    /// Calls `body` with each picture that is complete, in the order they are shown, and the time that
    /// came with it. Damage is thrown; the next picture may be given all the same.
    func decode(
        _ payload: ByteBuffer?,
        at time: Int64,
        _ body: (PictureFrame, Int64) throws(FFmpegError) -> Void
    ) throws(FFmpegError) {
        if let payload {
            try packet.fill(with: payload)
            packet.pointee.pts = time
        }
        let sent = avcodec_send_packet(context, payload == nil ? nil : packet)
        av_packet_unref(packet)
        // Whatever the decoder makes of it: the card does not do such pictures.
        guard context.pointee.opaque == nil else {
            throw .unsuitable("NVDEC does not decode such pictures")
        }
        try FFmpegError.check(sent, "decoding")
        while true {
            let picture = try PictureFrame()
            let context = context
            let result = picture.lend { avcodec_receive_frame(context, $0) }
            if result == mirror_error_again || result == mirror_error_end { return }
            try FFmpegError.check(result, "decoding")
            try body(picture, picture.lend { $0.pointee.best_effort_timestamp })
        }
    }

    /// Pictures a second, as the bitstream says; 0 where it does not.
    var frameRate: Double {
        let rate = context.pointee.framerate
        return rate.den > 0 ? Double(rate.num) / Double(rate.den) : 0
    }

    /// Forgets what came before: the next picture is a keyframe.
    func restart() {
        avcodec_flush_buffers(context)
    }
}

/// CUDA's layout, if the decoder offers it for the stream at hand; else none, and a mark in the context.
private func chooseCUDA(
    of layouts: UnsafePointer<AVPixelFormat>?,
    for context: UnsafeMutablePointer<AVCodecContext>?
) -> AVPixelFormat {
    var next = layouts
    while let layout = next?.pointee, layout != AV_PIX_FMT_NONE {
        if layout == AV_PIX_FMT_CUDA { return layout }
        next = next?.successor()
    }
    context?.pointee.opaque = context.map { UnsafeMutableRawPointer($0) }
    return AV_PIX_FMT_NONE
}

extension PictureDecoder.Codec {
    /// Cards are driven by FFmpeg's own decoders, which for AV1 are not the first choice of the CPU.
    fileprivate func decoder(onCard isOnCard: Bool) -> UnsafePointer<AVCodec>? {
        isOnCard && id == AV_CODEC_ID_AV1
            ? avcodec_find_decoder_by_name("av1") : avcodec_find_decoder(id)
    }

    fileprivate var id: AVCodecID {
        switch self {
        case .png: AV_CODEC_ID_PNG
        case .jpeg: AV_CODEC_ID_MJPEG
        case .video(.h264): AV_CODEC_ID_H264
        case .video(.hevc): AV_CODEC_ID_HEVC
        case .video(.av1): AV_CODEC_ID_AV1
        case .video(.jpegXS): AV_CODEC_ID_NONE
        }
    }
}

import CFFmpeg
import Media
import NIOCore

/// Compresses single pictures, on the calling thread.
enum StillEncoder {
    /// Of FFmpeg's scale from 1, the best, to 31: no artefacts that are seen at the size of a thumbnail.
    private static let jpegQuality: Int32 = 4

    /// FFmpeg may have been built without one.
    static func isAvailable(_ format: Thumbnail.Format) -> Bool {
        avcodec_find_encoder_by_name(format.encoderName) != nil
    }

    /// A whole file; `picture` is in the layout that `format` takes.
    static func encode(
        _ picture: PictureFrame,
        as format: Thumbnail.Format
    ) throws(FFmpegError) -> ByteBuffer {
        mirror_silence_log()
        let name = format.encoderName
        let encoder = try FFmpegError.unwrap(avcodec_find_encoder_by_name(name), name)
        let context = try FFmpegError.unwrap(
            avcodec_alloc_context3(encoder),
            "avcodec_alloc_context3"
        )
        defer {
            var context: UnsafeMutablePointer<AVCodecContext>? = context
            avcodec_free_context(&context)
        }
        let packet = try FFmpegError.unwrap(av_packet_alloc(), "av_packet_alloc")
        defer {
            var packet: UnsafeMutablePointer<AVPacket>? = packet
            av_packet_free(&packet)
        }
        context.pointee.width = Int32(clamping: picture.width)
        context.pointee.height = Int32(clamping: picture.height)
        context.pointee.pix_fmt = picture.layout
        context.pointee.time_base = AVRational(num: 1, den: 1)
        // JPEG has a header (JFIF) only where the shape of samples is known.
        context.pointee.sample_aspect_ratio = AVRational(num: 1, den: 1)
        context.pointee.thread_count = 1
        let quality = Self.jpegQuality * FF_QP2LAMBDA
        context.pointee.flags |= AV_CODEC_FLAG_BITEXACT
        if format == .jpeg {
            context.pointee.flags |= AV_CODEC_FLAG_QSCALE
            context.pointee.global_quality = quality
        }
        try FFmpegError.check(avcodec_open2(context, encoder, nil), name)
        let result = picture.lend { frame in
            frame.pointee.pts = 0
            frame.pointee.quality = quality
            return avcodec_send_frame(context, frame)
        }
        try FFmpegError.check(result, name)
        try FFmpegError.check(avcodec_receive_packet(context, packet), name)
        return ByteBuffer(packet.pointee)
    }
}

extension Thumbnail.Format {
    fileprivate var encoderName: String {
        switch self {
        case .jpeg: "mjpeg"
        case .webP: "libwebp"
        }
    }
}

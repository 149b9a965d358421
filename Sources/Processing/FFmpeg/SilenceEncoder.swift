import CFFmpeg
import Media
import NIOCore

/// Encodes silence in the formats of Dolby, which have no short form of it.
enum SilenceEncoder {
    private static let samples: Int32 = 1_536
    /// The parser tells the end of a frame by the beginning of the next.
    private static let frames = 3

    /// Frames of silence, one behind the other, as they would be sent.
    ///
    /// `channelMask` has a bit for each loudspeaker, as FFmpeg numbers them.
    static func encode(
        _ codec: AudioFormat.Codec,
        sampleRate: Int,
        channelMask: UInt64
    ) throws(FFmpegError) -> [UInt8] {
        mirror_silence_log()
        let name = codec == .ac3 ? "ac3" : "eac3"
        let encoder = try FFmpegError.unwrap(avcodec_find_encoder_by_name(name), name)
        let context = try FFmpegError.unwrap(
            avcodec_alloc_context3(encoder),
            "avcodec_alloc_context3"
        )
        defer {
            var pointer: UnsafeMutablePointer<AVCodecContext>? = context
            avcodec_free_context(&pointer)
        }
        context.pointee.sample_rate = Int32(clamping: sampleRate)
        context.pointee.sample_fmt = AV_SAMPLE_FMT_FLTP
        context.pointee.bit_rate = channelMask.nonzeroBitCount > 2 ? 448_000 : 192_000
        context.pointee.thread_count = 1
        try FFmpegError.check(
            av_channel_layout_from_mask(&context.pointee.ch_layout, channelMask),
            name
        )
        try FFmpegError.check(avcodec_open2(context, encoder, nil), name)
        return try encode(with: context)
    }

    private static func encode(
        with context: UnsafeMutablePointer<AVCodecContext>
    ) throws(FFmpegError) -> [UInt8] {
        let frame = try SoundFrame(samples: samples, for: context)
        let packet = try FFmpegError.unwrap(av_packet_alloc(), "av_packet_alloc")
        defer {
            var pointer: UnsafeMutablePointer<AVPacket>? = packet
            av_packet_free(&pointer)
        }
        try frame.lend { (frame) throws(FFmpegError) in
            try FFmpegError.check(
                av_samples_set_silence(
                    frame.pointee.extended_data,
                    0,
                    samples,
                    frame.pointee.ch_layout.nb_channels,
                    AV_SAMPLE_FMT_FLTP
                ),
                "av_samples_set_silence"
            )
        }
        var coded: [UInt8] = []
        for index in 0..<frames {
            let result = frame.lend { frame in
                frame.pointee.pts = Int64(index) * Int64(samples)
                return avcodec_send_frame(context, frame)
            }
            try FFmpegError.check(result, "encoding silence")
            while avcodec_receive_packet(context, packet) == 0 {
                coded += UnsafeBufferPointer(
                    start: packet.pointee.data,
                    count: Int(packet.pointee.size)
                )
                av_packet_unref(packet)
            }
        }
        return coded
    }
}

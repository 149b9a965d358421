import CFFmpeg
import Media
import NIOCore

/// Encodes samples as AAC-LC or Opus, on the calling thread.
///
/// Encoders begin with sound from before the first sample, and so do the times that frames come with.
final class SampleEncoder {
    struct Settings {
        var codec: AudioFormat.Codec
        var sampleRate: Int
        /// One or two.
        var channels: Int
        var bitsPerSecond: Int
    }

    /// A frame, and where its first sample is, counted from the first that was encoded.
    struct Frame {
        let time: Int64
        let payload: ByteBuffer
    }

    let format: AudioFormat
    private let context: UnsafeMutablePointer<AVCodecContext>
    private let packet: UnsafeMutablePointer<AVPacket>
    /// What samples are to be like.
    let frame: SoundFrame

    /// Fails for codecs that cannot be encoded, and for rates that they have not.
    init(_ settings: Settings) throws(FFmpegError) {
        mirror_silence_log()
        let name = settings.codec == .opus ? "libopus" : "aac"
        let encoder = try FFmpegError.unwrap(avcodec_find_encoder_by_name(name), name)
        let context = try FFmpegError.unwrap(avcodec_alloc_context3(encoder), name)
        var freed: UnsafeMutablePointer<AVCodecContext>? = context
        do throws(FFmpegError) {
            try Self.open(context, encoder, settings)
            let format = Self.format(of: context, settings)
            guard let format, Int(context.pointee.frame_size) == format.samplesPerAccessUnit else {
                throw FFmpegError(operation: name, code: -EINVAL)
            }
            self.format = format
            frame = try SoundFrame(samples: context.pointee.frame_size, for: context)
            packet = try FFmpegError.unwrap(av_packet_alloc(), "av_packet_alloc")
        } catch {
            avcodec_free_context(&freed)
            throw error
        }
        self.context = context
    }

    deinit {
        var context: UnsafeMutablePointer<AVCodecContext>? = context
        avcodec_free_context(&context)
        var packet: UnsafeMutablePointer<AVPacket>? = packet
        av_packet_free(&packet)
    }

    private static func open(
        _ context: UnsafeMutablePointer<AVCodecContext>,
        _ encoder: UnsafePointer<AVCodec>,
        _ settings: Settings
    ) throws(FFmpegError) {
        context.pointee.sample_rate = Int32(clamping: settings.sampleRate)
        context.pointee.time_base = AVRational(num: 1, den: context.pointee.sample_rate)
        context.pointee.bit_rate = Int64(settings.bitsPerSecond)
        context.pointee.thread_count = 1
        context.pointee.flags |= AV_CODEC_FLAG_GLOBAL_HEADER
        av_channel_layout_default(&context.pointee.ch_layout, Int32(clamping: settings.channels))
        if settings.codec == .opus {
            context.pointee.sample_fmt = AV_SAMPLE_FMT_FLT
            // Players are told a peak that is to hold.
            let options = context.pointee.priv_data
            try FFmpegError.check(av_opt_set(options, "vbr", "constrained", 0), "libopus")
        } else {
            context.pointee.sample_fmt = AV_SAMPLE_FMT_FLTP
            // The other search takes several times as long, for a little at low bit rates.
            let options = context.pointee.priv_data
            try FFmpegError.check(av_opt_set(options, "aac_coder", "fast", 0), "aac")
        }
        try FFmpegError.check(avcodec_open2(context, encoder, nil), "avcodec_open2")
    }

    private static func format(
        of context: UnsafeMutablePointer<AVCodecContext>,
        _ settings: Settings
    ) -> AudioFormat? {
        guard settings.codec == .aac else {
            return AudioPacketParser.opusFormat(
                channels: settings.channels,
                samplesPerPacket: Int(context.pointee.frame_size)
            )
        }
        let configuration = UnsafeBufferPointer(
            start: context.pointee.extradata,
            count: Int(context.pointee.extradata_size)
        )
        return AudioPacketParser.format(of: Array(configuration))
    }

    /// Takes the samples of one frame, the first of which is at `time`.
    ///
    /// `fill` writes them; the pointer is good within it only. What is returned are the frames that are
    /// ready.
    func encode(
        at time: Int64,
        fill: (UnsafeMutablePointer<AVFrame>) throws(FFmpegError) -> Void
    ) throws(FFmpegError) -> [Frame] {
        try frame.lend { (frame) throws(FFmpegError) in
            try FFmpegError.check(av_frame_make_writable(frame), "av_frame_make_writable")
            try fill(frame)
            frame.pointee.pts = time
            try FFmpegError.check(avcodec_send_frame(context, frame), "encoding sound")
        }
        return takeFrames()
    }

    /// No samples come any more.
    ///
    /// - Returns: The frames that are still due.
    func finish() -> [Frame] {
        avcodec_send_frame(context, nil) < 0 ? [] : takeFrames()
    }

    private func takeFrames() -> [Frame] {
        var frames: [Frame] = []
        while avcodec_receive_packet(context, packet) == 0 {
            frames.append(Frame(time: packet.pointee.pts, payload: ByteBuffer(packet.pointee)))
            av_packet_unref(packet)
        }
        return frames
    }
}

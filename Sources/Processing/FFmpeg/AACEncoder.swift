import CFFmpeg
import Media
import NIOCore

/// Encodes linear PCM as AAC-LC on the calling thread, a frame for each access unit.
///
/// The library is two frames behind, and begins with one that only prepares the first: that is left out,
/// so that the frames that come stand for the access units that went in, one for one.
///
/// Of more than two channels the first two are taken: what others are, samples do not tell.
final class AACEncoder {
    private static let bitRateOfChannel: Int64 = 96_000
    private static let channelLimit = 2

    let format: AudioFormat
    private let source: LinearPCM
    private let channels: Int
    private let context: UnsafeMutablePointer<AVCodecContext>
    private let packet: UnsafeMutablePointer<AVPacket>
    private let frame: SoundFrame
    /// In samples, of the next frame.
    private var time: Int64 = 0

    /// Fails for rates that AAC has not.
    init(_ source: LinearPCM) throws(FFmpegError) {
        mirror_silence_log()
        self.source = source
        channels = min(source.channels, Self.channelLimit)
        let encoder = try FFmpegError.unwrap(avcodec_find_encoder_by_name("aac"), "aac")
        let context = try FFmpegError.unwrap(avcodec_alloc_context3(encoder), "aac")
        var freed: UnsafeMutablePointer<AVCodecContext>? = context
        do throws(FFmpegError) {
            format = try Self.open(context, encoder, source, channels: channels)
            frame = try SoundFrame(samples: Int32(LinearPCM.unitSamples), for: context)
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
        _ source: LinearPCM,
        channels: Int
    ) throws(FFmpegError) -> AudioFormat {
        context.pointee.sample_rate = Int32(clamping: source.sampleRate)
        context.pointee.time_base = AVRational(num: 1, den: context.pointee.sample_rate)
        context.pointee.sample_fmt = AV_SAMPLE_FMT_FLTP
        context.pointee.bit_rate = bitRateOfChannel * Int64(channels)
        context.pointee.thread_count = 1
        context.pointee.flags |= AV_CODEC_FLAG_GLOBAL_HEADER
        av_channel_layout_default(&context.pointee.ch_layout, Int32(channels))
        // The other search takes several times as long, for a little at low bit rates.
        try FFmpegError.check(av_opt_set(context.pointee.priv_data, "aac_coder", "fast", 0), "aac")
        try FFmpegError.check(avcodec_open2(context, encoder, nil), "aac")
        let configuration = UnsafeBufferPointer(
            start: context.pointee.extradata,
            count: Int(context.pointee.extradata_size)
        )
        let format = AudioPacketParser.format(of: Array(configuration))
        guard let format, context.pointee.frame_size == LinearPCM.unitSamples else {
            throw FFmpegError(operation: "aac", code: -EINVAL)
        }
        return format
    }

    /// Takes the samples of an access unit.
    ///
    /// - Returns: The frames that are ready, each for the next access unit.
    func encode(_ samples: ByteBuffer) throws(FFmpegError) -> [ByteBuffer] {
        let start = time
        time += Int64(LinearPCM.unitSamples)
        try frame.lend { (frame) throws(FFmpegError) in
            try FFmpegError.check(av_frame_make_writable(frame), "av_frame_make_writable")
            samples.withUnsafeReadableBytes { fill(frame, with: $0) }
            frame.pointee.pts = start
            try FFmpegError.check(avcodec_send_frame(context, frame), "encoding sound")
        }
        return takeFrames()
    }

    /// No samples come any more.
    ///
    /// - Returns: The frames of the access units that are still due.
    func finish() -> [ByteBuffer] {
        avcodec_send_frame(context, nil) < 0 ? [] : takeFrames()
    }

    private func takeFrames() -> [ByteBuffer] {
        var frames: [ByteBuffer] = []
        while avcodec_receive_packet(context, packet) == 0 {
            if packet.pointee.pts >= 0 { frames.append(ByteBuffer(packet.pointee)) }
            av_packet_unref(packet)
        }
        return frames
    }

    private func fill(
        _ frame: UnsafeMutablePointer<AVFrame>,
        with bytes: UnsafeRawBufferPointer
    ) {
        let width = source.bits / 8
        for channel in 0..<channels {
            guard let plane = frame.pointee.extended_data[channel] else { continue }
            plane.withMemoryRebound(to: Float.self, capacity: LinearPCM.unitSamples) { plane in
                for index in 0..<LinearPCM.unitSamples {
                    let place = index * source.instantBytes + channel * width
                    var sample: Int32 = 0
                    if place + width <= bytes.count {
                        for byte in 0..<width {
                            sample |= Int32(bytes[place + byte]) << Int32(24 - 8 * byte)
                        }
                    }
                    plane[index] = Float(sample) / 2_147_483_648
                }
            }
        }
    }
}

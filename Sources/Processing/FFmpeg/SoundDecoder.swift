import CFFmpeg
import Media
import NIOCore

/// Decodes sound, frame by frame, on the calling thread.
final class SoundDecoder {
    private let context: UnsafeMutablePointer<AVCodecContext>
    private let packet: UnsafeMutablePointer<AVPacket>
    private let frame: UnsafeMutablePointer<AVFrame>

    /// Fails for what FFmpeg was built without, and for a configuration that is damaged.
    init(_ format: AudioFormat) throws(FFmpegError) {
        mirror_silence_log()
        let decoder = try FFmpegError.unwrap(Self.decoder(for: format.codec), "decoder")
        context = try FFmpegError.unwrap(avcodec_alloc_context3(decoder), "avcodec_alloc_context3")
        packet = try FFmpegError.unwrap(av_packet_alloc(), "av_packet_alloc")
        frame = try FFmpegError.unwrap(av_frame_alloc(), "av_frame_alloc")
        context.pointee.thread_count = 1
        // What there is before the beginning has been left out of the times that frames come with.
        context.pointee.flags2 |= AV_CODEC_FLAG2_SKIP_MANUAL
        context.pointee.sample_rate = Int32(clamping: format.sampleRate)
        av_channel_layout_default(&context.pointee.ch_layout, Int32(clamping: format.channels))
        try context.configure(with: Self.configuration(of: format))
        try FFmpegError.check(avcodec_open2(context, decoder, nil), "avcodec_open2")
    }

    deinit {
        var context: UnsafeMutablePointer<AVCodecContext>? = context
        avcodec_free_context(&context)
        var packet: UnsafeMutablePointer<AVPacket>? = packet
        av_packet_free(&packet)
        var frame: UnsafeMutablePointer<AVFrame>? = frame
        av_frame_free(&frame)
    }

    /// Of Opus, that of its makers gives as many samples as went in, from the first packet on.
    private static func decoder(for codec: AudioFormat.Codec) -> UnsafePointer<AVCodec>? {
        switch codec {
        case .aac: avcodec_find_decoder(AV_CODEC_ID_AAC)
        case .opus:
            avcodec_find_decoder_by_name("libopus") ?? avcodec_find_decoder(AV_CODEC_ID_OPUS)
        case .ac3: avcodec_find_decoder(AV_CODEC_ID_AC3)
        case .eac3: avcodec_find_decoder(AV_CODEC_ID_EAC3)
        case .mp3: avcodec_find_decoder(AV_CODEC_ID_MP3)
        case .linearPCM: nil
        }
    }

    /// The AudioSpecificConfig of AAC; of Opus the header that Ogg has, made from `dOps`.
    ///
    /// Source: RFC 7845, 5.1.
    private static func configuration(of format: AudioFormat) -> ByteBuffer {
        guard format.codec == .opus else { return format.decoderConfiguration }
        var record = format.decoderConfiguration
        guard record.readInteger(as: UInt8.self) != nil,
            let channels = record.readInteger(as: UInt8.self),
            let preSkip = record.readInteger(as: UInt16.self),
            let rate = record.readInteger(as: UInt32.self),
            let gain = record.readInteger(as: Int16.self)
        else { return ByteBuffer() }
        var header = ByteBuffer(string: "OpusHead")
        header.writeInteger(UInt8(1))
        header.writeInteger(channels)
        header.writeInteger(preSkip, endianness: .little)
        header.writeInteger(rate, endianness: .little)
        header.writeInteger(gain, endianness: .little)
        header.writeImmutableBuffer(record)
        return header
    }

    /// Takes one frame and calls `body` with the samples that came of it; the pointer is good within it
    /// only.
    ///
    /// Damage is thrown; the next frame may be given all the same. Of an empty one nothing comes.
    func decode(
        _ payload: ByteBuffer,
        _ body: (UnsafeMutablePointer<AVFrame>) throws(FFmpegError) -> Void
    ) throws(FFmpegError) {
        guard payload.readableBytes > 0 else { return }
        try packet.fill(with: payload)
        let result = avcodec_send_packet(context, packet)
        av_packet_unref(packet)
        try FFmpegError.check(result, "decoding sound")
        while avcodec_receive_frame(context, frame) == 0 {
            defer { av_frame_unref(frame) }
            try body(frame)
        }
    }
}

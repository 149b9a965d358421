import CFFmpeg
import Media
import NIOCore

/// Encodes pictures on the calling thread, in closed groups with no reordering.
///
/// Pictures come out as the library gives them: byte stream format (Annex B), or OBUs.
final class PictureEncoder: PictureEncoding {
    /// What pictures may cost.
    enum Rate: Equatable {
        /// As many bits as a still picture needs to look well.
        case quality
        /// At most so many bits a second, but for a second's worth: live, with so many pictures held back.
        case live(bitsPerSecond: Int, TranscodingPreset, lookahead: Int)
    }

    /// What is encoded, and how.
    struct Settings: Equatable {
        var codec: VideoFormat.Codec
        var rate = Rate.quality
        /// Of libx264: its name for the profile.
        var profile: String?
        /// Of libx264: ten times the level.
        var level: Int?
        var width: Int
        var height: Int
        var sampleAspectRatio: Rational?
        var frameRate: Rational
        var layout: AVPixelFormat
        var colour: VideoFormat.Colour?
        /// Pictures in a group; `nil`: groups begin where they are asked for.
        var groupLength: Int?
        /// Of libx264: room is left in each picture for its time code.
        var hasTimecode = false
    }

    private let context: UnsafeMutablePointer<AVCodecContext>
    private let packet: UnsafeMutablePointer<AVPacket>

    /// An encoder on the CPU; or with a `picture` of a card there, for more of the same pool.
    init(_ settings: Settings, on picture: PictureFrame? = nil) throws(FFmpegError) {
        mirror_silence_log()
        let pool = picture?.lend { $0.pointee.hw_frames_ctx } ?? nil
        let name = pool == nil ? settings.codec.encoderName : settings.codec.cardEncoderName
        let encoder = try FFmpegError.unwrap(avcodec_find_encoder_by_name(name), name)
        context = try FFmpegError.unwrap(avcodec_alloc_context3(encoder), "avcodec_alloc_context3")
        packet = try FFmpegError.unwrap(av_packet_alloc(), "av_packet_alloc")
        context.pointee.width = Int32(clamping: settings.width)
        context.pointee.height = Int32(clamping: settings.height)
        context.pointee.pix_fmt = settings.layout
        context.pointee.framerate = AVRational(settings.frameRate)
        context.pointee.time_base = AVRational(
            num: context.pointee.framerate.den,
            den: context.pointee.framerate.num
        )
        if let ratio = settings.sampleAspectRatio {
            context.pointee.sample_aspect_ratio = AVRational(ratio)
        }
        if let colour = settings.colour {
            context.pointee.color_primaries = AVColorPrimaries(UInt32(colour.primaries))
            context.pointee.color_trc = AVColorTransferCharacteristic(UInt32(colour.transfer))
            context.pointee.colorspace = AVColorSpace(UInt32(colour.matrix))
            context.pointee.color_range = colour.isFullRange ? AVCOL_RANGE_JPEG : AVCOL_RANGE_MPEG
        } else {
            context.pointee.color_range = AVCOL_RANGE_MPEG
        }
        // One thread: nothing that is on air may wait for this.
        context.pointee.thread_count = 1
        context.pointee.max_b_frames = 0
        context.pointee.gop_size = settings.groupLength.map { Int32(clamping: $0) } ?? .max
        context.pointee.keyint_min = settings.groupLength.map { Int32(clamping: $0) } ?? 1
        if case .live(let bitsPerSecond, _, _) = settings.rate {
            context.pointee.bit_rate = Int64(bitsPerSecond)
            context.pointee.rc_max_rate = Int64(bitsPerSecond)
            context.pointee.rc_buffer_size = Int32(clamping: bitsPerSecond)
        }
        if let level = settings.level { context.pointee.level = Int32(clamping: level) }
        if let pool {
            context.pointee.hw_frames_ctx = try FFmpegError.unwrap(
                av_buffer_ref(pool),
                "av_buffer_ref"
            )
        }
        for (key, value) in pool == nil ? settings.options : settings.cardOptions {
            try FFmpegError.check(
                av_opt_set(context.pointee.priv_data, key, value, 0),
                "\(name): \(key)=\(value)"
            )
        }
        try FFmpegError.check(avcodec_open2(context, encoder, nil), name)
    }

    deinit {
        var context: UnsafeMutablePointer<AVCodecContext>? = context
        avcodec_free_context(&context)
        var packet: UnsafeMutablePointer<AVPacket>? = packet
        av_packet_free(&packet)
    }

    /// Takes the next picture; `nil` asks for what is still held back.
    ///
    /// `picture` is of the size and layout of the settings, and may be given again; `index` counts
    /// frames; a keyframe closes the group before. Returns the coded pictures that are complete.
    func encode(
        _ picture: PictureFrame?,
        index: Int,
        asKeyframe: Bool = false
    ) throws(FFmpegError) -> [ByteBuffer] {
        let context = context
        if let picture {
            let result = picture.lend { frame in
                frame.pointee.pts = Int64(index)
                frame.pointee.pict_type = asKeyframe ? AV_PICTURE_TYPE_I : AV_PICTURE_TYPE_NONE
                return avcodec_send_frame(context, frame)
            }
            try FFmpegError.check(result, "encoding")
        } else {
            try FFmpegError.check(avcodec_send_frame(context, nil), "encoding")
        }
        var coded: [ByteBuffer] = []
        while true {
            let result = avcodec_receive_packet(context, packet)
            if result == mirror_error_again || result == mirror_error_end { return coded }
            try FFmpegError.check(result, "encoding")
            coded.append(ByteBuffer(packet.pointee))
            av_packet_unref(packet)
        }
    }
}

extension PictureEncoder.Settings {
    /// Private options of the library: no thread but this, and no frame held back beyond the lookahead.
    fileprivate var options: [(String, String)] {
        switch (codec, rate) {
        case (.h264, .quality):
            [
                ("preset", "veryfast"), ("crf", "21"), ("forced-idr", "1"),
                (
                    "x264-params",
                    "sps-id=31:force-cfr=1:scenecut=0:open-gop=0:rc-lookahead=0:sync-lookahead=0:mbtree=0"
                ),
            ] + (profile.map { [("profile", $0)] } ?? [])
        case (.h264, .live(_, let preset, let lookahead)):
            [
                ("preset", preset.rawValue), ("forced-idr", "1"),
                (
                    "x264-params",
                    "scenecut=0:open-gop=0:keyint=infinite" + (hasTimecode ? ":pic-struct=1" : "")
                        + (lookahead > 0 ? ":rc-lookahead=\(lookahead):sync-lookahead=0" : "")
                ),
            ] + (lookahead > 0 ? [] : [("tune", "zerolatency")])
        case (.hevc, .quality):
            [
                ("preset", "veryfast"), ("crf", "23"), ("forced-idr", "1"),
                ("x265-params", oneThread + ":rc-lookahead=1" + groups),
            ]
        case (.hevc, .live(_, let preset, let lookahead)):
            [
                ("preset", preset.rawValue), ("forced-idr", "1"),
                ("x265-params", oneThread + ":rc-lookahead=\(lookahead)" + groups),
            ] + (lookahead > 0 ? [] : [("tune", "zerolatency")])
        case (.av1, _):
            // Its live usage has no look ahead.
            [
                ("usage", "realtime"), ("cpu-used", "8"), ("row-mt", "0"), ("lag-in-frames", "0"),
            ] + (rate == .quality ? [("crf", "30")] : [])
        case (.jpegXS, _):
            []
        }
    }

    /// Of NVENC: no picture is held back beyond the lookahead, and the rate holds within the buffer.
    fileprivate var cardOptions: [(String, String)] {
        guard case .live(_, let preset, let lookahead) = rate else { return [] }
        let step = (TranscodingPreset.allCases.firstIndex(of: preset) ?? 3) + 1
        let way =
            lookahead > 0
            ? [("tune", "hq"), ("rc-lookahead", "\(lookahead)")]
            : [("tune", "ull"), ("zerolatency", "1")]
        return way + [("preset", "p\(step)"), ("rc", "cbr"), ("delay", "0"), ("forced-idr", "1")]
    }

    private var oneThread: String {
        "log-level=none:pools=none:frame-threads=1:wpp=0:scenecut=0:open-gop=0:bframes=0:info=0"
            + ":repeat-headers=1"
    }

    private var groups: String {
        guard let groupLength else { return ":keyint=-1" }
        return ":keyint=\(groupLength):min-keyint=\(groupLength)"
    }
}

extension VideoFormat.Codec {
    /// Of FFmpeg; JPEG XS has none.
    fileprivate var encoderName: String {
        switch self {
        case .h264: "libx264"
        case .hevc: "libx265"
        case .av1: "libaom-av1"
        case .jpegXS: "none"
        }
    }
}

extension VideoFormat.Codec {
    /// Of NVENC.
    fileprivate var cardEncoderName: String {
        switch self {
        case .h264: "h264_nvenc"
        case .hevc: "hevc_nvenc"
        case .av1: "av1_nvenc"
        case .jpegXS: "none"
        }
    }
}

extension AVRational {
    fileprivate init(_ ratio: Rational) {
        self.init(num: Int32(clamping: ratio.numerator), den: Int32(clamping: ratio.denominator))
    }
}

import CFFmpeg

/// Brings samples to the rate, the channels and the form that an encoder takes, and holds them until it
/// takes them.
///
/// Channels are mixed by the coefficients of ITU-R BS.775: centre and surrounds 3 dB down, and no
/// low-frequency effects.
/// Place: the first sample that comes out stands where the first that went in stood, and the counts keep
///        the ratio of the rates for good: a form of samples that changes on the way moves nothing.
/// Bound: what is not taken, and the length of a filter.
final class SampleConverter {
    /// Without samples; only their form counts.
    private let target: UnsafeMutablePointer<AVFrame>
    private let source: UnsafeMutablePointer<AVFrame>
    private let queue: OpaquePointer
    private var context: OpaquePointer?
    /// What has been put into the queue.
    private var count: Int64 = 0

    /// For samples such as `frame` has.
    init(for frame: SoundFrame) throws(FFmpegError) {
        let target = try FFmpegError.unwrap(av_frame_alloc(), "av_frame_alloc")
        self.target = target
        source = try FFmpegError.unwrap(av_frame_alloc(), "av_frame_alloc")
        queue = try frame.lend { (frame) throws(FFmpegError) in
            try Self.copyForm(of: frame, to: target)
            return try FFmpegError.unwrap(
                av_audio_fifo_alloc(
                    AVSampleFormat(frame.pointee.format),
                    frame.pointee.ch_layout.nb_channels,
                    4_096
                ),
                "av_audio_fifo_alloc"
            )
        }
    }

    deinit {
        swr_free(&context)
        av_audio_fifo_free(queue)
        for frame in [target, source] {
            var pointer: UnsafeMutablePointer<AVFrame>? = frame
            av_frame_free(&pointer)
        }
    }

    /// How many samples can be taken.
    var available: Int { Int(av_audio_fifo_size(queue)) }

    /// Takes samples; `time` is how long what went in before them lasts, in samples that come out.
    func convert(
        _ samples: UnsafeMutablePointer<AVFrame>,
        at time: Int64
    ) throws(FFmpegError) {
        if context == nil || !Self.haveSameForm(samples, source) {
            try settle(at: time)
            try renew(for: samples)
        }
        let room = swr_get_out_samples(context, samples.pointee.nb_samples)
        try pass(samples, limit: room)
    }

    /// All up to `time` comes out: what a filter holds back, and silence for what is missing.
    func settle(at time: Int64) throws(FFmpegError) {
        if context != nil, time > count {
            try pass(nil, limit: Int32(clamping: time - count))
        }
        swr_free(&context)
        guard time > count else { return }
        let missing = Int32(clamping: time - count)
        try withFrame(of: missing) { (frame) throws(FFmpegError) in
            av_samples_set_silence(
                frame.pointee.extended_data,
                0,
                missing,
                frame.pointee.ch_layout.nb_channels,
                AVSampleFormat(frame.pointee.format)
            )
            try enqueue(frame)
        }
    }

    /// Fills a frame of the encoder.
    func fill(_ frame: UnsafeMutablePointer<AVFrame>) throws(FFmpegError) {
        try FFmpegError.check(mirror_take_samples(queue, frame), "av_audio_fifo_read")
    }

    private func renew(for samples: UnsafeMutablePointer<AVFrame>) throws(FFmpegError) {
        try Self.copyForm(of: samples, to: source)
        try FFmpegError.check(
            swr_alloc_set_opts2(
                &context,
                &target.pointee.ch_layout,
                AVSampleFormat(target.pointee.format),
                target.pointee.sample_rate,
                &source.pointee.ch_layout,
                AVSampleFormat(source.pointee.format),
                source.pointee.sample_rate,
                0,
                nil
            ),
            "swr_alloc_set_opts2"
        )
        let result = swr_init(context)
        if result < 0 { swr_free(&context) }
        try FFmpegError.check(result, "swr_init")
    }

    /// `nil` asks for what is held back.
    private func pass(
        _ samples: UnsafeMutablePointer<AVFrame>?,
        limit: Int32
    ) throws(FFmpegError) {
        guard limit > 0 else { return }
        try withFrame(of: limit) { (frame) throws(FFmpegError) in
            let converted = mirror_convert_samples(context, frame, samples)
            try FFmpegError.check(converted, "swr_convert")
            frame.pointee.nb_samples = converted
            try enqueue(frame)
        }
    }

    private func enqueue(_ frame: UnsafeMutablePointer<AVFrame>) throws(FFmpegError) {
        guard frame.pointee.nb_samples > 0 else { return }
        try FFmpegError.check(mirror_give_samples(queue, frame), "av_audio_fifo_write")
        count += Int64(frame.pointee.nb_samples)
    }

    /// Lends a frame of the target's form, with memory for so many samples.
    private func withFrame(
        of samples: Int32,
        _ body: (UnsafeMutablePointer<AVFrame>) throws(FFmpegError) -> Void
    ) throws(FFmpegError) {
        let frame = try FFmpegError.unwrap(av_frame_alloc(), "av_frame_alloc")
        defer {
            var pointer: UnsafeMutablePointer<AVFrame>? = frame
            av_frame_free(&pointer)
        }
        try Self.copyForm(of: target, to: frame)
        frame.pointee.nb_samples = samples
        try FFmpegError.check(av_frame_get_buffer(frame, 0), "av_frame_get_buffer")
        try body(frame)
    }

    private static func copyForm(
        of frame: UnsafeMutablePointer<AVFrame>,
        to other: UnsafeMutablePointer<AVFrame>
    ) throws(FFmpegError) {
        other.pointee.format = frame.pointee.format
        other.pointee.sample_rate = frame.pointee.sample_rate
        try FFmpegError.check(
            av_channel_layout_copy(&other.pointee.ch_layout, &frame.pointee.ch_layout),
            "av_channel_layout_copy"
        )
    }

    private static func haveSameForm(
        _ one: UnsafeMutablePointer<AVFrame>,
        _ other: UnsafeMutablePointer<AVFrame>
    ) -> Bool {
        one.pointee.format == other.pointee.format
            && one.pointee.sample_rate == other.pointee.sample_rate
            && av_channel_layout_compare(&one.pointee.ch_layout, &other.pointee.ch_layout) == 0
    }
}

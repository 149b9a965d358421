import CFFmpeg

/// Samples of sound, freed with this value.
///
/// Threads: one at a time.
final class SoundFrame {
    private let frame: UnsafeMutablePointer<AVFrame>

    /// A frame of some samples a channel, its content undefined, as an encoder takes them.
    init(
        samples: Int32,
        for encoder: UnsafeMutablePointer<AVCodecContext>
    ) throws(FFmpegError) {
        frame = try FFmpegError.unwrap(av_frame_alloc(), "av_frame_alloc")
        frame.pointee.nb_samples = samples
        frame.pointee.format = encoder.pointee.sample_fmt.rawValue
        frame.pointee.sample_rate = encoder.pointee.sample_rate
        try FFmpegError.check(
            av_channel_layout_copy(&frame.pointee.ch_layout, &encoder.pointee.ch_layout),
            "av_channel_layout_copy"
        )
        try FFmpegError.check(av_frame_get_buffer(frame, 0), "av_frame_get_buffer")
    }

    deinit {
        var pointer: UnsafeMutablePointer<AVFrame>? = frame
        av_frame_free(&pointer)
    }

    /// Lends the frame to calls of FFmpeg; the pointer is good within `body` only.
    func lend<Result, Failure: Error>(
        _ body: (UnsafeMutablePointer<AVFrame>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try body(frame)
    }
}

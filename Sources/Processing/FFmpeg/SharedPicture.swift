import CFFmpeg

/// A picture that is not compressed, for several threads to read: it is never written again.
final class SharedPicture: Sendable {
    /// Of the frame, as a number: pointers say nothing of who may read them.
    private let address: UInt

    /// Refers to the samples of `picture`, which nobody may write from here on.
    init(_ picture: PictureFrame) throws(FFmpegError) {
        let copy = picture.lend { av_frame_clone($0) }
        address = UInt(bitPattern: try FFmpegError.unwrap(copy, "av_frame_clone"))
    }

    deinit {
        var frame = UnsafeMutablePointer<AVFrame>(bitPattern: address)
        av_frame_free(&frame)
    }

    /// Lends the frame to calls of FFmpeg that only read it.
    func lend<Result>(_ body: (UnsafePointer<AVFrame>?) -> Result) -> Result {
        body(UnsafePointer(bitPattern: address))
    }
}

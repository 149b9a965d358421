import CFFmpeg

/// A picture that is not compressed, freed with this value.
///
/// Threads: one at a time.
package final class PictureFrame {
    private let frame: UnsafeMutablePointer<AVFrame>

    /// A frame with no memory of its own yet: a decoder gives it some.
    init() throws(FFmpegError) {
        frame = try FFmpegError.unwrap(av_frame_alloc(), "av_frame_alloc")
    }

    /// A frame of a size and a layout, its content undefined.
    convenience init(
        width: Int,
        height: Int,
        layout: AVPixelFormat
    ) throws(FFmpegError) {
        try self.init()
        frame.pointee.width = Int32(clamping: width)
        frame.pointee.height = Int32(clamping: height)
        frame.pointee.format = layout.rawValue
        try FFmpegError.check(av_frame_get_buffer(frame, 0), "av_frame_get_buffer")
    }

    /// Another frame for the same samples, with what is said of them; they are not to be written then.
    convenience init(referringTo picture: SharedPicture) throws(FFmpegError) {
        try self.init()
        let own = frame
        try FFmpegError.check(picture.lend { av_frame_ref(own, $0) }, "av_frame_ref")
    }

    deinit {
        var pointer: UnsafeMutablePointer<AVFrame>? = frame
        av_frame_free(&pointer)
    }

    package var width: Int { Int(frame.pointee.width) }
    package var height: Int { Int(frame.pointee.height) }
    var layout: AVPixelFormat { AVPixelFormat(frame.pointee.format) }
    var kind: PictureScaler.Kind { (width, height, layout) }

    /// Says of this frame what is said of another: its colours, the shape of its samples, its captions.
    func describe(like other: PictureFrame) throws(FFmpegError) {
        let own = frame
        try FFmpegError.check(other.lend { av_frame_copy_props(own, $0) }, "av_frame_copy_props")
    }

    /// The decoder missed some of it, and filled it up.
    var isDamaged: Bool { frame.pointee.decode_error_flags != 0 }

    /// Lends the frame to calls of FFmpeg; the pointer is good within `body` only.
    func lend<Result, Failure: Error>(
        _ body: (UnsafeMutablePointer<AVFrame>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try body(frame)
    }

    /// One row of a layout with a single plane, as samples of 16 bits.
    ///
    /// The span is good within `body` only.
    func withRow<Result>(
        _ row: Int,
        samples count: Int,
        _ body: (inout MutableSpan<UInt16>) -> Result
    ) -> Result? {
        guard let data = frame.pointee.data.0, (0..<height).contains(row), count >= 0,
            count * 2 <= Int(frame.pointee.linesize.0)
        else { return nil }
        let start = data + row * Int(frame.pointee.linesize.0)
        return start.withMemoryRebound(to: UInt16.self, capacity: count) { samples in
            var span = MutableSpan(_unsafeStart: samples, count: count)
            return body(&span)
        }
    }
}

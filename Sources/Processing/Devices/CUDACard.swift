import CFFmpeg
import Media

/// One card's context of CUDA, which its decoders, scalers and encoders share.
///
/// Owner: this value; tools hold references of their own. Threads: any; FFmpeg makes the context current
/// for each call.
final class CUDACard: Sendable {
    let name: String
    let model: String
    /// Of the `AVBufferRef`, as a number: pointers say nothing of who may use them.
    private let address: UInt

    /// The card of this number, as the driver counts.
    init(_ number: Int32) throws(FFmpegError) {
        var text = [CChar](repeating: 0, count: 100)
        guard mirror_card_name(number, &text, Int32(text.count)) == 0 else {
            throw FFmpegError(operation: "cuDeviceGetName", code: -ENODEV)
        }
        name = "nvidia-\(number)"
        let bytes = text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
        model = String(decoding: bytes, as: UTF8.self)
        var context: UnsafeMutablePointer<AVBufferRef>?
        let result = av_hwdevice_ctx_create(
            &context,
            AV_HWDEVICE_TYPE_CUDA,
            "\(number)",
            nil,
            0
        )
        try FFmpegError.check(result, "av_hwdevice_ctx_create")
        address = UInt(bitPattern: context)
    }

    deinit {
        var context = UnsafeMutablePointer<AVBufferRef>(bitPattern: address)
        av_buffer_unref(&context)
    }

    /// A reference for a codec, which frees it.
    func reference() throws(FFmpegError) -> UnsafeMutablePointer<AVBufferRef> {
        let context = UnsafeMutablePointer<AVBufferRef>(bitPattern: address)
        return try FFmpegError.unwrap(context.flatMap { av_buffer_ref($0) }, "av_buffer_ref")
    }
}

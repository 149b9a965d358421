import CFFmpeg

/// The memory of a card that pictures come from.
///
/// A number: it tells pools apart that are in use.
typealias PicturePool = UInt

extension PictureFrame {
    /// `nil` for pictures in the memory of the CPU.
    var pool: PicturePool? {
        lend { $0.pointee.hw_frames_ctx.map { UInt(bitPattern: $0.pointee.data) } }
    }
}

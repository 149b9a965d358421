package import Media
package import NIOCore

/// What a slate shows, as it lies in its file: compressed.
package enum SlatePicture: Sendable {
    /// A whole file.
    case png(ByteBuffer)
    case jpeg(ByteBuffer)
    /// Access units of one picture track, in decoding order, the first a keyframe.
    case clip(VideoFormat, [AccessUnit])

    /// A still picture by its first bytes.
    ///
    /// - Returns: `nil` for anything else.
    /// Source: PNG (W3C), 5.2; ITU-T T.81, B.1.1.3.
    package static func still(_ bytes: ByteBuffer) -> SlatePicture? {
        let start = bytes.readableBytesView
        if start.starts(with: [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]) {
            return .png(bytes)
        }
        return start.starts(with: [0xFF, 0xD8, 0xFF]) ? .jpeg(bytes) : nil
    }
}

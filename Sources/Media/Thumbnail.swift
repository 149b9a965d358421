package import NIOCore

/// A small picture of a live stream, as a file.
package struct Thumbnail: Sendable {
    /// The raw value is the extension of its file.
    package enum Format: String, Sendable, Hashable, CaseIterable {
        case jpeg = "jpg"
        case webP = "webp"
    }

    package let format: Format
    package let width: Int
    package let height: Int
    package let bytes: ByteBuffer
    /// When the picture had reached this machine.
    package let takenAt: WallTime

    package init(
        format: Format,
        width: Int,
        height: Int,
        bytes: ByteBuffer,
        takenAt: WallTime
    ) {
        self.format = format
        self.width = width
        self.height = height
        self.bytes = bytes
        self.takenAt = takenAt
    }
}

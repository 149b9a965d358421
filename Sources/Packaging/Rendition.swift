package import Media
package import NIOCore

/// One CMAF track offered to viewers: the picture, or one track of sound.
package struct Rendition: Sendable, Equatable {
    /// A path component such as `video`, `audio1` or `audio2`.
    ///
    /// Stable for the life of the stream.
    package struct ID: Sendable, Hashable, CustomStringConvertible {
        package let description: String

        package init(_ description: String) {
            self.description = description
        }
    }

    package let id: ID
    package let track: Track
    /// The CMAF header: `ftyp` and `moov`.
    ///
    /// Source: ISO/IEC 23000-19, 7.3.1.
    package let initialization: ByteBuffer
    /// PART-TARGET.
    ///
    /// Fixed for the life of the rendition, whatever the source changes later.
    package let partTarget: MediaTime
    /// The group that sound is in which was encoded here; `nil`: that of its codec.
    package var soundGroup: String?

    package init(id: ID, track: Track, initialization: ByteBuffer, partTarget: MediaTime) {
        self.id = id
        self.track = track
        self.initialization = initialization
        self.partTarget = partTarget
    }
}

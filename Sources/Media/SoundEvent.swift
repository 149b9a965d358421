package import NIOCore

/// The sound of one rendition as it is published: a format and a timeline, and then another.
///
/// What is to be encoded again comes like this, and what was encoded goes on like this.
package enum SoundEvent: Sendable {
    /// A timeline of sound of this format begins.
    case begin(AudioFormat)
    /// A segment begins; comes before any frame that is in it.
    case boundary(SegmentBoundary)
    case frame(PlacedSound)
    /// The timeline is over, and all of it has come: where it ends.
    case end(MediaTime)
}

/// One frame of sound in its place on a stream's timeline.
///
/// Units: samples of the format's rate. Frames of a timeline follow each other without a hole.
/// Shape of `payload`: that of `AccessUnit`.
package struct PlacedSound: Sendable {
    package var time: MediaTime
    package var payload: ByteBuffer

    package init(time: MediaTime, payload: ByteBuffer) {
        self.time = time
        self.payload = payload
    }
}

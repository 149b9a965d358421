package import NIOCore

/// One coded picture in its place on a stream's timeline.
///
/// Units: ticks of the 90 kHz clock, zero or later; `presentationTime` is not before `decodeTime`.
/// Shape of `payload`: that of `AccessUnit`.
package struct Picture: Sendable {
    package var decodeTime: Int64
    package var presentationTime: Int64
    package var randomAccess: AccessUnit.RandomAccess
    package var isDisposable: Bool
    package var payload: ByteBuffer
    /// The segment that begins with it.
    package var boundary: SegmentBoundary?

    package init(
        decodeTime: Int64,
        presentationTime: Int64,
        randomAccess: AccessUnit.RandomAccess,
        isDisposable: Bool = false,
        payload: ByteBuffer,
        boundary: SegmentBoundary? = nil
    ) {
        self.decodeTime = decodeTime
        self.presentationTime = presentationTime
        self.randomAccess = randomAccess
        self.isDisposable = isDisposable
        self.payload = payload
        self.boundary = boundary
    }

    package var isKeyframe: Bool { randomAccess != .none }
    /// Where a segment that it begins is, and is cut in every rendition.
    package var start: MediaTime { MediaTime(mpegTicks: decodeTime) }
}

/// The pictures of one rendition: a format and a timeline, and then another.
///
/// What is to be encoded again comes like this, and what was encoded goes on like this.
package enum PictureEvent: Sendable {
    /// A timeline of pictures of this format begins, with a keyframe.
    case begin(VideoFormat)
    case picture(Picture)
    /// The timeline is over, and all of it has come.
    case end
    /// The rendition has no more pictures until it begins again, and is not offered in the meantime.
    case pause
}

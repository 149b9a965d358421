package import Media
package import NIOCore

/// A slate's pictures, encoded: closed groups that may be shown again and again.
///
/// Order of decoding and of showing are the same; the first picture is a keyframe.
package struct SlateLoop: Sendable {
    package struct Picture: Sendable {
        /// As `AccessUnit.payload`.
        package let payload: ByteBuffer
        package let randomAccess: AccessUnit.RandomAccess
        package let isDisposable: Bool

        package init(
            payload: ByteBuffer,
            randomAccess: AccessUnit.RandomAccess,
            isDisposable: Bool
        ) {
            self.payload = payload
            self.randomAccess = randomAccess
            self.isDisposable = isDisposable
        }
    }

    /// What the encoder wrote of itself.
    package let format: VideoFormat
    package let frameRate: Rational
    /// At least one.
    package let pictures: [Picture]

    package init(format: VideoFormat, frameRate: Rational, pictures: [Picture]) {
        self.format = format
        self.frameRate = frameRate
        self.pictures = pictures
    }

    package var byteCount: Int {
        pictures.reduce(0) { $0 + $1.payload.readableBytes }
    }
}

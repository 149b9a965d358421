package import NIOCore

/// One coded picture out of an elementary stream, ready to be `AccessUnit.payload`.
package struct VideoUnit: Sendable {
    /// Shape as `AccessUnit.payload` says; owned.
    package var payload: ByteBuffer
    package var randomAccess: AccessUnit.RandomAccess
    package var isDisposable: Bool
    /// As `AccessUnit.temporalLayer`.
    package var temporalLayer: Int
    /// The format from this unit on, when it differs from that of the unit before; always there on
    /// the first.
    package var newFormat: VideoFormat?

    package init(
        payload: ByteBuffer,
        randomAccess: AccessUnit.RandomAccess,
        isDisposable: Bool,
        temporalLayer: Int = 0,
        newFormat: VideoFormat? = nil
    ) {
        self.payload = payload
        self.randomAccess = randomAccess
        self.isDisposable = isDisposable
        self.temporalLayer = temporalLayer
        self.newFormat = newFormat
    }
}

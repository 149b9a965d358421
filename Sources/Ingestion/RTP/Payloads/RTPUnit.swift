package import Media
package import NIOCore

/// One access unit out of an RTP stream, before it has its place on a timeline.
package struct RTPUnit: Sendable {
    /// Of the sampling instant, at the payload's clock rate; wraps at 2^32.
    ///
    /// Where several frames share a packet, each has its own.
    package var timestamp: UInt32
    /// Shape as `AccessUnit.payload` says; owned.
    package var payload: ByteBuffer
    package var randomAccess: AccessUnit.RandomAccess
    package var isDisposable: Bool
    /// As `AccessUnit.temporalLayer`.
    package var temporalLayer = 0
    /// The format from this unit on, when it differs from that of the unit before; always there on
    /// the first.
    package var newFormat: MediaFormat?
    /// How long it sounds, in ticks of the payload's clock; `nil` for a picture.
    package var samples: Int?
}

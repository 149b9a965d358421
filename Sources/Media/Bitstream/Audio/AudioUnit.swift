package import NIOCore

/// One audio frame out of an elementary stream, ready to be `AccessUnit.payload`.
package struct AudioUnit: Sendable {
    /// 90 kHz, unwrapped; runs on exactly over the frames of one PES packet.
    package var pts: MediaTime
    /// Shape as `AccessUnit.payload` says; owned.
    package var payload: ByteBuffer
    /// The format from this frame on, when it differs from that of the frame before; always there
    /// on the first.
    package var newFormat: AudioFormat?

    package init(pts: MediaTime, payload: ByteBuffer, newFormat: AudioFormat? = nil) {
        self.pts = pts
        self.payload = payload
        self.newFormat = newFormat
    }
}

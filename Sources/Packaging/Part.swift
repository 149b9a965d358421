package import Media
package import NIOCore

/// A partial segment: one CMAF chunk (`moof` and `mdat`), ready to be sent.
///
/// Ownership: the bytes are immutable and shared by all viewers; a segment is the list of its parts,
///            so media is held once.
/// Source: RFC 8216bis, 4.4.4.9 (EXT-X-PART); ISO/IEC 23000-19, 7.3.2.
package struct Part: Sendable {
    package let bytes: ByteBuffer
    package let duration: MediaTime
    /// Starts with a frame that needs no other: INDEPENDENT=YES.
    package let isIndependent: Bool

    package init(bytes: ByteBuffer, duration: MediaTime, isIndependent: Bool) {
        self.bytes = bytes
        self.duration = duration
        self.isIndependent = isIndependent
    }
}

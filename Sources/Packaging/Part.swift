package import Media
package import NIOCore

/// A partial segment: one CMAF chunk (`moof` and `mdat`), ready to be sent.
///
/// Shape:     `slices` in a row are the chunk.
/// Ownership: the slices are immutable and shared by all viewers; the large ones are the payloads of
///            access units. A segment is the list of its parts, so media is held once.
/// Source: RFC 8216bis, 4.4.4.9 (EXT-X-PART); ISO/IEC 23000-19, 7.3.2.
package struct Part: Sendable {
    package let slices: [ByteBuffer]
    package let byteCount: Int
    package let duration: MediaTime
    /// Starts with a frame that needs no other: INDEPENDENT=YES.
    package let isIndependent: Bool
    /// How many bytes there are up to the end of its first frame: a decoder that is given no more shows it.
    package let firstFrameEnd: Int

    /// `firstFrameEnd` may be left out where there is one frame.
    package init(
        slices: [ByteBuffer],
        duration: MediaTime,
        isIndependent: Bool,
        firstFrameEnd: Int? = nil
    ) {
        self.slices = slices
        byteCount = slices.reduce(0) { $0 + $1.readableBytes }
        self.duration = duration
        self.isIndependent = isIndependent
        self.firstFrameEnd = firstFrameEnd ?? byteCount
    }
}

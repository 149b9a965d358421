import DequeModule
import NIOCore

extension MediaPlaylistRenderer {
    /// Writes the playlist of the I-frames that a rendition's whole segments begin with, for scrubbing.
    ///
    /// Shape:  an entry for each whole segment, under its number and its date, so that what counts in one
    ///         playlist counts in the other. It is a range of the segment: the first `moof`, and of its
    ///         `mdat` the first frame. A segment that begins with no I-frame is a gap.
    /// Length: that of the segment, which is the time up to the next entry.
    ///
    /// Players poll it; there is nothing of Low-Latency HLS in it.
    /// Source: RFC 8216bis, 4.4.3.6 (EXT-X-I-FRAMES-ONLY), 4.4.4.2 (EXT-X-BYTERANGE).
    func renderIFrames(
        _ timeline: RenditionTimeline,
        isEnded: Bool,
        tag: String
    ) -> RenderedPlaylist {
        // EXT-X-MAP beside I-frames asks for version 5, and nothing here for more.
        var text = ByteBuffer(
            string: """
                #EXTM3U
                #EXT-X-VERSION:5
                #EXT-X-TARGETDURATION:\(targetDurationSeconds)

                """
        )
        text.reserveCapacity(256 + 192 * timeline.segments.count)
        writeNumbers(of: timeline, to: &text)
        text.writeString("#EXT-X-I-FRAMES-ONLY\n")
        var initialization: UInt64?
        for segment in timeline.segments where segment.isComplete {
            writeStart(of: segment, withMap: segment.initialization != initialization, to: &text)
            initialization = segment.initialization
            let name = ResourceName.segment(segment.mediaSequence).text(epoch: epoch)
            let length = "#EXTINF:\(Self.seconds(segment.microseconds)),\n"
            if let byteCount = segment.iFrameByteCount {
                text.writeString("\(length)#EXT-X-BYTERANGE:\(byteCount)@0\n\(name)\n")
            } else {
                text.writeString("#EXT-X-GAP\n\(length)\(name)\n")
            }
        }
        if isEnded { text.writeString("#EXT-X-ENDLIST\n") }
        return RenderedPlaylist(plain: text, tag: tag, isEnded: isEnded)
    }
}

package import NIOCore
import Synchronization

/// A playlist as it is at one instant, as bytes that every viewer shares.
///
/// Bound: compressed and delta forms are made at the first ask, once, and live as long as this.
/// Threads: any.
package final class RenderedPlaylist: Sendable {
    /// What a delta update leaves out: whole segments, in one piece of the text.
    struct SkippableSegments: Sendable {
        let count: Int
        /// Byte offsets in the text, from the first skipped segment's first tag up to the first tag of
        /// the first segment that stays.
        let range: Range<Int>
    }

    private struct Variants {
        var gzip: ByteBuffer?
        var delta: RenderedPlaylist?
    }

    package let plain: ByteBuffer
    /// A strong entity tag of the plain form, quotes included.
    package let etag: String
    /// EXT-X-ENDLIST is there: it will not change any more.
    package let isEnded: Bool
    /// When its newest media was published; `nil` for what no viewer waits on.
    package let publishedAt: ContinuousClock.Instant?

    private let tag: String
    private let skippable: SkippableSegments?
    private let variants = Mutex(Variants())

    /// `tag` is what the entity tags are made of: unique for these bytes at this URI.
    init(
        plain: ByteBuffer,
        tag: String,
        isEnded: Bool,
        publishedAt: ContinuousClock.Instant? = nil,
        skippable: SkippableSegments? = nil
    ) {
        self.plain = plain
        self.tag = tag
        self.isEnded = isEnded
        self.publishedAt = publishedAt
        self.skippable = skippable
        etag = "\"\(tag)\""
    }

    /// A strong entity tag of the compressed form: it is another representation (RFC 9110, 8.8.3).
    package var gzipETag: String { "\"\(tag)-gzip\"" }

    /// The compressed form; `nil` when zlib finds no memory, and then the plain form serves.
    package var gzip: ByteBuffer? {
        variants.withLock { variants in
            if variants.gzip == nil { variants.gzip = plain.gzipped() }
            return variants.gzip
        }
    }

    /// The delta update when one was asked for and there is something to skip, else the whole.
    ///
    /// Source: RFC 8216bis, 6.2.5.1 (Playlist Delta Updates).
    package func skipping(_ skip: PlaylistRequest.Skip) -> RenderedPlaylist {
        guard skip != .none, let skippable else { return self }
        return variants.withLock { variants in
            if let delta = variants.delta { return delta }
            let delta = RenderedPlaylist(
                plain: text(without: skippable),
                tag: "\(tag)-delta",
                isEnded: isEnded,
                publishedAt: publishedAt
            )
            variants.delta = delta
            return delta
        }
    }

    private func text(without skippable: SkippableSegments) -> ByteBuffer {
        let start = plain.readerIndex
        var text = ByteBuffer()
        text.reserveCapacity(plain.readableBytes)
        if let head = plain.getSlice(at: start, length: skippable.range.lowerBound) {
            text.writeImmutableBuffer(head)
        }
        text.writeString("#EXT-X-SKIP:SKIPPED-SEGMENTS=\(skippable.count)\n")
        let length = plain.readableBytes - skippable.range.upperBound
        if let rest = plain.getSlice(at: start + skippable.range.upperBound, length: length) {
            text.writeImmutableBuffer(rest)
        }
        return text
    }
}

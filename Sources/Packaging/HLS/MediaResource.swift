package import NIOCore

/// The bytes behind one URI of a media playlist, which never change under that URI.
///
/// Shape: `chunks` in order are the body; a segment's are its parts.
/// Ownership: the buffers are shared with the store and with every other viewer.
package struct MediaResource: Sendable {
    package enum Kind: String, Sendable {
        case initialization
        case segment
        case part
    }

    package let kind: Kind
    package let chunks: [ByteBuffer]
    package let byteCount: Int
    /// `video/mp4` or `audio/mp4`.
    package let contentType: String
    /// A strong entity tag, quotes included.
    package let etag: String

    init(kind: Kind, chunks: [ByteBuffer], contentType: String, etag: String) {
        self.kind = kind
        self.chunks = chunks
        byteCount = chunks.reduce(0) { $0 + $1.readableBytes }
        self.contentType = contentType
        self.etag = etag
    }
}

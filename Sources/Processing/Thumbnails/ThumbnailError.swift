package import Media

/// Why there is no thumbnail of a stream.
package enum ThumbnailError: Error, Sendable, Hashable {
    /// None are made on this server.
    case disabled
    /// The stream is sound alone.
    case noPicture
    /// FFmpeg has no decoder of the stream's picture.
    case noDecoder(VideoFormat.Codec)
    /// This FFmpeg was built without an encoder of the format.
    case noEncoder(Thumbnail.Format)
    /// No keyframe has come.
    case notYet
    /// The newest keyframe is damaged, or not coded as it says; in FFmpeg's words.
    case undecodable(String)
    /// It was not made in time: too many others wait.
    case busy
    /// Whoever asked has left.
    case cancelled
}

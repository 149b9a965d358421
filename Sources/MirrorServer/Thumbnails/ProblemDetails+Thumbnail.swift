import Distribution
import Management
import Media
import Processing

extension ProblemDetails {
    /// Why there is no thumbnail: 503 where asking again may help, 404 where it does not.
    init(_ error: ThumbnailError, of stream: StreamName) {
        switch error {
        case .disabled:
            self = .noThumbnail("No thumbnails are made on this server: set thumbnails.enabled.")
        case .noPicture:
            self = .noThumbnail("'\(stream)' has sound alone. Publish it with a picture.")
        case .noDecoder(let codec):
            self = .noThumbnail(
                "'\(stream)' is \(codec.rawValue), which this server does not decode. H.264, HEVC and"
                    + " AV1 have thumbnails."
            )
        case .noEncoder(let format):
            self = .noThumbnail(
                "FFmpeg on this server was built without an encoder for thumbnail.\(format.rawValue)."
                    + " Ask for the other format, JPEG or WebP."
            )
        case .notYet:
            self = .noThumbnailYet(
                "No keyframe of '\(stream)' has come yet. Ask again in a second."
            )
        case .undecodable(let reason):
            self = .noThumbnailYet(
                "The newest keyframe of '\(stream)' cannot be decoded (\(reason)); the next is tried"
                    + " when you ask again. If it goes on, look at the encoder and the line."
            )
        case .busy:
            self = .noThumbnailYet(
                "The thumbnail of '\(stream)' was not made in time: this server has too much to do."
                    + " Ask again in a second."
            )
        case .cancelled:
            // Nobody cancels the wait of a viewer who is still there, but a server that stops.
            self = .shuttingDown
        }
    }
}

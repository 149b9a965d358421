import Media

/// A stream that may become a track: what is said of it before any of it was read.
struct TrackDescription: Equatable {
    enum Kind: Equatable {
        case video(VideoFormat.Codec)
        case audio(AudioFormat.Codec)
        /// Listed, not carried.
        case data(DataFormat)
    }

    let id: Track.ID
    let kind: Kind
    /// As `Track.language`.
    let language: String?

    var isVideo: Bool {
        if case .video = kind { true } else { false }
    }

    var isAudio: Bool {
        if case .audio = kind { true } else { false }
    }

    var isData: Bool {
        if case .data = kind { true } else { false }
    }

    /// Whether the bitstream goes on from the other's; the language may have changed.
    func isSameTrack(as other: TrackDescription) -> Bool {
        id == other.id && kind == other.kind
    }
}

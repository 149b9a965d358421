/// One elementary stream of a live stream: a picture, a language of sound, or data.
package struct Track: Sendable, Hashable {
    /// Unique within one `TrackList`; the PID for MPEG-TS.
    ///
    /// Stable while the source keeps it.
    package struct ID: Sendable, Hashable {
        package let rawValue: Int

        package init(_ rawValue: Int) {
            self.rawValue = rawValue
        }
    }

    package let id: ID
    package let format: MediaFormat

    /// ISO 639-2 three-letter code as the source gave it, lower case; `nil` when not given.
    package let language: String?

    package init(id: ID, format: MediaFormat, language: String? = nil) {
        self.id = id
        self.format = format
        self.language = language
    }

    package var video: VideoFormat? {
        if case .video(let format) = format { format } else { nil }
    }

    package var audio: AudioFormat? {
        if case .audio(let format) = format { format } else { nil }
    }
}

/// What a track carries.
///
/// Facts are parsed from the bitstream, never guessed.
package enum MediaFormat: Sendable, Hashable {
    case video(VideoFormat)
    case audio(AudioFormat)
    /// Recognised and counted, not carried to viewers.
    case data(DataFormat)
}

/// The tracks of a stream from here on, in the order of the source (video first).
///
/// Data tracks are listed so that an operator sees them; no access unit of theirs is handed on.
package struct TrackList: Sendable, Hashable {
    package let tracks: [Track]

    package init(_ tracks: [Track]) {
        self.tracks = tracks
    }

    package var video: Track? {
        tracks.first { $0.video != nil }
    }

    package var audio: [Track] {
        tracks.filter { $0.audio != nil }
    }

    package subscript(id: Track.ID) -> Track? {
        tracks.first { $0.id == id }
    }

    package func contains(_ id: Track.ID) -> Bool {
        tracks.contains { $0.id == id }
    }
}

/// A non-negative ratio of whole numbers, as frame rates and aspect ratios are signalled.
package struct Rational: Sendable, Hashable {
    package let numerator: Int
    package let denominator: Int

    /// - Returns: `nil` when the denominator is not positive or the numerator is negative.
    package init?(_ numerator: Int, _ denominator: Int) {
        guard denominator > 0, numerator >= 0 else { return nil }
        self.numerator = numerator
        self.denominator = denominator
    }

    package var value: Double { Double(numerator) / Double(denominator) }
}

/// A data stream that was recognised.
package struct DataFormat: Sendable, Hashable {
    package enum Kind: String, Sendable, Hashable, CaseIterable {
        case scte35 = "SCTE-35"
        case klv = "KLV"
        case id3 = "ID3"
        case dvbSubtitles = "DVB subtitles"
        case dvbTeletext = "DVB teletext"
        case unknown
    }

    package let kind: Kind
    /// The `stream_type` of the PMT; 0 where the source has none.
    package let streamType: UInt8

    package init(kind: Kind, streamType: UInt8) {
        self.kind = kind
        self.streamType = streamType
    }
}

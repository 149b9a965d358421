import Media

/// What the program map says of one elementary stream.
struct ElementaryStreamDescription: Equatable {
    enum Contents: Equatable {
        case video(VideoFormat.Codec)
        case audio(AudioBitstreamParser.Framing, opusChannelConfiguration: UInt8?)
        case data(DataFormat.Kind)
    }

    let pid: UInt16
    let streamType: UInt8
    let contents: Contents
    /// ISO 639-2, lower case; `nil` when not given.
    let language: String?

    var trackID: Track.ID { Track.ID(Int(pid)) }

    /// What there is to announce.
    var track: TrackDescription {
        let kind: TrackDescription.Kind =
            switch contents {
            case .video(let codec): .video(codec)
            case .audio(let framing, _): .audio(framing.codec)
            case .data(let kind): .data(DataFormat(kind: kind, streamType: streamType))
            }
        return TrackDescription(id: trackID, kind: kind, language: language)
    }

    var isVideo: Bool {
        if case .video = contents { true } else { false }
    }

    var isAudio: Bool {
        if case .audio = contents { true } else { false }
    }

    /// The same stream, listed but not carried.
    var asData: ElementaryStreamDescription {
        ElementaryStreamDescription(
            pid: pid,
            streamType: streamType,
            contents: .data(.unknown),
            language: language
        )
    }

    /// Whether the bitstream goes on from the other's; the language may have changed.
    func isSameStream(as other: ElementaryStreamDescription) -> Bool {
        pid == other.pid && contents == other.contents
    }
}

extension ElementaryStreamDescription {
    init(pid: UInt16, streamType: UInt8, descriptors: [Descriptor]) {
        self.init(
            pid: pid,
            streamType: streamType,
            contents: Self.contents(ofType: streamType, descriptors),
            language: Self.language(descriptors)
        )
    }

    /// Source: ISO/IEC 13818-1, Table 2-34 (stream_type); ETSI EN 300 468, 6.2 (DVB descriptors);
    ///         ATSC A/52 and A/53 (0x81, 0x87); ANSI/SCTE 35 (0x86); SMPTE RA registrations.
    private static func contents(ofType type: UInt8, _ descriptors: [Descriptor]) -> Contents {
        switch type {
        case 0x03, 0x04: .audio(.mpegAudio, opusChannelConfiguration: nil)
        case 0x0F: .audio(.adts, opusChannelConfiguration: nil)
        case 0x11: .audio(.latm, opusChannelConfiguration: nil)
        case 0x1B: .video(.h264)
        case 0x24: .video(.hevc)
        case 0x32: .video(.jpegXS)
        case 0x81: .audio(.ac3, opusChannelConfiguration: nil)
        case 0x87: .audio(.eac3, opusChannelConfiguration: nil)
        case 0x06: privateContents(descriptors)
        case 0x15: metadataContents(descriptors)
        // Blu-ray's registration gives 0x86 to DTS-HD.
        case 0x86: .data(isRegistered("HDMV", descriptors) ? .unknown : .scte35)
        default: .data(.unknown)
        }
    }

    /// `stream_type` 0x06 says "private data in PES packets"; the descriptors say what it is.
    private static func privateContents(_ descriptors: [Descriptor]) -> Contents {
        for descriptor in descriptors {
            switch descriptor.tag {
            case Tag.registration:
                if let contents = registeredContents(descriptor, descriptors) { return contents }
            case Tag.ac3: return .audio(.ac3, opusChannelConfiguration: nil)
            case Tag.enhancedAC3: return .audio(.eac3, opusChannelConfiguration: nil)
            case Tag.subtitling: return .data(.dvbSubtitles)
            case Tag.teletext: return .data(.dvbTeletext)
            default: continue
            }
        }
        return .data(.unknown)
    }

    private static func registeredContents(
        _ registration: Descriptor,
        _ descriptors: [Descriptor]
    ) -> Contents? {
        if registration.starts(with: "AV01") { return .video(.av1) }
        if registration.starts(with: "HEVC") { return .video(.hevc) }
        if registration.starts(with: "AC-3") { return .audio(.ac3, opusChannelConfiguration: nil) }
        if registration.starts(with: "EAC3") { return .audio(.eac3, opusChannelConfiguration: nil) }
        if registration.starts(with: "KLVA") { return .data(.klv) }
        if registration.starts(with: "ID3 ") { return .data(.id3) }
        guard registration.starts(with: "Opus") else { return nil }
        // channel_config_code stands in a DVB extension descriptor with extension tag 0x80.
        let channels = descriptors.first { $0.tag == Tag.extension && $0.body.first == 0x80 }
        return .audio(.opus, opusChannelConfiguration: channels?.body.dropFirst().first)
    }

    /// `stream_type` 0x15 is metadata in PES packets; the format identifier is in the registration
    /// or in the metadata descriptor, after `metadata_application_format` and `metadata_format`.
    private static func metadataContents(_ descriptors: [Descriptor]) -> Contents {
        for (name, kind) in [("ID3 ", .id3), ("KLVA", .klv)] as [(String, DataFormat.Kind)] {
            let isNamed = descriptors.contains { descriptor in
                switch descriptor.tag {
                case Tag.registration:
                    descriptor.starts(with: name)
                case Tag.metadata:
                    descriptor.body.dropFirst(2).starts(with: name.utf8)
                        || descriptor.body.dropFirst(3).starts(with: name.utf8)
                        || descriptor.body.dropFirst(7).starts(with: name.utf8)
                default:
                    false
                }
            }
            if isNamed { return .data(kind) }
        }
        return .data(.unknown)
    }

    private static func isRegistered(_ name: String, _ descriptors: [Descriptor]) -> Bool {
        descriptors.contains { $0.tag == Tag.registration && $0.starts(with: name) }
    }

    private static func language(_ descriptors: [Descriptor]) -> String? {
        guard let code = descriptors.first(where: { $0.tag == Tag.language })?.body.prefix(3),
            code.count == 3
        else { return nil }
        let lowercase = code.map { $0 | 0x20 }
        let letters = UInt8(ascii: "a")...UInt8(ascii: "z")
        guard lowercase.allSatisfy(letters.contains) else { return nil }
        return String(decoding: lowercase, as: UTF8.self)
    }

    private enum Tag {
        static let registration: UInt8 = 0x05
        static let language: UInt8 = 0x0A
        static let metadata: UInt8 = 0x26
        static let teletext: UInt8 = 0x56
        static let subtitling: UInt8 = 0x59
        static let ac3: UInt8 = 0x6A
        static let enhancedAC3: UInt8 = 0x7A
        static let `extension`: UInt8 = 0x7F
    }
}

extension AudioBitstreamParser.Framing {
    fileprivate var codec: AudioFormat.Codec {
        switch self {
        case .adts, .latm: .aac
        case .opus: .opus
        case .ac3: .ac3
        case .eac3: .eac3
        case .mpegAudio: .mp3
        }
    }
}

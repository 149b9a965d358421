import Media

/// Which tracks the declared media of a session become, and what their payload types carry.
struct RTPTrackPlan {
    private static let videoID = 256
    private static let firstSoundID = 257
    private static let soundLimit = 32

    private let media: [MediaDescription]
    /// By medium; `nil` for one that is not carried as a track.
    private var ids: [Track.ID?] = []
    /// What is to be announced, as far as it is known before any packet.
    private(set) var tracks: [TrackDescription] = []

    init(_ media: [MediaDescription]) {
        self.media = media
        var sounds = 0
        var hasVideo = false
        for (index, medium) in media.enumerated() {
            ids.append(nil)
            let first = medium.payloads.min { $0.key < $1.key }?.value
            guard let first, first.kind != .transportStream else { continue }
            if case .video = first.kind {
                guard !hasVideo else { continue }
                hasVideo = true
                ids[index] = Track.ID(Self.videoID)
            } else {
                guard sounds < Self.soundLimit else { continue }
                ids[index] = Track.ID(Self.firstSoundID + sounds)
                sounds += 1
            }
            if let track = track(for: first, medium: index) { tracks.append(track) }
        }
    }

    /// The medium of a packet whose port does not tell: by its SSRC, or else by its payload type.
    func medium(of packet: RTPPacket) -> Int? {
        let bySSRC = media.firstIndex {
            $0.ssrcs.contains(packet.ssrc) || $0.retransmissionSSRCs[packet.ssrc] != nil
        }
        return bySSRC
            ?? media.firstIndex {
                $0.payloads[packet.payloadType] != nil
                    || $0.retransmissions[packet.payloadType] != nil
            }
    }

    func description(of medium: Int?) -> MediaDescription? {
        medium.flatMap { media.indices.contains($0) ? media[$0] : nil }
    }

    func format(of payloadType: UInt8, _ medium: Int?) -> RTPPayloadFormat? {
        description(of: medium)?.payloads[payloadType]
    }

    /// What the packets of a retransmission stream repeat.
    ///
    /// - Parameters:
    ///   - packet: The first packet of a stream.
    ///   - medium: Its medium.
    ///   - carried: The SSRC that is carried with a payload type of the medium.
    /// - Returns: `nil` for any other stream.
    func original(
        of packet: RTPPacket,
        _ medium: Int?,
        carried: (UInt8) -> UInt32?
    ) -> (ssrc: UInt32, payloadType: UInt8)? {
        guard let description = description(of: medium),
            let retransmission = description.retransmissions[packet.payloadType],
            let ssrc = description.retransmissionSSRCs[packet.ssrc]
                ?? carried(retransmission.payloadType)
        else { return nil }
        return (ssrc, retransmission.payloadType)
    }

    /// The track that a payload becomes.
    ///
    /// - Returns: `nil` for a transport stream, and where there is no place for another.
    func track(for format: RTPPayloadFormat, medium: Int?) -> TrackDescription? {
        let isPicture: Bool
        let kind: TrackDescription.Kind
        switch format.kind {
        case .video(let codec): (isPicture, kind) = (true, .video(codec))
        case .audio(let codec): (isPicture, kind) = (false, .audio(codec))
        case .transportStream: return nil
        }
        guard let medium, ids.indices.contains(medium), let id = ids[medium],
            (id.rawValue == Self.videoID) == isPicture
        else { return nil }
        return TrackDescription(
            id: id,
            kind: kind,
            language: Self.language(description(of: medium)?.language)
        )
    }

    /// Three letters, as tracks have them; SDP has RFC 5646 tags, of which only such are taken.
    private static func language(_ tag: String?) -> String? {
        guard let tag, tag.utf8.count == 3,
            tag.utf8.allSatisfy({ (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0) })
        else { return nil }
        return tag
    }
}

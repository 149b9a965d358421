import Media
import NIOCore

/// What a stream offers, as its multivariant playlist says it.
///
/// Sound is in groups: those of the source by codec, and one for each format that is encoded here. Each
/// picture is a variant once for every group, so that a player that lacks a codec takes another; first
/// the one to begin with, which players take before they know their network. Without a picture, the
/// first sound of each group is the variant.
/// Source: RFC 8216bis, 4.4.6.1 (EXT-X-MEDIA), 4.4.6.2 (EXT-X-STREAM-INF), 4.4.6.3
/// (EXT-X-I-FRAME-STREAM-INF).
struct MultivariantPlaylist: Sendable, Equatable {
    struct Offer: Sendable, Equatable {
        let id: Rendition.ID
        let track: Track
        /// Of sound that was encoded here.
        let soundGroup: String?
        let bitsPerSecond: BitRates
        /// Of its I-frames alone, where there is a playlist of them.
        let iFrameBitsPerSecond: BitRates?
    }

    struct BitRates: Sendable, Equatable {
        let peak: Int
        let average: Int

        /// Whether viewers should be told of `self` in place of `other`.
        func differsMaterially(from other: BitRates) -> Bool {
            peak > other.peak || Self.isFar(peak, from: other.peak)
                || Self.isFar(average, from: other.average)
        }

        private static func isFar(_ rate: Int, from other: Int) -> Bool {
            abs(rate - other) > other / 20
        }
    }

    private struct AudioGroup {
        let id: String
        var offers: [Offer]
        /// EXT-X-MEDIA is written: there is a picture to go with, or a choice.
        var isListed = false
    }

    /// What most viewers' networks carry.
    private static let startingBitsPerSecond = 4_000_000

    /// In the order of the packager.
    let offers: [Offer]

    /// Whether viewers should be given `self` in place of `other`: a rate that players must be able
    /// to rely on rose, or a figure moved by more than a twentieth.
    func differsMaterially(from other: MultivariantPlaylist) -> Bool {
        guard offers.count == other.offers.count else { return true }
        return zip(offers, other.offers).contains { new, old in
            new.id != old.id || new.track != old.track || new.soundGroup != old.soundGroup
                || new.bitsPerSecond.differsMaterially(from: old.bitsPerSecond)
                || Self.differMaterially(new.iFrameBitsPerSecond, old.iFrameBitsPerSecond)
        }
    }

    private static func differMaterially(_ new: BitRates?, _ old: BitRates?) -> Bool {
        guard let new, let old else { return (new == nil) != (old == nil) }
        return new.differsMaterially(from: old)
    }

    func render(tag: String) -> RenderedPlaylist {
        // EXT-X-MEDIA asks for version 4, and nothing here for more.
        var text = ByteBuffer(string: "#EXTM3U\n#EXT-X-VERSION:4\n")
        let pictures = self.pictures
        let groups = audioGroups(besidePicture: !pictures.isEmpty)
        for group in groups where group.isListed {
            text.writeString(Self.media(group))
        }
        for picture in pictures where groups.isEmpty {
            text.writeString(Self.variant(picture, group: nil))
        }
        for group in groups {
            for variant in pictures.isEmpty ? Array(group.offers.prefix(1)) : pictures {
                text.writeString(Self.variant(variant, group: group))
            }
        }
        for picture in pictures { text.writeString(Self.iFrames(of: picture)) }
        return RenderedPlaylist(plain: text, tag: tag, isEnded: false)
    }

    /// The best of those that most viewers can take, or else the leanest, and then the others.
    private var pictures: [Offer] {
        var pictures = offers.filter { $0.track.video != nil }
        let first =
            pictures.filter { $0.bitsPerSecond.peak <= Self.startingBitsPerSecond }
            .max { $0.bitsPerSecond.peak < $1.bitsPerSecond.peak }
            ?? pictures.min { $0.bitsPerSecond.peak < $1.bitsPerSecond.peak }
        if let index = pictures.firstIndex(where: { $0.id == first?.id }) {
            pictures.insert(pictures.remove(at: index), at: 0)
        }
        return pictures
    }

    private func audioGroups(besidePicture: Bool) -> [AudioGroup] {
        var groups: [AudioGroup] = []
        for offer in offers {
            guard let codec = offer.track.audio?.codec else { continue }
            let id = offer.soundGroup ?? codec.rawValue.lowercased()
            if let index = groups.firstIndex(where: { $0.id == id }) {
                groups[index].offers.append(offer)
            } else {
                groups.append(AudioGroup(id: id, offers: [offer]))
            }
        }
        for index in groups.indices {
            groups[index].isListed = besidePicture || groups[index].offers.count > 1
        }
        return groups
    }

    private static func media(_ group: AudioGroup) -> String {
        var names: [String: Int] = [:]
        var lines = ""
        for (index, offer) in group.offers.enumerated() {
            let language = offer.track.language.flatMap(LanguageTag.init(iso639:))
            let name = language?.name ?? "Audio"
            let count = names[name, default: 0] + 1
            names[name] = count
            var attributes = [
                "TYPE=AUDIO", "GROUP-ID=\"\(group.id)\"",
                "NAME=\"\(count == 1 ? name : "\(name) \(count)")\"",
            ]
            if let language { attributes.append("LANGUAGE=\"\(language.code)\"") }
            attributes.append("DEFAULT=\(index == 0 ? "YES" : "NO")")
            attributes.append("AUTOSELECT=YES")
            if let channels = offer.track.audio?.channels, channels > 0 {
                attributes.append("CHANNELS=\"\(channels)\"")
            }
            attributes.append("URI=\"\(offer.id)/playlist.m3u8\"")
            lines += "#EXT-X-MEDIA:\(attributes.joined(separator: ","))\n"
        }
        return lines
    }

    /// `group` is the sound that goes with the variant, or that it is one of.
    private static func variant(_ offer: Offer, group: AudioGroup?) -> String {
        let isPicture = offer.track.video != nil
        let sounds = group?.offers ?? []
        var peak = sounds.map(\.bitsPerSecond.peak).max() ?? 0
        var average = sounds.map(\.bitsPerSecond.average).max() ?? 0
        if isPicture {
            peak += offer.bitsPerSecond.peak
            average += offer.bitsPerSecond.average
        }
        var attributes = ["BANDWIDTH=\(peak)", "AVERAGE-BANDWIDTH=\(average)"]

        var codecs: [String] = []
        for track in (isPicture ? [offer.track] : []) + sounds.map(\.track) {
            let codec = track.video?.codecString ?? track.audio?.codecString ?? ""
            if !codec.isEmpty, !codecs.contains(codec) { codecs.append(codec) }
        }
        if !codecs.isEmpty { attributes.append("CODECS=\"\(codecs.joined(separator: ","))\"") }
        if let video = offer.track.video { attributes += pictureAttributes(video) }
        if let group, group.isListed { attributes.append("AUDIO=\"\(group.id)\"") }
        return """
            #EXT-X-STREAM-INF:\(attributes.joined(separator: ","))
            \(offer.id)/playlist.m3u8

            """
    }

    private static func iFrames(of picture: Offer) -> String {
        guard let rates = picture.iFrameBitsPerSecond, let video = picture.track.video else {
            return ""
        }
        var attributes = [
            "BANDWIDTH=\(rates.peak)", "AVERAGE-BANDWIDTH=\(rates.average)",
            "CODECS=\"\(video.codecString)\"",
        ]
        attributes += resolution(video)
        attributes.append("VIDEO-RANGE=\(video.dynamicRange.rawValue)")
        attributes.append("URI=\"\(picture.id)/iframes.m3u8\"")
        return "#EXT-X-I-FRAME-STREAM-INF:\(attributes.joined(separator: ","))\n"
    }

    private static func resolution(_ video: VideoFormat) -> [String] {
        guard video.width > 0, video.height > 0 else { return [] }
        return ["RESOLUTION=\(video.width)x\(video.height)"]
    }

    private static func pictureAttributes(_ video: VideoFormat) -> [String] {
        var attributes = resolution(video)
        if let rate = video.frameRate?.value, rate > 0, rate < 100_000 {
            let thousandths = Int64((rate * 1_000).rounded())
            attributes.append("FRAME-RATE=\(thousandths / 1_000).\(padded(thousandths % 1_000, 3))")
        }
        attributes.append("VIDEO-RANGE=\(video.dynamicRange.rawValue)")
        return attributes
    }
}

import Media
import NIOCore

/// What a stream offers, as its multivariant playlist says it.
///
/// Each picture is a variant once for every codec of sound, so that a player that lacks one takes
/// another; first the one to begin with, which players take before they know their network. Without a
/// picture, the first sound of each codec is the variant.
/// Source: RFC 8216bis, 4.4.6.1 (EXT-X-MEDIA), 4.4.6.2 (EXT-X-STREAM-INF).
struct MultivariantPlaylist: Sendable, Equatable {
    struct Offer: Sendable, Equatable {
        let id: Rendition.ID
        let track: Track
        let peakBitsPerSecond: Int
        let averageBitsPerSecond: Int
    }

    private struct AudioGroup {
        let id: String
        var offers: [Offer]
        /// EXT-X-MEDIA is written: there is a picture to go with, or a choice.
        let isListed: Bool
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
            new.id != old.id || new.track != old.track
                || new.peakBitsPerSecond > old.peakBitsPerSecond
                || Self.isFar(new.peakBitsPerSecond, from: old.peakBitsPerSecond)
                || Self.isFar(new.averageBitsPerSecond, from: old.averageBitsPerSecond)
        }
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
        return RenderedPlaylist(plain: text, tag: tag, isEnded: false)
    }

    /// The best of those that most viewers can take, or else the leanest, and then the others.
    private var pictures: [Offer] {
        var pictures = offers.filter { $0.track.video != nil }
        let first =
            pictures.filter { $0.peakBitsPerSecond <= Self.startingBitsPerSecond }
            .max { $0.peakBitsPerSecond < $1.peakBitsPerSecond }
            ?? pictures.min { $0.peakBitsPerSecond < $1.peakBitsPerSecond }
        if let index = pictures.firstIndex(where: { $0.id == first?.id }) {
            pictures.insert(pictures.remove(at: index), at: 0)
        }
        return pictures
    }

    private static func isFar(_ rate: Int, from other: Int) -> Bool {
        abs(rate - other) > other / 20
    }

    private func audioGroups(besidePicture: Bool) -> [AudioGroup] {
        var codecs: [AudioFormat.Codec] = []
        for offer in offers {
            if let codec = offer.track.audio?.codec, !codecs.contains(codec) {
                codecs.append(codec)
            }
        }
        return codecs.map { codec in
            let members = offers.filter { $0.track.audio?.codec == codec }
            return AudioGroup(
                id: codec.rawValue.lowercased(),
                offers: members,
                isListed: besidePicture || members.count > 1
            )
        }
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
        var peak = sounds.map(\.peakBitsPerSecond).max() ?? 0
        var average = sounds.map(\.averageBitsPerSecond).max() ?? 0
        if isPicture {
            peak += offer.peakBitsPerSecond
            average += offer.averageBitsPerSecond
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

    private static func pictureAttributes(_ video: VideoFormat) -> [String] {
        var attributes: [String] = []
        if video.width > 0, video.height > 0 {
            attributes.append("RESOLUTION=\(video.width)x\(video.height)")
        }
        if let rate = video.frameRate?.value, rate > 0, rate < 100_000 {
            let thousandths = Int64((rate * 1_000).rounded())
            attributes.append("FRAME-RATE=\(thousandths / 1_000).\(padded(thousandths % 1_000, 3))")
        }
        attributes.append("VIDEO-RANGE=\(video.dynamicRange.rawValue)")
        return attributes
    }
}

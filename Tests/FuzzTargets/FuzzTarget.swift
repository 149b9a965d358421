import Ingestion
import Media
import NIOCore
import Packaging

/// A way in for bytes from outside, as a fuzzer sees it: any bytes, and nothing may trap.
///
/// Bound: what comes out never exceeds a small multiple of what went in; that is checked too.
package enum FuzzTarget: String, CaseIterable, Sendable {
    /// A contribution, from transport packets to parts; the first byte says how it is cut up.
    case transportStream = "transport-stream"
    case h264, hevc, av1
    case jpegXS = "jpeg-xs"
    case adts, latm, opus, ac3, eac3
    case mpegAudio = "mpeg-audio"
    case srtStreamID = "srt-stream-id"
    case srtURL = "srt-url"
    case playlistRequest = "playlist-request"
    case resourceName = "resource-name"
    case rtp, rtcp
    case rtpReorder = "rtp-reorder"
    case rtpCorrection = "rtp-correction"
    case rtpSession = "rtp-session"
    case sessionDescription = "session-description"

    /// Feeds the target; traps when a promise is broken.
    package func run(_ bytes: UnsafeBufferPointer<UInt8>) {
        switch self {
        case .transportStream: contribute(bytes)
        case .h264: parseVideo(bytes, .h264)
        case .hevc: parseVideo(bytes, .hevc)
        case .av1: parseVideo(bytes, .av1)
        case .jpegXS: parseVideo(bytes, .jpegXS)
        case .adts: parseAudio(bytes, .adts)
        case .latm: parseAudio(bytes, .latm)
        case .opus: parseAudio(bytes, .opus)
        case .ac3: parseAudio(bytes, .ac3)
        case .eac3: parseAudio(bytes, .eac3)
        case .mpegAudio: parseAudio(bytes, .mpegAudio)
        case .srtStreamID: _ = try? SRTStreamID(String(decoding: bytes, as: UTF8.self))
        case .srtURL: _ = try? SRTURL(String(decoding: bytes, as: UTF8.self))
        case .playlistRequest:
            _ = try? PlaylistRequest(queryItems: Self.queryItems(bytes))
        case .resourceName:
            _ = ResourceName(String(decoding: bytes, as: UTF8.self), epoch: "0a1b")
        case .rtp: Self.readRTP(bytes)
        case .rtcp: Self.readRTCP(bytes)
        case .rtpReorder: Self.reorder(bytes)
        case .rtpCorrection: Self.correct(bytes)
        case .rtpSession: Self.receiveRTP(bytes)
        case .sessionDescription:
            _ = try? SessionDescription(parsing: String(decoding: bytes, as: UTF8.self))
        }
    }

    /// Any moment does; parsers read no clock.
    private static let arrival = WallTime(microsecondsSinceEpoch: 1_700_000_000_000_000)

    private func contribute(_ bytes: UnsafeBufferPointer<UInt8>) {
        guard let cut = bytes.first else { return }
        var session = IngestSession()
        var packager = StreamPackager(configuration: PackagingConfiguration())
        var emitted = 0
        let take: (MediaEvent) -> Void = { event in
            if case .accessUnit(let unit) = event { emitted += unit.payload.readableBytes }
            _ = packager.consume(event)
        }
        let input = UnsafeRawBufferPointer(bytes).dropFirst()
        let step = Int(cut) * 8 + 1
        for start in stride(from: input.startIndex, to: input.endIndex, by: step) {
            let piece = input[start..<min(start + step, input.endIndex)]
            session.receive(
                UnsafeRawBufferPointer(rebasing: piece),
                arrival: Self.arrival,
                emit: take
            )
        }
        session.finish(emit: take)
        _ = packager.finish()
        precondition(emitted <= bytes.count * 5, "more came out than went in")
    }

    /// In two pieces, so that a parser meets the end of its input in the middle of things.
    private func parseVideo(_ bytes: UnsafeBufferPointer<UInt8>, _ codec: VideoFormat.Codec) {
        var parser = VideoBitstreamParser(codec: codec)
        var emitted = 0
        for piece in Self.halves(bytes) {
            for unit in parser.parse(piece.span) {
                emitted += unit.payload.readableBytes
                guard let format = unit.newFormat else { continue }
                precondition((1...65_536).contains(format.width), "a picture without a width")
                precondition((1...65_536).contains(format.height), "a picture without a height")
            }
        }
        precondition(emitted <= bytes.count * 5, "more came out than went in")
    }

    private func parseAudio(
        _ bytes: UnsafeBufferPointer<UInt8>,
        _ framing: AudioBitstreamParser.Framing
    ) {
        var parser = AudioBitstreamParser(framing: framing, opusChannelConfiguration: bytes.first)
        var emitted = 0
        for piece in Self.halves(bytes) {
            for unit in parser.parse(piece.span, pts: MediaTime(mpegTicks: 0)) {
                emitted += unit.payload.readableBytes
                guard let format = unit.newFormat else { continue }
                precondition(format.sampleRate > 0, "sound without a rate")
                precondition(format.samplesPerAccessUnit > 0, "a frame without a duration")
            }
        }
        precondition(emitted <= bytes.count, "more came out than went in")
    }

    private static func halves(
        _ bytes: UnsafeBufferPointer<UInt8>
    ) -> [UnsafeBufferPointer<UInt8>] {
        let middle = Int(bytes.last ?? 0) % max(bytes.count, 1)
        return [
            UnsafeBufferPointer(rebasing: bytes[..<middle]),
            UnsafeBufferPointer(rebasing: bytes[middle...]),
        ]
    }

    private static func queryItems(
        _ bytes: UnsafeBufferPointer<UInt8>
    ) -> [(name: String, value: String)] {
        String(decoding: bytes, as: UTF8.self).split(separator: "&").map { item in
            let sides = item.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            return (String(sides[0]), sides.count > 1 ? String(sides[1]) : "")
        }
    }
}

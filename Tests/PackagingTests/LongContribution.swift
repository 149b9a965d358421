import Media
import TestSupport

/// A transport stream that runs for days, its access units as small as parsers allow.
///
/// Clock: 100 ppm fast. It stands at 2^33 less two hours at first, so that PCR, DTS and PTS wrap after
///        2 and after 28.5 hours, none of them in the same place as another.
/// Sound: AAC at 24 kHz by a crystal of its own, 40 ppm slower than that clock; timestamps tell.
/// Picture: five a second, a keyframe every two seconds, each shown 200 ms after it is decoded.
/// Payloads end in the number of their frame, from 0 on.
struct LongContribution {
    static let pictureTicks: Int64 = 18_000
    private static let picturesPerKeyframe = 10
    static let start: Int64 = 1 << 33 - 2 * 3_600 * 90_000
    static let wallStart = WallTime(microsecondsSinceEpoch: 1_700_000_000_000_000)

    private static let video = TransportStreamWriter.Stream.h264()
    private static let audio = TransportStreamWriter.Stream.aac()
    private static let keyframe = SampleStreams.h264Keyframe(byteCount: 60)
    private static let picture = SampleStreams.h264Picture(byteCount: 20)

    private var writer = TransportStreamWriter(streams: [video, audio])
    private var random = SeededRandom(seed: 26)
    private var pictures = 0
    private var sounds = 0

    /// The clock of the source at a picture or a sound, unwrapped, less `start`.
    static func ticks(picture number: Int) -> Int64 { Int64(number) * pictureTicks }

    static func ticks(sound number: Int) -> Int64 {
        let ticks = Int64(number) * 2 * SampleStreams.aacFrameTicks
        return ticks + ticks / 25_000
    }

    /// When the source's clock says so, in microseconds since it began.
    static func microseconds(_ ticks: Int64) -> Int64 {
        let microseconds = ticks * 100 / 9
        return microseconds - microseconds / 10_001
    }

    /// A picture and the sound beside it, and when they come: up to 10 ms later than they are sent.
    mutating func next() -> (bytes: [UInt8], arrival: WallTime) {
        let time = Self.ticks(picture: pictures)
        let isKeyframe = pictures.isMultiple(of: Self.picturesPerKeyframe)
        // A receiver is sure of the first packets only when it has seen a few.
        var bytes = pictures == 0 ? (0..<8).flatMap { _ in writer.nullPacket() } : []
        if isKeyframe { bytes += writer.tables() }
        bytes += writer.pes(
            (isKeyframe ? Self.keyframe : Self.picture) + Self.digits(pictures),
            on: Self.video,
            pts: Self.start + time,
            dts: Self.start + time - Self.pictureTicks,
            hasClock: true
        )
        pictures += 1
        let first = Self.ticks(sound: sounds)
        var payload: [UInt8] = []
        while Self.ticks(sound: sounds) < Self.ticks(picture: pictures) {
            payload += Self.soundHeader + Self.digits(sounds)
            sounds += 1
        }
        bytes += writer.pes(payload, on: Self.audio, pts: Self.start + first)
        let arrival = Self.microseconds(time) + Int64.random(in: 0...10_000, using: &random)
        return (bytes, Self.wallStart.advanced(by: .microseconds(arrival)))
    }

    /// The number that an access unit ends in.
    static func number(of payload: [UInt8]) -> Int {
        payload.suffix(4).reduce(0) { $0 << 7 | Int($1 & 0x7F) }
    }

    /// No start code is in it, whatever the number.
    private static func digits(_ number: Int) -> [UInt8] {
        [21, 14, 7, 0].map { 0x80 | UInt8(number >> $0 & 0x7F) }
    }

    /// ADTS for four bytes at 24 kHz: the third byte has the index of the rate, and the length is the 13
    /// bits from the fourth byte's last two on.
    private static let soundHeader: [UInt8] = {
        var header = Array(SampleStreams.aacFrame.prefix(7))
        header[2] = header[2] & 0xC3 | 6 << 2
        header[5] = (7 + 4) << 5 | header[5] & 0x1F
        return header
    }()
}

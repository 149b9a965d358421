import Media
import NIOCore
import Packaging
import Testing

/// Stands in for an encoder of sound: frames of 60 ms at 48 kHz, counted by the samples that came.
struct SoundEcho {
    private static let rate: Int64 = 48_000
    private static let length: Int64 = 2_880

    private var source: AudioFormat?
    private var start: Int64?
    private var taken: Int64 = 0
    private var given: Int64 = 0

    mutating func encode(_ event: SoundEvent) throws -> [SoundEvent] {
        switch event {
        case .begin(let format):
            source = format
            (start, taken, given) = (nil, 0, 0)
            return [
                .begin(
                    try #require(
                        AudioPacketParser.opusFormat(
                            channels: 1,
                            samplesPerPacket: Int(Self.length)
                        )
                    )
                )
            ]
        case .boundary, .end:
            return [event]
        case .frame(let frame):
            let source = try #require(source)
            let begin = start ?? frame.time.converted(to: UInt32(Self.rate)).ticks
            start = begin
            taken += Int64(source.samplesPerAccessUnit)
            var frames: [SoundEvent] = []
            while (given + Self.length) * Int64(source.sampleRate) <= taken * Self.rate {
                let time = MediaTime(ticks: begin + given, timescale: UInt32(Self.rate))
                let payload = ByteBuffer(bytes: [0xFC])
                frames.append(.frame(PlacedSound(time: time, payload: payload)))
                given += Self.length
            }
            return frames
        }
    }
}

/// Holds the segments of encoded sound against those of the sound it is made of.
struct EncodedSoundAudit {
    let source: Rendition.ID
    let encoded: Rendition.ID
    private var starts: [UInt64: SegmentStart] = [:]
    private(set) var segments = 0
    /// The most that two segments of one number were apart.
    private(set) var apart = Duration.zero
    /// What both have published.
    private(set) var lengths = (source: 0.0, encoded: 0.0)
    private(set) var faults: [SegmentStart] = []

    init(_ encoded: Rendition.ID, of source: Rendition.ID) {
        self.source = source
        self.encoded = encoded
    }

    mutating func read(_ outputs: [PackagerOutput]) {
        for output in outputs {
            switch output {
            case .openSegment(source, let start): starts[start.mediaSequence] = start
            case .openSegment(encoded, let start):
                segments += 1
                guard let other = starts.removeValue(forKey: start.mediaSequence) else {
                    faults.append(start)
                    continue
                }
                let difference = start.programDateTime.duration(since: other.programDateTime)
                apart = max(apart, max(difference, .zero - difference))
            case .part(source, let part): lengths.source += part.duration.seconds
            case .part(encoded, let part): lengths.encoded += part.duration.seconds
            default: continue
            }
        }
    }
}

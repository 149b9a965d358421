import Media
import NIOCore
import Packaging

/// Makes legal packager outputs for tests: a picture of 30 frames a second in parts of ten frames,
/// and sound of 48 kHz in parts of fifteen AAC frames.
struct StreamSource {
    static let video = Rendition.ID("video")
    static let audio = Rendition.ID("audio1")
    static let epoch = "e1"
    static let partDuration = MediaTime(ticks: 30_000, timescale: 90_000)
    /// 2026-07-01T12:00:00Z.
    static let start = WallTime(microsecondsSinceEpoch: 1_782_907_200_000_000)

    var mediaSequence: UInt64 = 0
    var time = start

    static func picture(
        initialization: String = "video init",
        codecString: String = "avc1.64001f",
        partTarget: MediaTime = partDuration,
        change: (inout VideoFormat) -> Void = { _ in }
    ) -> Rendition {
        var format = VideoFormat(
            codec: .h264,
            codecString: codecString,
            profile: "High",
            level: "3.1",
            width: 1_280,
            height: 720,
            frameRate: Rational(30, 1),
            decoderConfiguration: ByteBuffer()
        )
        change(&format)
        return Rendition(
            id: video,
            track: Track(id: .init(256), format: .video(format)),
            initialization: ByteBuffer(string: initialization),
            partTarget: partTarget
        )
    }

    static func sound(
        id: Rendition.ID = audio,
        language: String? = "eng",
        codec: AudioFormat.Codec = .aac,
        codecString: String = "mp4a.40.2",
        channels: Int = 2
    ) -> Rendition {
        let format = AudioFormat(
            codec: codec,
            codecString: codecString,
            sampleRate: 48_000,
            channels: channels,
            channelLayout: "stereo",
            samplesPerAccessUnit: 1_024,
            decoderConfiguration: ByteBuffer()
        )
        return Rendition(
            id: id,
            track: Track(id: .init(257), format: .audio(format), language: language),
            initialization: ByteBuffer(string: "audio init"),
            partTarget: partDuration
        )
    }

    static func part(
        _ text: String = "media",
        duration: MediaTime = partDuration,
        isIndependent: Bool = false
    ) -> PackagerOutput {
        .part(
            video,
            Part(
                slices: [ByteBuffer(string: text)],
                duration: duration,
                isIndependent: isIndependent
            )
        )
    }

    static func audioPart(frames: Int64 = 15) -> PackagerOutput {
        .part(
            audio,
            Part(
                slices: [ByteBuffer(string: "sound")],
                duration: MediaTime(ticks: frames * 1_024, timescale: 48_000),
                isIndependent: true
            )
        )
    }

    /// Opens the next segment of the picture; `parts` of it follow, in the same outputs.
    mutating func open(
        _ id: Rendition.ID = video,
        parts: Int = 0,
        isDiscontinuity: Bool = false
    ) -> [PackagerOutput] {
        let start = SegmentStart(
            mediaSequence: mediaSequence,
            programDateTime: time,
            isDiscontinuity: isDiscontinuity
        )
        return [.openSegment(id, start)]
            + (0..<parts).map { Self.part("part", isIndependent: $0 == 0) }
    }

    /// One whole segment of six parts, two seconds.
    mutating func segment(
        parts: Int = 6,
        isDiscontinuity: Bool = false
    ) -> [PackagerOutput] {
        let outputs = open(parts: parts, isDiscontinuity: isDiscontinuity)
        advance(parts: parts)
        return outputs + [.closeSegment(Self.video)]
    }

    mutating func advance(parts: Int = 6) {
        mediaSequence += 1
        time = time.advanced(by: Self.partDuration.multiplied(by: Int64(parts)))
    }
}

extension ByteBuffer {
    var text: String { String(buffer: self) }
}

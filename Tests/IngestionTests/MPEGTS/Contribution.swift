import TestSupport

/// What an encoder sends.
///
/// H.264 at 30 frames a second with a keyframe a second, and AAC with one frame in a PES packet.
/// The tables come with each keyframe.
struct Contribution {
    static let frameTicks: Int64 = 3_000

    var writer: TransportStreamWriter
    var video: TransportStreamWriter.Stream? = .h264()
    var audio: TransportStreamWriter.Stream? = .aac()
    var videoLength = TransportStreamWriter.PESLength.bounded
    /// How far the sound comes behind the picture in the multiplex.
    var audioLag: Int64 = 0
    /// Set for a start of the clock that the source tells of.
    var isDiscontinuous = false
    private var nextAudio: Int64 = 0

    init(
        video: TransportStreamWriter.Stream? = .h264(),
        audio: TransportStreamWriter.Stream? = .aac()
    ) {
        self.video = video
        self.audio = audio
        writer = TransportStreamWriter(streams: [video, audio].compactMap { $0 })
    }

    /// The frames of the given numbers, the first at time `start`, and the sound beside them.
    mutating func frames(
        _ frames: Range<Int>,
        start: Int64 = 90_000,
        isOtherFormat: Bool = false
    ) -> [UInt8] {
        var bytes: [UInt8] = []
        for frame in frames {
            let time = start + Int64(frame) * Self.frameTicks
            if frame % 30 == 0 { bytes += writer.tables() }
            if let video {
                bytes += writer.pes(
                    frame % 30 == 0
                        ? SampleStreams.h264Keyframe(isOtherFormat: isOtherFormat)
                        : SampleStreams.h264Picture(),
                    on: video,
                    pts: time + Self.frameTicks,
                    dts: time,
                    length: videoLength,
                    hasClock: true,
                    isDiscontinuous: isDiscontinuous
                )
                isDiscontinuous = false
            }
            bytes += sound(from: start, until: time + Self.frameTicks - audioLag)
        }
        return bytes
    }

    private mutating func sound(from start: Int64, until end: Int64) -> [UInt8] {
        guard let audio else { return [] }
        var bytes: [UInt8] = []
        if nextAudio < start || nextAudio > end { nextAudio = max(start, end - Self.frameTicks) }
        while nextAudio < end {
            bytes += writer.pes(SampleStreams.aacFrame, on: audio, pts: nextAudio)
            nextAudio += SampleStreams.aacFrameTicks
        }
        return bytes
    }
}

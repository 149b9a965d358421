import TestSupport

/// A contribution made up by a test: H.264 of 30 frames a second with AAC beside it, sent faster than
/// real time, with whatever is wrong with it.
struct ScriptedSource: Sendable {
    struct Jump: Sendable {
        var frame: Int
        var ticks: Int64
    }

    var frames: Int
    /// 0: the parameter sets come again and again, and never a keyframe.
    var keyframeInterval = 30
    /// Where timestamps jump, and by how much.
    var jumps: [Jump] = []
    /// From here on the picture is of another size.
    var otherFormatFrom = Int.max

    private static let speed = 8
    private static let frameTicks: Int64 = 3_000

    private var frame = 0
    private var sounds: Int64 = 0
    private var offset: Int64 = 90_000
    private var hasEnded = false
    private let video = TransportStreamWriter.Stream.h264()
    private let audio = TransportStreamWriter.Stream.aac()
    private var writer: TransportStreamWriter

    init(
        frames: Int,
        keyframeInterval: Int = 30,
        jumps: [Jump] = [],
        otherFormatFrom: Int = .max
    ) {
        self.frames = frames
        self.keyframeInterval = keyframeInterval
        self.jumps = jumps
        self.otherFormatFrom = otherFormatFrom
        writer = TransportStreamWriter(streams: [video, audio])
    }

    mutating func next() -> (due: Duration, bytes: [UInt8])? {
        let due = Duration.seconds(frame) / (30 * Self.speed)
        guard frame < frames else {
            // The connection stays a while, so that all of it arrives.
            defer { hasEnded = true }
            return hasEnded ? nil : (due + .seconds(2), writer.nullPacket())
        }
        for jump in jumps where jump.frame == frame { offset += jump.ticks }
        let position = Int64(frame) * Self.frameTicks
        var bytes = frame % 10 == 0 ? writer.tables() : []
        bytes += writer.pes(
            picture,
            on: video,
            pts: offset + position,
            hasClock: true
        )
        while sounds * SampleStreams.aacFrameTicks <= position {
            bytes += writer.pes(
                SampleStreams.aacFrame,
                on: audio,
                pts: offset + sounds * SampleStreams.aacFrameTicks
            )
            sounds += 1
        }
        frame += 1
        return (due, bytes)
    }

    private var picture: [UInt8] {
        if keyframeInterval == 0 {
            let isDescribed = frame % 30 == 0
            return isDescribed ? SampleStreams.h264Described() : SampleStreams.h264Picture()
        }
        guard frame % keyframeInterval == 0 else { return SampleStreams.h264Picture() }
        return SampleStreams.h264Keyframe(isOtherFormat: frame >= otherFormatFrom)
    }
}

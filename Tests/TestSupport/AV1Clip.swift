import Foundation

/// The AV1 clip and its sound, looped without end.
struct AV1Clip: Sendable {
    /// One picture, and the sound up to it; times are in ticks of 90 kHz.
    struct Moment {
        let due: Duration
        let index: Int
        let pts: Int64
        let picture: [UInt8]
        /// Frames of ADTS.
        let sounds: [(pts: Int64, frame: [UInt8])]
    }

    private let video: [(pts: Int64, bytes: [UInt8])]
    private let audio: [[UInt8]]
    private let loopTicks: Int64
    private var nextPicture = 0
    private var nextSound = 0
    private var loop: Int64 = 0

    private static let firstTick: Int64 = 90_000
    private static let audioFrameTicks: Int64 = 1_920

    init() throws {
        let clip = try IVFReader(
            [UInt8](Data(contentsOf: URL(filePath: MirrorProcess.fixture("av1.ivf"))))
        )
        video = clip.frames.map { (clip.mpegTicks(of: $0), $0.bytes) }
        let sound = try [UInt8](Data(contentsOf: URL(filePath: MirrorProcess.fixture("audio.aac"))))
        let frames = Self.adtsFrames(sound)
        // Whole frames of both: the loop is as long as its pictures.
        loopTicks = (video.last?.pts ?? 0) + (video.count > 1 ? video[1].pts - video[0].pts : 3_600)
        audio = Array(frames.prefix(Int(loopTicks / Self.audioFrameTicks)))
    }

    mutating func next() -> Moment? {
        guard !video.isEmpty else { return nil }
        if nextPicture == video.count {
            nextPicture = 0
            nextSound = 0
            loop += 1
        }
        let picture = video[nextPicture]
        let start = Self.firstTick + loop * loopTicks
        var sounds: [(pts: Int64, frame: [UInt8])] = []
        while nextSound < audio.count, Int64(nextSound) * Self.audioFrameTicks <= picture.pts {
            sounds.append((start + Int64(nextSound) * Self.audioFrameTicks, audio[nextSound]))
            nextSound += 1
        }
        defer { nextPicture += 1 }
        return Moment(
            due: .microseconds((loop * loopTicks + picture.pts) * 100 / 9),
            index: nextPicture,
            pts: start + picture.pts,
            picture: picture.bytes,
            sounds: sounds
        )
    }

    private static func adtsFrames(_ bytes: [UInt8]) -> [[UInt8]] {
        var frames: [[UInt8]] = []
        var position = 0
        while position + 7 <= bytes.count {
            let length =
                Int(bytes[position + 3] & 3) << 11 | Int(bytes[position + 4]) << 3
                | Int(bytes[position + 5]) >> 5
            guard length >= 7, position + length <= bytes.count else { break }
            frames.append(Array(bytes[position..<position + length]))
            position += length
        }
        return frames
    }
}

import Media
import NIOCore
import Packaging

/// A contribution made of numbers: access units whose payloads say which they are.
struct SyntheticSource {
    static let wallStart = WallTime(microsecondsSinceEpoch: 1_700_000_000_000_000)
    static let videoID = Track.ID(256)

    var frameRate: Rational? = Rational(30, 1)
    var claimsFrameRate = true
    var frameCount = 300
    /// Which pictures are keyframes, by their place in decoding order.
    var isKeyframe: (Int) -> Bool = { $0 % 60 == 0 }
    var keyframeKind = AccessUnit.RandomAccess.closed
    /// Every other picture is shown before the one decoded before it.
    var hasBFrames = false
    /// Decode time of a picture in place of the even one.
    var decodeTime: ((Int) -> Int64)?
    /// Of a picture, by its place in decoding order.
    var byteCount: (Int) -> Int = { 40 + $0 % 7 }
    var start: Int64 = 126_000
    var audio: [AudioFormat] = [SyntheticSource.aac()]
    var languages: [String?] = [nil, nil, nil]
    /// How much later than the picture of its time sound comes.
    var audioLag: Int64 = 0
    /// Sound of these times, in ticks from `start`, never comes.
    var audioHole: Range<Int64> = 0..<0
    /// Added to every sound timestamp by its number: rounding, drift.
    var audioJitter: (Int) -> Int64 = { _ in 0 }
    var firstPID = 257

    static func aac(sampleRate: Int = 48_000, channels: Int = 2) -> AudioFormat {
        let rates = [
            96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000,
        ]
        let index = UInt16(rates.firstIndex(of: sampleRate) ?? 3)
        return AudioFormat(
            codec: .aac,
            codecString: "mp4a.40.2",
            sampleRate: sampleRate,
            channels: channels,
            channelLayout: "stereo",
            samplesPerAccessUnit: 1_024,
            decoderConfiguration: ByteBuffer(integer: 2 << 11 | index << 7 | UInt16(channels) << 3)
        )
    }

    static func other(
        _ codec: AudioFormat.Codec,
        sampleRate: Int = 48_000,
        samples: Int
    ) -> AudioFormat {
        AudioFormat(
            codec: codec,
            codecString: codec.rawValue,
            sampleRate: sampleRate,
            channels: 2,
            channelLayout: "stereo",
            samplesPerAccessUnit: samples,
            decoderConfiguration: codec == .mp3 ? ByteBuffer() : ByteBuffer(bytes: [1, 2, 3])
        )
    }

    static func video(codec: VideoFormat.Codec = .h264, width: Int = 1280) -> VideoFormat {
        VideoFormat(
            codec: codec,
            codecString: "avc1.64001f",
            profile: "High",
            level: "3.1",
            width: width,
            height: 720,
            decoderConfiguration: ByteBuffer(bytes: [1, 0x64, 0, 0x1F, 0xFF, 0xE0, 0])
        )
    }

    var tracks: TrackList {
        var tracks: [Track] = []
        if frameRate != nil {
            var format = Self.video()
            format.frameRate = claimsFrameRate ? frameRate : nil
            tracks.append(Track(id: Self.videoID, format: .video(format)))
        }
        for (index, format) in audio.enumerated() {
            tracks.append(
                Track(
                    id: Track.ID(firstPID + index),
                    format: .audio(format),
                    language: languages[index]
                )
            )
        }
        return TrackList(tracks)
    }

    /// Ticks of the n-th picture from the start, rounded down as encoders do.
    func evenTime(_ index: Int) -> Int64 {
        guard let frameRate else { return 0 }
        return Int64(index) * 90_000 * Int64(frameRate.denominator) / Int64(frameRate.numerator)
    }

    var pictures: [AccessUnit] {
        guard frameRate != nil else { return [] }
        let delay = hasBFrames ? 1 : 0
        var keyframe = 0
        return (0..<frameCount).map { index in
            let key = isKeyframe(index)
            if key { keyframe = index }
            // Decoded I P B P B, shown I B P B P.
            let place = index - keyframe
            let isLastAlone = index + 1 == frameCount || isKeyframe(index + 1)
            let swap = place == 0 || (place % 2 == 1 && isLastAlone) ? 0 : place % 2 == 1 ? 1 : -1
            let shown = index + delay + (hasBFrames ? swap : 0)
            return AccessUnit(
                track: Self.videoID,
                pts: MediaTime(mpegTicks: start + (decodeTime ?? evenTime)(shown)),
                dts: MediaTime(mpegTicks: start + (decodeTime ?? evenTime)(index)),
                payload: ByteBuffer(repeating: UInt8(index % 251), count: byteCount(index)),
                randomAccess: key ? keyframeKind : .none,
                isDisposable: hasBFrames && swap == -1,
                arrival: Self.wallStart.advanced(by: MediaTime(mpegTicks: evenTime(index)))
            )
        }
    }

    var length: Int64 {
        frameRate == nil ? Int64(frameCount) * 3_000 : (decodeTime ?? evenTime)(frameCount)
    }

    func sound(_ index: Int) -> [AccessUnit] {
        let format = audio[index]
        let samples = Int64(format.samplesPerAccessUnit)
        let rate = Int64(format.sampleRate)
        let delay = hasBFrames ? evenTime(1) : 0
        return (0..<(length * rate / 90_000 / samples)).compactMap { number in
            let time = number * samples * 90_000 / rate
            guard !audioHole.contains(time) else { return nil }
            let stamp = MediaTime(
                mpegTicks: start + delay + time + audioJitter(Int(number))
            )
            return AccessUnit(
                track: Track.ID(firstPID + index),
                pts: stamp,
                dts: stamp,
                payload: ByteBuffer(bytes: repeatElement(UInt8(number % 251), count: 20)),
                randomAccess: .closed,
                arrival: Self.wallStart.advanced(by: MediaTime(mpegTicks: time))
            )
        }
    }

    /// In the order of a multiplex: by decode time, sound later by its lag.
    var units: [AccessUnit] {
        var timed = pictures.enumerated().map { (time: $1.dts.ticks, rank: $0, unit: $1) }
        for index in audio.indices {
            for (number, unit) in sound(index).enumerated() {
                timed.append((unit.dts.ticks + audioLag, 1_000_000 * (index + 1) + number, unit))
            }
        }
        return timed.sorted { ($0.time, $0.rank) < ($1.time, $1.rank) }.map(\.unit)
    }

    var events: [MediaEvent] {
        [.tracks(tracks)] + units.map { .accessUnit($0) }
    }
}

extension StreamPackager {
    /// Everything that comes of the events and of the end of the stream after them; the statistics
    /// are those of the stream while it still ran.
    static func outputs(
        of events: [MediaEvent],
        configuration: PackagingConfiguration = PackagingConfiguration()
    ) -> (outputs: [PackagerOutput], statistics: PackagerStatistics) {
        var packager = StreamPackager(configuration: configuration)
        var outputs = events.flatMap { packager.consume($0) }
        let statistics = packager.statistics
        outputs += packager.finish()
        return (outputs, statistics)
    }
}

import CFFmpeg
import Media
import NIOCore

extension NVIDIADevice {
    /// Those that are looked for.
    private static let cardLimit: Int32 = 16

    /// Every card that can decode and scale, each as it was measured; and why there is none.
    ///
    /// Blocks: not at all where there is no driver, a second or two for each card.
    package static func search() -> (cards: [FoundDevice], absence: String?) {
        mirror_silence_log()
        let count = mirror_card_count()
        guard count >= 0 else { return ([], "there is no driver of NVIDIA") }
        var cards: [FoundDevice] = []
        var problems: [String] = []
        for number in 0..<min(count, cardLimit) {
            do throws(FFmpegError) {
                cards.append(try measure(try CUDACard(number)))
            } catch {
                problems.append("nvidia-\(number): \(error)")
            }
        }
        guard cards.isEmpty else { return (cards, nil) }
        return ([], problems.isEmpty ? "there is no card" : problems.joined(separator: "; "))
    }

    /// What a card is measured with.
    private static let trial = (width: 1_280, height: 720, pictures: 60, warmUp: 10)

    /// Decodes, scales and encodes a made-up clip.
    ///
    /// One ladder does not keep a card busy, so it can do more than this; never less.
    private static func measure(_ card: CUDACard) throws(FFmpegError) -> FoundDevice {
        let (format, clip) = try makeClip()
        let candidates: [VideoFormat.Codec] = [.h264, .hevc, .av1]
        let optimist = NVIDIADevice(card, encoders: Set(candidates))
        var encoders: Set<VideoFormat.Codec> = []
        let decoder = try optimist.makeDecoder(of: format)
        var scaler: (any PictureScaling)?
        var encoder: (any PictureEncoding)?
        var (pictures, start) = (0, ContinuousClock.now)
        for (index, picture) in clip.enumerated() {
            try decoder.decode(picture, at: Int64(index)) { frame, _ throws(FFmpegError) in
                if scaler == nil {
                    scaler = try PictureFilter(
                        "scale_cuda=w=\(trial.width):h=\(trial.height):format=nv12:passthrough=0",
                        for: frame
                    )
                }
                guard let scaled = try scaler?.scale(frame) else { return }
                if encoder == nil {
                    encoders = Set(
                        candidates.filter { codec in
                            (try? optimist.makeEncoder(try terms(codec), for: scaled)) != nil
                        }
                    )
                    encoder = try NVIDIADevice(card, encoders: encoders)
                        .makeEncoder(try terms(.h264), for: scaled)
                }
                // Without NVENC the CPU's time is not the card's.
                if encoders.contains(.h264) {
                    _ = try encoder?.encode(scaled, index: index, asKeyframe: index == 0)
                }
                pictures += 1
                if pictures == trial.warmUp { start = .now }
            }
        }
        let seconds = (ContinuousClock.now - start) / .seconds(1)
        let measured = pictures - trial.warmUp
        guard measured > 0, seconds > 0 else { throw .unsuitable("no picture came out") }
        // Decoded, and encoded in the same size.
        let pixels = 2 * trial.width * trial.height * measured
        return FoundDevice(
            NVIDIADevice(card, encoders: encoders),
            pixelRateLimit: Double(pixels) / seconds
        )
    }

    private static func terms(
        _ codec: VideoFormat.Codec
    ) throws(FFmpegError) -> EncodingTerms {
        EncodingTerms(
            codec: codec,
            width: trial.width,
            height: trial.height,
            bitsPerSecond: 2_800_000,
            preset: .faster,
            frameRate: try FFmpegError.unwrap(Rational(30, 1), "frame rate")
        )
    }

    /// Noise that moves: as hard as pictures get.
    private static func makeClip() throws(FFmpegError) -> (VideoFormat, [ByteBuffer]) {
        var settings = try terms(.h264)
        settings.preset = .ultrafast
        let encoder = try PictureEncoder(
            PictureEncoder.Settings(settings, layout: CPUDevice.layout)
        )
        var parser = VideoBitstreamParser(codec: .h264)
        var clip: [ByteBuffer] = []
        for index in 0..<trial.pictures {
            let picture = try PictureFrame(
                width: trial.width,
                height: trial.height,
                layout: CPUDevice.layout
            )
            picture.fill(seed: UInt32(index))
            let coded = try encoder.encode(picture, index: index, asKeyframe: index == 0)
            for bytes in coded {
                let units = bytes.withUnsafeReadableBytes { bytes in
                    parser.parse(bytes.assumingMemoryBound(to: UInt8.self).span)
                }
                clip += units.map(\.payload)
            }
        }
        guard let format = parser.format else { throw .unsuitable("no clip could be made") }
        return (format, clip)
    }
}

extension PictureFrame {
    /// Noise in the first plane, of 8 bits a sample; the colours are grey.
    fileprivate func fill(seed: UInt32) {
        lend { frame in
            var state = seed &* 2_654_435_761 | 1
            let rows = Int(frame.pointee.height)
            if let luma = frame.pointee.data.0 {
                for index in 0..<(rows * Int(frame.pointee.linesize.0)) {
                    state = state &* 1_664_525 &+ 1_013_904_223
                    luma[index] = UInt8(96 + state >> 26)
                }
            }
            let planes = [
                (frame.pointee.data.1, frame.pointee.linesize.1),
                (frame.pointee.data.2, frame.pointee.linesize.2),
            ]
            for (plane, stride) in planes {
                plane?.update(repeating: 128, count: rows / 2 * Int(stride))
            }
        }
    }
}

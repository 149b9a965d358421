import CFFmpeg
import Media
import NIOCore

/// One track of sound in one format, from samples to frames; of one thread.
///
/// Place:  a sample is heard where it was in the source. Frames are counted, not timed: they lie on a grid
///         of the encoder's frames that begins where the source's began, less what the encoder puts before
///         its first sample.
/// Delay:  less than a frame, and what the encoder looks ahead: 43 ms of AAC at 48 kHz, 27 ms of Opus.
/// Bound:  two frames.
final class SoundLine {
    private let encoder: SampleEncoder
    private let converter: SampleConverter
    private let source: AudioFormat
    /// Where the timeline begins, in samples of the encoder's rate.
    private let start: Int64
    /// What the encoder has been given.
    private var encoded: Int64 = 0

    /// A line for one timeline of a source, whose first sample is at `start`.
    init(
        _ output: SoundOutputFormat,
        of source: AudioFormat,
        from start: MediaTime
    ) throws(FFmpegError) {
        self.source = source
        encoder = try SampleEncoder(output.settings(for: source))
        converter = try SampleConverter(for: encoder.frame)
        self.start = start.converted(to: UInt32(clamping: encoder.format.sampleRate)).ticks
    }

    var format: AudioFormat { encoder.format }

    /// Takes samples that stand behind `time` samples of the source.
    func take(
        _ samples: UnsafeMutablePointer<AVFrame>,
        at time: Int64
    ) throws(FFmpegError) -> [PlacedSound] {
        try converter.convert(samples, at: converted(time))
        return try encode()
    }

    /// Has silence up to `time` samples of the source.
    func pause(until time: Int64) throws(FFmpegError) -> [PlacedSound] {
        try converter.settle(at: converted(time))
        return try encode()
    }

    /// The timeline is over after `time` samples of the source.
    ///
    /// - Returns: The frames that most of the sound before that is in, and that have not come yet.
    func finish(at time: Int64) throws(FFmpegError) -> [PlacedSound] {
        let end = converted(time)
        let frame = Int64(format.samplesPerAccessUnit)
        try converter.settle(at: (end + frame - 1) / frame * frame)
        let frames = try encode() + placed(encoder.finish())
        return frames.filter { 2 * ($0.time.ticks - start) + frame < 2 * end }
    }

    private func converted(_ time: Int64) -> Int64 {
        MediaTime(ticks: time, timescale: UInt32(clamping: source.sampleRate))
            .converted(to: UInt32(clamping: format.sampleRate)).ticks
    }

    private func encode() throws(FFmpegError) -> [PlacedSound] {
        var frames: [PlacedSound] = []
        while converter.available >= format.samplesPerAccessUnit {
            let time = encoded
            encoded += Int64(format.samplesPerAccessUnit)
            frames += placed(try encoder.encode(at: time, fill: converter.fill))
        }
        return frames
    }

    /// Without those that end before the timeline begins: they only prepare the first.
    private func placed(_ frames: [SampleEncoder.Frame]) -> [PlacedSound] {
        frames.filter { $0.time + Int64(format.samplesPerAccessUnit) > 0 }.map { frame in
            PlacedSound(
                time: MediaTime(
                    ticks: start + frame.time,
                    timescale: UInt32(clamping: format.sampleRate)
                ),
                payload: frame.payload
            )
        }
    }
}

import CFFmpeg
import Media
import NIOCore

/// Encodes linear PCM as AAC-LC on the calling thread, a frame for each access unit.
///
/// The library is two frames behind, and begins with one that only prepares the first: that is left out,
/// so that the frames that come stand for the access units that went in, one for one.
///
/// Of more than two channels the first two are taken: what others are, samples do not tell.
final class AACEncoder {
    private static let bitRateOfChannel = 96_000
    private static let channelLimit = 2

    private let source: LinearPCM
    private let channels: Int
    private let encoder: SampleEncoder
    /// In samples, of the next frame.
    private var time: Int64 = 0

    /// Fails for rates that AAC has not.
    init(_ source: LinearPCM) throws(FFmpegError) {
        self.source = source
        channels = min(source.channels, Self.channelLimit)
        encoder = try SampleEncoder(
            SampleEncoder.Settings(
                codec: .aac,
                sampleRate: source.sampleRate,
                channels: channels,
                bitsPerSecond: Self.bitRateOfChannel * channels
            )
        )
        guard encoder.format.samplesPerAccessUnit == LinearPCM.unitSamples else {
            throw FFmpegError(operation: "aac", code: -EINVAL)
        }
    }

    var format: AudioFormat { encoder.format }

    /// Takes the samples of an access unit.
    ///
    /// - Returns: The frames that are ready, each for the next access unit.
    func encode(_ samples: ByteBuffer) throws(FFmpegError) -> [ByteBuffer] {
        let start = time
        time += Int64(LinearPCM.unitSamples)
        let frames = try encoder.encode(at: start) { frame in
            samples.withUnsafeReadableBytes { fill(frame, with: $0) }
        }
        return Self.payloads(frames)
    }

    /// No samples come any more.
    ///
    /// - Returns: The frames of the access units that are still due.
    func finish() -> [ByteBuffer] {
        Self.payloads(encoder.finish())
    }

    private static func payloads(_ frames: [SampleEncoder.Frame]) -> [ByteBuffer] {
        frames.filter { $0.time >= 0 }.map(\.payload)
    }

    private func fill(
        _ frame: UnsafeMutablePointer<AVFrame>,
        with bytes: UnsafeRawBufferPointer
    ) {
        let width = source.bits / 8
        for channel in 0..<channels {
            guard let plane = frame.pointee.extended_data[channel] else { continue }
            plane.withMemoryRebound(to: Float.self, capacity: LinearPCM.unitSamples) { plane in
                for index in 0..<LinearPCM.unitSamples {
                    let place = index * source.instantBytes + channel * width
                    var sample: Int32 = 0
                    if place + width <= bytes.count {
                        for byte in 0..<width {
                            sample |= Int32(bytes[place + byte]) << Int32(24 - 8 * byte)
                        }
                    }
                    plane[index] = Float(sample) / 2_147_483_648
                }
            }
        }
    }
}

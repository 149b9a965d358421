import Foundation
import Processing
import TestSupport

/// What a contribution may be, as ffmpeg makes it: 640 × 360, 30 frames a second.
enum LadderClip: String, CaseIterable, Sendable {
    case plain, bFrames, openGOP, irregularGOP, noLaterKeyframe, hevc, hevc10, av1, av1TenBit
    case yuv422, oddSize, variableRate, unsaidRate, fullRange, interlaced, interlaced10

    private var encoder: [String] {
        let x264 = ["-c:v", "libx264", "-preset", "ultrafast"]
        let x265 = ["-c:v", "libx265", "-preset", "ultrafast", "-x265-params"]
        return switch self {
        case .plain: x264 + ["-tune", "zerolatency", "-g", "60", "-sc_threshold", "0"]
        case .bFrames: x264 + ["-bf", "3", "-b_strategy", "0", "-g", "60"]
        case .openGOP: x264 + ["-bf", "2", "-g", "50", "-x264-params", "open-gop=1"]
        case .irregularGOP:
            x264 + ["-force_key_frames", "0,0.7,2.5,2.9,3.4,5.6", "-g", "1000"]
        case .noLaterKeyframe: x264 + ["-g", "1000", "-sc_threshold", "0"]
        case .hevc: x265 + ["log-level=none:keyint=60"]
        case .hevc10: ["-pix_fmt", "yuv420p10le"] + x265 + ["log-level=none:keyint=60"]
        case .av1: ["-c:v", "libsvtav1", "-preset", "12", "-g", "60"]
        case .av1TenBit:
            ["-pix_fmt", "yuv420p10le", "-c:v", "libsvtav1", "-preset", "12", "-g", "60"]
        case .yuv422: ["-pix_fmt", "yuv422p10le"] + x264 + ["-g", "60"]
        case .oddSize:
            ["-vf", "scale=639:359", "-pix_fmt", "yuv444p"] + x264 + ["-g", "60"]
        case .variableRate:
            ["-vf", "select='not(eq(mod(n,7),3))'", "-fps_mode", "passthrough"] + x264
                + ["-bf", "0", "-g", "60"]
        case .unsaidRate:
            x264 + ["-g", "60", "-bsf:v", "h264_metadata=delete_filler=1:tick_rate=0"]
        case .interlaced: x264 + ["-flags", "+ildct+ilme", "-top", "1", "-g", "60"]
        case .interlaced10:
            ["-pix_fmt", "yuv422p10le"] + x264 + [
                "-flags", "+ildct+ilme", "-top", "0", "-g", "60",
            ]
        case .fullRange: ["-vf", "scale=out_range=full"] + x264 + ["-g", "60"]
        }
    }

    /// A transport stream; `options` come after those of the kind.
    func make(
        in folder: URL,
        seconds: Int = 6,
        options: [String] = []
    ) async throws -> URL {
        let isAV1 = self == .av1 || self == .av1TenBit
        let file = folder.appending(path: "\(rawValue).\(isAV1 ? "ivf" : "ts")")
        try await ExternalProcess.run(
            "ffmpeg",
            [
                "-v", "error", "-f", "lavfi", "-i",
                "testsrc2=s=640x360:r=30:d=\(seconds)", "-pix_fmt", "yuv420p",
            ] + encoder + options + [file.path]
        )
        return isAV1 ? try Self.transportStream(of: file) : file
    }

    /// What ffmpeg 5.1 does not write.
    private static func transportStream(of file: URL) throws -> URL {
        let clip = try IVFReader([UInt8](Data(contentsOf: file)))
        let stream = TransportStreamWriter.Stream.av1()
        var writer = TransportStreamWriter(streams: [stream])
        var bytes = writer.tables()
        for frame in clip.frames {
            let time = 90_000 + clip.mpegTicks(of: frame)
            bytes += writer.pes(frame.bytes, on: stream, pts: time, hasClock: true)
        }
        let result = file.appendingPathExtension("ts")
        try Data(bytes).write(to: result)
        return result
    }
}

extension TranscodingConfiguration {
    /// A ladder of these sizes, at little cost.
    static func rungs(_ sizes: [(Int, Int)]) -> TranscodingConfiguration {
        var configuration = TranscodingConfiguration()
        configuration.isEnabled = true
        configuration.preset = .ultrafast
        configuration.outputFormats = sizes.map { size in
            var format = OutputFormat()
            format.resolution = PictureSize(width: size.0, height: size.1)
            format.bitsPerSecond = 400_000
            return format
        }
        return configuration
    }
}

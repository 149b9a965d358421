import Foundation
import Media
import NIOCore
import Packaging
import Processing
import TestSupport
import Testing

/// Clips of every kind come out of the ladder whole, aligned and playable: ffmpeg says so.
@Suite struct LadderTranscoderTests {
    /// What a contribution may be, as ffmpeg makes it.
    enum Source: String, CaseIterable, Sendable {
        case plain, bFrames, openGOP, irregularGOP, noLaterKeyframe, hevc, hevc10, av1
        case yuv422, oddSize, variableRate, unsaidRate, fullRange, interlaced, interlaced10

        var encoder: [String] {
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
    }

    private static func clip(
        _ options: [String],
        in folder: URL,
        seconds: Int = 6
    ) async throws -> URL {
        let file = folder.appending(path: "source.ts")
        try await ExternalProcess.run(
            "ffmpeg",
            [
                "-v", "error", "-f", "lavfi", "-i",
                "testsrc2=s=640x360:r=30:d=\(seconds)", "-pix_fmt", "yuv420p",
            ] + options + ["-f", "mpegts", file.path]
        )
        return file
    }

    private static func configuration(_ sizes: [(Int, Int)]) -> TranscodingConfiguration {
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

    @Test(arguments: Source.allCases)
    func everyPictureComesOutOfEveryRungAtItsTime(_ source: Source) async throws {
        try await withFolder { folder in
            // AV1 in a transport stream is not what ffmpeg writes.
            guard source != .av1 else { return }
            let file = try await Self.clip(source.encoder, in: folder)
            let run = try await LadderRun(file, Self.configuration([(320, 180), (160, 90)]))
            #expect(run.plan.rungs.map(\.name) == ["video-180p", "video-90p"])
            #expect(run.statistics.decoding.undecodablePictures == 0)
            let first = try #require(run.sources.first)
            let times = run.sources.map(\.presentationTime)
                .filter { $0 >= first.presentationTime }.sorted()
            for rung in run.plan.rungs {
                let pictures = run.pictures(of: rung.name)
                #expect(
                    pictures.map(\.presentationTime).filter { $0 >= first.presentationTime }
                        == times
                )
                #expect(pictures.map(\.decodeTime) == run.sources.map(\.decodeTime))
                #expect(run.boundaries(of: rung.name) == run.boundaries(of: "video"))
                let format = try #require(run.formats(of: rung.name).first)
                #expect(format.width == rung.width && format.height == rung.height)
                try await Self.expectPlayable(run, rung.name, pictures.count, in: folder)
            }
            for rung in run.statistics.rungs {
                #expect(rung.heldPictures == 0 && rung.lostPictures == 0 && rung.failures == 0)
            }
        }
    }

    /// ffmpeg decodes it without a complaint, from the first segment's keyframe to the end.
    private static func expectPlayable(
        _ run: LadderRun,
        _ id: String,
        _ count: Int,
        in folder: URL
    ) async throws {
        let file = folder.appending(path: "\(id).mp4")
        try run.write(id, to: file)
        let shown = try await ExternalProcess.run(
            "ffprobe",
            [
                "-v", "error", "-count_frames", "-show_entries", "stream=nb_read_frames", "-of",
                "csv=p=0", file.path,
            ]
        )
        #expect(shown.errors.isEmpty, "\(id): \(shown.errors)")
        let read = Int(shown.text.filter(\.isNumber)) ?? 0
        #expect(read == count, "\(id)")
    }

    @Test(arguments: [VideoFormat.Codec.hevc, .av1])
    func rungsMayBeOfOtherCodecs(_ codec: VideoFormat.Codec) async throws {
        try await withFolder { folder in
            let file = try await Self.clip(Source.bFrames.encoder, in: folder, seconds: 3)
            var configuration = Self.configuration([(320, 180)])
            configuration.outputFormats[0].codec = codec
            let run = try await LadderRun(file, configuration)
            let rung = try #require(run.plan.rungs.first)
            #expect(run.statistics.rungs[0].failure == nil)
            let pictures = run.pictures(of: rung.name)
            #expect(pictures.count == run.sources.count)
            #expect(run.formats(of: rung.name).map(\.codec) == [codec])
            #expect(run.boundaries(of: rung.name) == run.boundaries(of: "video"))
            #expect(run.statistics.rungs[0].heldPictures == 0)
            try await Self.expectPlayable(run, rung.name, pictures.count, in: folder)
        }
    }

    @Test func aLimitOfFramesLeavesOutEveryOther() async throws {
        try await withFolder { folder in
            let file = try await Self.clip(Source.plain.encoder, in: folder)
            var configuration = Self.configuration([(320, 180), (160, 90)])
            configuration.outputFormats[1].frameRate = 15
            let run = try await LadderRun(file, configuration)
            #expect(run.pictures(of: "video-180p").count == 180)
            #expect(run.pictures(of: "video-90p").count == 90)
            #expect(run.boundaries(of: "video-90p") == run.boundaries(of: "video"))
        }
    }

    /// A bar that moves between the fields of a picture has combs; deinterlaced it has none.
    @Test func whatMovesBetweenFieldsHasNoCombs() async throws {
        try await withFolder { folder in
            let file = folder.appending(path: "source.ts")
            try await ExternalProcess.run(
                "ffmpeg",
                [
                    "-v", "error", "-f", "lavfi", "-i", "testsrc2=s=640x360:r=50:d=2", "-vf",
                    "tinterlace=interleave_top,setfield=tff", "-pix_fmt", "yuv420p",
                    "-c:v", "libx264", "-preset", "ultrafast", "-qp", "10", "-flags", "+ildct+ilme",
                    "-f", "mpegts", file.path,
                ]
            )
            var configuration = Self.configuration([(640, 360)])
            configuration.outputFormats[0].bitsPerSecond = 8_000_000
            let run = try await LadderRun(file, configuration)
            #expect(run.pictures(of: "video-360p").count == run.sources.count)
            try run.write("video", to: folder.appending(path: "video.mp4"))
            try run.write("video-360p", to: folder.appending(path: "rung.mp4"))
            let before = try await Self.combs(in: folder.appending(path: "video.mp4"))
            let after = try await Self.combs(in: folder.appending(path: "rung.mp4"))
            #expect(before > 20 && after < before / 5, "\(before) before, \(after) after")
        }
    }

    /// How much lines differ from those above and below, where these are alike.
    private static func combs(in file: URL) async throws -> Double {
        let shown = try await ExternalProcess.run(
            "ffmpeg",
            [
                "-v", "error", "-i", file.path, "-frames:v", "20", "-f", "rawvideo", "-pix_fmt",
                "gray",
                "-",
            ]
        )
        let (width, height) = (640, 360)
        let pixels = [UInt8](shown.output)
        var sum = 0
        for picture in 0..<(pixels.count / (width * height)) {
            for y in 1..<(height - 1) {
                for x in stride(from: 0, to: width, by: 4) {
                    let place = (picture * height + y) * width + x
                    let around = (Int(pixels[place - width]), Int(pixels[place + width]))
                    guard abs(around.0 - around.1) < 16 else { continue }
                    sum += abs(Int(pixels[place]) - (around.0 + around.1) / 2) > 100 ? 1 : 0
                }
            }
        }
        return Double(sum) / 20
    }

    /// The decoder begins anew with the next keyframe, and the segments after it are whole.
    @Test func damageIsLeftBehindWithTheNextKeyframe() async throws {
        try await withFolder { folder in
            let file = try await Self.clip(Source.bFrames.encoder, in: folder, seconds: 12)
            var random = SeededRandom(seed: 5)
            let run = try await LadderRun(file, Self.configuration([(320, 180)])) { events in
                events.enumerated().map { index, event in
                    guard case .accessUnit(var unit) = event, (60...90).contains(index) else {
                        return event
                    }
                    let size = unit.payload.readableBytes
                    unit.payload = ByteBuffer(
                        bytes: (0..<size).map { _ in UInt8.random(in: 0...255, using: &random) }
                    )
                    return .accessUnit(unit)
                }
            }
            let last = try #require(run.boundaries(of: "video").last)
            #expect(run.boundaries(of: "video-180p").last == last)
            #expect(run.statistics.rungs[0].failures == 0)
        }
    }
}

import Foundation
import Media
import NIOCore
import Packaging
import Processing
import TestSupport
import Testing

/// Clips of every kind come out of the ladder whole, aligned and playable: ffmpeg says so.
@Suite struct LadderTranscoderTests {
    @Test(arguments: LadderClip.allCases)
    func everyPictureComesOutOfEveryRungAtItsTime(_ clip: LadderClip) async throws {
        try await withFolder { folder in
            let file = try await clip.make(in: folder)
            let run = try await LadderRun(
                file,
                TranscodingConfiguration.rungs([(320, 180), (160, 90)])
            )
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
    static func expectPlayable(
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

    /// Open groups of one length, and keyframes at distances from two pictures to more than two seconds.
    @Test(arguments: [LadderClip.openGOP, .irregularGOP])
    func everySizeIsCutLikeTheSourceForAMinute(_ clip: LadderClip) async throws {
        try await withFolder { folder in
            let keyframes = "expr:not(mod(n,71))+not(mod(n,113))+not(mod(n,12))*lt(n,50)"
            let file = try await clip.make(
                in: folder,
                seconds: 60,
                options: clip == .irregularGOP ? ["-bf", "2", "-force_key_frames", keyframes] : []
            )
            let run = try await LadderRun(file, .rungs([(320, 180), (160, 90)]))
            let (segments, parts) = (run.boundaries(of: "video"), run.parts(of: "video"))
            #expect(run.sources.count == 1_800 && segments.count > 15 && parts.count > 120)
            for rung in run.plan.rungs {
                #expect(run.boundaries(of: rung.name) == segments)
                #expect(run.parts(of: rung.name) == parts)
                let times = run.pictures(of: rung.name).map(\.decodeTime)
                #expect(times == run.sources.map(\.decodeTime))
                try await Self.expectPlayable(run, rung.name, 1_800, in: folder)
            }
        }
    }

    @Test(arguments: [VideoFormat.Codec.hevc, .av1])
    func rungsMayBeOfOtherCodecs(_ codec: VideoFormat.Codec) async throws {
        try await withFolder { folder in
            let file = try await LadderClip.bFrames.make(in: folder, seconds: 3)
            var configuration = TranscodingConfiguration.rungs([(320, 180)])
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
            let file = try await LadderClip.plain.make(in: folder)
            var configuration = TranscodingConfiguration.rungs([(320, 180), (160, 90)])
            configuration.outputFormats[1].frameRate = 15
            let run = try await LadderRun(file, configuration)
            #expect(run.pictures(of: "video-180p").count == 180)
            #expect(run.pictures(of: "video-90p").count == 90)
            #expect(run.boundaries(of: "video-90p") == run.boundaries(of: "video"))
        }
    }

    /// The last keyframe of the source is its first; a size that asks for them has them all the same.
    @Test func aSizeMayHaveMoreKeyframesThanItsSource() async throws {
        try await withFolder { folder in
            let file = try await LadderClip.noLaterKeyframe.make(in: folder)
            var configuration = TranscodingConfiguration.rungs([(320, 180), (160, 90)])
            configuration.outputFormats[1].keyframeInterval = .milliseconds(500)
            configuration.outputFormats[1].frameRate = 15
            let run = try await LadderRun(file, configuration)
            let keyframes = run.plan.rungs.map { rung in
                run.pictures(of: rung.name).filter(\.isKeyframe).map(\.decodeTime)
            }
            #expect(keyframes[0].count == run.boundaries(of: "video").count)
            let steps = zip(keyframes[1], keyframes[1].dropFirst()).map { $1 - $0 }
            #expect(steps.count >= 10 && steps.allSatisfy { (3_000...48_000).contains($0) })
            #expect(Set(keyframes[0]).isSubset(of: keyframes[1]))
            #expect(run.boundaries(of: "video-90p") == run.boundaries(of: "video"))
        }
    }

    /// Encoders that look ahead say how far, give all back at the end, and everything at its time.
    @Test(arguments: [VideoFormat.Codec.h264, .hevc])
    func qualityHoldsHalfASecondBack(_ codec: VideoFormat.Codec) async throws {
        try await withFolder { folder in
            let file = try await LadderClip.irregularGOP.make(in: folder)
            var configuration = TranscodingConfiguration.rungs([(320, 180)])
            configuration.outputFormats[0].codec = codec
            configuration.mode = .quality
            let run = try await LadderRun(file, configuration)
            let pictures = run.pictures(of: "video-180p")
            #expect(pictures.map(\.decodeTime) == run.sources.map(\.decodeTime))
            #expect(run.boundaries(of: "video-180p") == run.boundaries(of: "video"))
            // Half a second, and what is being worked at.
            #expect((15...18).contains(run.mostHeldPictures))
            try await Self.expectPlayable(run, "video-180p", pictures.count, in: folder)
        }
    }

    @Test func everyStepOfTheWayIsTimed() async throws {
        try await withFolder { folder in
            let file = try await LadderClip.plain.make(in: folder)
            let run = try await LadderRun(file, .rungs([(320, 180), (160, 90)]))
            for rung in run.statistics.rungs {
                let all = try #require(rung.latest.delay(ofShare: 0.5))
                for step in LatestPictures.Step.allCases {
                    let delay = try #require(rung.latest.delay(in: step, ofShare: 0.5))
                    #expect(delay > .zero && delay < all, "\(step)")
                }
                let rate = try #require(rung.latest.frameRate)
                #expect(abs(rate - 30) < 0.01)
                let bits = try #require(rung.latest.bitsPerSecond)
                #expect((10_000...1_000_000).contains(bits))
            }
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
            var configuration = TranscodingConfiguration.rungs([(640, 360)])
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
            let file = try await LadderClip.bFrames.make(in: folder, seconds: 12)
            var random = SeededRandom(seed: 5)
            let run = try await LadderRun(file, TranscodingConfiguration.rungs([(320, 180)])) {
                events in
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

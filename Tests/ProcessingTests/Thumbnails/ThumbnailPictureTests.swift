import Foundation
import Media
import NIOCore
import Processing
import TestSupport
import Testing

/// Keyframes that ffmpeg has encoded become pictures that ffmpeg reads, of the right size and colours.
@Suite struct ThumbnailPictureTests {
    private typealias Fixture = KeyframeFixture

    private static let bt709 = [
        "-vf", "scale=out_color_matrix=bt709:out_range=tv,format=yuv420p", "-colorspace", "bt709",
        "-color_primaries", "bt709", "-color_trc", "bt709",
    ]
    private static let encodings: [(name: String, options: [String])] = [
        ("H.264", ["-c:v", "libx264", "-pix_fmt", "yuv420p"]),
        ("H.264, BT.709", ["-c:v", "libx264"] + bt709),
        ("H.264 4:2:2, 10 bit", ["-c:v", "libx264", "-pix_fmt", "yuv422p10le"]),
        (
            "H.264 interlaced",
            ["-c:v", "libx264", "-pix_fmt", "yuv420p", "-x264-params", "interlaced=1:tff=1"]
        ),
        (
            "H.264 full range",
            [
                "-c:v", "libx264", "-vf", "scale=out_range=pc,format=yuv420p", "-color_range", "pc",
            ]
        ),
        (
            "H.264 without IDR pictures",
            [
                "-c:v", "libx264", "-pix_fmt", "yuv420p", "-x264-params",
                "open-gop=1:keyint=2:bframes=0",
            ]
        ),
        ("HEVC", ["-c:v", "libx265", "-x265-params", "log-level=none", "-pix_fmt", "yuv420p"]),
        (
            "HEVC, 10 bit",
            ["-c:v", "libx265", "-x265-params", "log-level=none", "-pix_fmt", "yuv420p10le"]
        ),
    ]

    @Test(arguments: encodings.map(\.name))
    func aKeyframeIsShownAsItIs(name: String) async throws {
        let options = try #require(Self.encodings.first { $0.name == name }).options
        try await Fixture.withFolder { folder in
            let live = try await Fixture.stream(Fixture.halves("640x360"), options, in: folder)
            let picture = try ThumbnailPicture(of: try #require(live.keyframe), width: 320)
            #expect(picture.takenAt == .fixture)
            for format in Thumbnail.Format.allCases {
                let seen = try await SeenPicture(picture.encoded(as: format), in: folder)
                #expect(seen.width == 320 && seen.height == 180)
                #expect(seen.hasHalves, "\(format)")
            }
        }
    }

    @Test(arguments: ["yuv420p", "yuv420p10le"])
    func soIsOneOfAV1(layout: String) async throws {
        try await Fixture.withFolder { folder in
            let live = try await Fixture.av1(
                Fixture.halves("640x360"),
                ["-pix_fmt", layout, "-frames:v", "1"],
                in: folder
            )
            let picture = try ThumbnailPicture(of: try #require(live.keyframe), width: 320)
            let seen = try await SeenPicture(picture.encoded(as: .jpeg), in: folder)
            #expect(seen.width == 320 && seen.height == 180)
            #expect(seen.hasHalves)
        }
    }

    /// The source, the shape of its samples, and what comes of it at 320.
    @Test(arguments: [
        ("720x576", "16/15", 320, 240), ("720x576", "64/45", 320, 180), ("180x320", "1", 180, 320),
        ("1080x1920", "1", 320, 568), ("355x201", "1", 320, 180), ("64x48", "1", 64, 48),
        ("48x640", "1", 48, 640), ("48x1280", "1", 24, 640), ("1918x802", "1", 320, 132),
        ("33x17", "1", 32, 16),
    ])
    func theShapeIsThatWhichIsSeen(
        size: String,
        sample: String,
        width: Int,
        height: Int
    ) async throws {
        try await Fixture.withFolder { folder in
            let live = try await Fixture.stream(
                Fixture.halves(size) + ",setsar=\(sample)",
                ["-c:v", "libx264", "-pix_fmt", "yuv444p"],
                in: folder
            )
            let picture = try ThumbnailPicture(of: try #require(live.keyframe), width: 320)
            let seen = try await SeenPicture(picture.encoded(as: .jpeg), in: folder)
            #expect((picture.width, picture.height) == (seen.width, seen.height))
            // Letterbox takes even numbers; a rounding of two is none.
            #expect(abs(seen.width - width) <= 2 && abs(seen.height - height) <= 2)
            #expect(seen.width % 2 == 0 && seen.height % 2 == 0)
        }
    }

    /// Reference white, 58 % of PQ and 75 % of HLG (ITU-R BT.2408), is nearly white; what is brighter is brighter.
    @Test(arguments: ["smpte2084", "arib-std-b67"])
    func highDynamicRangeCanBeTold(transfer: String) async throws {
        let codes = transfer == "smpte2084" ? (white: 572, bright: 720) : (white: 721, bright: 860)
        try await Fixture.withFolder { folder in
            let live = try await Fixture.stream(
                "color=black:s=640x360:r=25:d=0.2,format=yuv420p10le,"
                    + "geq=lum='if(lt(X,W/2),\(codes.white),\(codes.bright))':cb=512:cr=512",
                [
                    "-c:v", "libx265", "-x265-params",
                    "log-level=none:colorprim=bt2020:transfer=\(transfer):colormatrix=bt2020nc",
                ],
                in: folder
            )
            let keyframe = try #require(live.keyframe)
            #expect(keyframe.format.dynamicRange != .sdr)
            let picture = try ThumbnailPicture(of: keyframe, width: 320)
            let seen = try await SeenPicture(picture.encoded(as: .jpeg), in: folder)
            #expect(seen.isNear([245, 245, 245], x: 0.25, tolerance: 5))
            let bright = seen.colour(x: 0.75)
            #expect(bright.allSatisfy { (250...255).contains($0) }, "\(bright)")
        }
    }

    @Test func highDynamicRangeKeepsItsColours() async throws {
        let still = try await Fixture.withFolder { folder in
            let file = folder.appending(path: "still.png")
            try await ExternalProcess.run(
                "ffmpeg",
                [
                    "-v", "error", "-f", "lavfi", "-i", Fixture.halves("320x180"), "-frames:v", "1",
                    file.path,
                ]
            )
            return ByteBuffer(bytes: try Data(contentsOf: file))
        }
        for transfer: UInt8 in [16, 18] {
            let format = VideoFormat(
                codec: .hevc,
                codecString: "",
                profile: "",
                level: "",
                width: 320,
                height: 180,
                bitDepth: 10,
                colour: .init(primaries: 9, transfer: transfer, matrix: 9, isFullRange: false),
                decoderConfiguration: ByteBuffer()
            )
            let loop = try SlateEncoder.encode(
                .png(still),
                as: SlateFormat(
                    format,
                    measuredRate: 5,
                    groupDuration: .milliseconds(200),
                    partDuration: .milliseconds(200)
                )
            )
            let live = try Fixture.stream()
            live.send(.tracks(TrackList([Track(id: Track.ID(1), format: .video(loop.format))])))
            live.send(Fixture.keyframe(try #require(loop.pictures.first).payload))
            let picture = try ThumbnailPicture(of: try #require(live.keyframe), width: 320)
            try await Fixture.withFolder { folder in
                let seen = try await SeenPicture(picture.encoded(as: .jpeg), in: folder)
                #expect(seen.hasHalves)
            }
        }
    }

    @Test func aPictureThatLacksItsEndIsNotShown() async throws {
        try await Fixture.withFolder { folder in
            let live = try await Fixture.stream(
                "testsrc2=s=640x360:r=25:d=0.1",
                ["-c:v", "libx264", "-pix_fmt", "yuv420p"],
                in: folder
            )
            let whole = try #require(live.keyframe)
            _ = try ThumbnailPicture(of: whole, width: 320)
            let cut = whole.unit.payload.getSlice(
                at: whole.unit.payload.readerIndex,
                length: whole.unit.payload.readableBytes / 2
            )
            live.send(Fixture.keyframe(try #require(cut), on: whole.unit.track))
            let damaged = try #require(live.keyframe)
            #expect(damaged.number == whole.number + 1)
            #expect(throws: ThumbnailError.self) { try ThumbnailPicture(of: damaged, width: 320) }
        }
    }

    /// No bytes take the process down: keyframes and parameter sets with random damage, and random bytes alone.
    @Test(arguments: [VideoFormat.Codec.h264, .hevc, .av1])
    func damageIsAnErrorOrAPicture(codec: VideoFormat.Codec) async throws {
        let whole = try await Fixture.withFolder { folder in
            let source = "testsrc2=s=192x108:r=25:d=0.1"
            let live =
                switch codec {
                case .h264: try await Fixture.stream(source, ["-c:v", "libx264"], in: folder)
                case .hevc:
                    try await Fixture.stream(
                        source,
                        ["-c:v", "libx265", "-x265-params", "log-level=none"],
                        in: folder
                    )
                case .av1, .jpegXS: try await Fixture.av1(source, ["-frames:v", "1"], in: folder)
                }
            return try #require(live.keyframe)
        }
        var random = SeededRandom(seed: 5)
        var pictures = 0
        for round in 0..<300 {
            var payload = [UInt8](whole.unit.payload.readableBytesView)
            var format = whole.format
            if round % 3 == 0 {
                payload = random.bytes(Int.random(in: 0...2_000, using: &random))
            } else {
                for _ in 0...Int.random(in: 0...20, using: &random) {
                    payload[Int.random(in: payload.indices, using: &random)] = UInt8.random(
                        in: 0...255,
                        using: &random
                    )
                }
            }
            if round % 3 == 2 {
                var sets = [UInt8](format.decoderConfiguration.readableBytesView)
                sets[Int.random(in: sets.indices, using: &random)] ^= 1 << UInt8(round % 8)
                format.decoderConfiguration = ByteBuffer(bytes: sets)
            }
            let live = try Fixture.stream()
            live.send(.tracks(TrackList([Track(id: Track.ID(1), format: .video(format))])))
            live.send(Fixture.keyframe(ByteBuffer(bytes: payload)))
            guard
                let picture = try? ThumbnailPicture(of: try #require(live.keyframe), width: 64),
                let file = try? picture.encoded(as: .jpeg)
            else { continue }
            pictures += 1
            #expect(picture.width <= 64 && picture.height <= 128)
            #expect(file.bytes.readableBytes < 100_000)
        }
        // The damage is small: some must have come out, and most cannot have.
        #expect((1..<250).contains(pictures), "\(pictures)")
    }
}

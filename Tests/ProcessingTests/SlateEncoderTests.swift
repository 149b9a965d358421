import Foundation
import Ingestion
import Media
import NIOCore
import Packaging
import Processing
import TestSupport
import Testing

/// ffmpeg shows what a slate looks like to a viewer.
@Suite struct SlateEncoderTests {
    /// Left half red, right half blue, and a size of its own.
    private static func still(_ name: String, in folder: URL, size: String) async throws
        -> ByteBuffer
    {
        let file = folder.appending(path: name)
        try await ExternalProcess.run(
            "ffmpeg",
            [
                "-v", "error", "-f", "lavfi", "-i",
                "color=c=0xC01010:s=\(size),drawbox=x=iw/2:c=0x1010C0:t=fill",
                "-frames:v", "1", "-update", "1", file.path,
            ]
        )
        return ByteBuffer(bytes: try Data(contentsOf: file))
    }

    private static func format(
        _ codec: VideoFormat.Codec,
        size: (Int, Int) = (320, 180),
        bitDepth: Int = 8,
        colour: VideoFormat.Colour? = VideoFormat.Colour(
            primaries: 1,
            transfer: 1,
            matrix: 1,
            isFullRange: false
        ),
        configuration: [UInt8] = [1, 77, 64, 30]
    ) -> SlateFormat {
        SlateFormat(
            VideoFormat(
                codec: codec,
                codecString: "",
                profile: "",
                level: "",
                width: size.0,
                height: size.1,
                bitDepth: bitDepth,
                colour: colour,
                decoderConfiguration: ByteBuffer(bytes: configuration)
            ),
            measuredRate: 30,
            groupDuration: .seconds(1),
            partDuration: .milliseconds(333)
        )
    }

    /// What a viewer's decoder makes of two rounds of the loop: 16-bit RGB pictures.
    private static func show(_ loop: SlateLoop, in folder: URL) async throws -> [Picture] {
        let track = Track(id: Track.ID(1), format: .video(loop.format))
        var source = SlateSource(
            stream: TrackList([track]),
            loop: loop,
            silence: [:],
            start: MediaTime(mpegTicks: 900_000),
            startedAt: WallTime(microsecondsSinceEpoch: 0)
        )
        var packager = StreamPackager(configuration: PackagingConfiguration())
        var outputs = packager.consume(.tracks(source.tracks))
        let rounds = Double(loop.pictures.count * 2) / loop.frameRate.value
        let end = WallTime(microsecondsSinceEpoch: Int64(rounds * 1e6) - 1_000)
        for unit in source.units(until: end) { outputs += packager.consume(.accessUnit(unit)) }
        outputs += packager.finish()
        var bytes = ByteBuffer()
        for output in outputs {
            switch output {
            case .renditions(let list):
                for rendition in list { bytes.writeImmutableBuffer(rendition.initialization) }
            case .part(_, let part):
                for slice in part.slices { bytes.writeImmutableBuffer(slice) }
            case .expect, .openSegment, .closeSegment:
                continue
            }
        }
        let file = folder.appending(path: "slate.mp4")
        try Data(bytes.readableBytesView).write(to: file)
        let shown = try await ExternalProcess.run(
            "ffmpeg",
            [
                "-v", "error", "-xerror", "-i", file.path, "-fps_mode", "passthrough",
                "-f", "rawvideo", "-pix_fmt", "rgb24", "-",
            ]
        )
        #expect(shown.errors.isEmpty)
        let size = loop.format.width * loop.format.height * 3
        let pixels = [UInt8](shown.output)
        #expect(pixels.count == size * loop.pictures.count * 2)
        return stride(from: 0, to: pixels.count - size + 1, by: size).map {
            Picture(width: loop.format.width, bytes: pixels[$0..<$0 + size])
        }
    }

    private struct Picture {
        let width: Int
        let bytes: ArraySlice<UInt8>

        func isNear(_ colour: [Int], x: Int, y: Int, tolerance: Int = 12) -> Bool {
            let start = bytes.startIndex + (y * width + x) * 3
            return zip(bytes[start..<start + 3], colour).allSatisfy {
                abs(Int($0) - $1) <= tolerance
            }
        }
    }

    private static let red = [0xC0, 0x10, 0x10]
    private static let blue = [0x10, 0x10, 0xC0]

    @Test(arguments: [VideoFormat.Codec.h264, .hevc, .av1], ["still.png", "still.jpg"])
    func aStillPictureGoesOnInTheStreamsCodec(codec: VideoFormat.Codec, name: String) async throws {
        try await withFolder { folder in
            let bytes = try await Self.still(name, in: folder, size: "640x360")
            let picture = try #require(SlatePicture.still(bytes))
            let loop = try SlateEncoder.encode(picture, as: Self.format(codec))
            #expect(loop.format.codec == codec)
            #expect(loop.format.width == 320)
            #expect(loop.format.height == 180)
            #expect(loop.pictures.count == 30)
            #expect(
                loop.pictures.map { $0.randomAccess == .closed } == [true]
                    + Array(repeating: false, count: 29)
            )
            #expect(loop.byteCount < 60_000)
            for picture in try await Self.show(loop, in: folder) {
                #expect(picture.isNear(Self.red, x: 60, y: 90))
                #expect(picture.isNear(Self.blue, x: 260, y: 90))
            }
        }
    }

    @Test func theProfileAndTheLevelAreThoseOfTheStream() async throws {
        try await withFolder { folder in
            let picture = SlatePicture.png(try await Self.still("s.png", in: folder, size: "64x64"))
            for (profile, name) in [(66, "Constrained Baseline"), (77, "Main"), (100, "High")] {
                let format = Self.format(.h264, configuration: [1, UInt8(profile), 0, 31])
                let made = try SlateEncoder.encode(picture, as: format).format
                #expect(made.profile == name)
                #expect(made.level == "3.1")
                #expect(made.reorderDepth == 0)
                #expect(made.frameRate?.value == 30)
            }
        }
    }

    @Test func aPictureOfAnotherShapeIsLetterboxed() async throws {
        try await withFolder { folder in
            let bytes = try await Self.still("still.png", in: folder, size: "400x400")
            let loop = try SlateEncoder.encode(.png(bytes), as: Self.format(.h264))
            let picture = try #require(try await Self.show(loop, in: folder).first)
            #expect(picture.isNear([0, 0, 0], x: 60, y: 90))
            #expect(picture.isNear(Self.red, x: 110, y: 90))
            #expect(picture.isNear(Self.blue, x: 210, y: 90))
            #expect(picture.isNear([0, 0, 0], x: 260, y: 90))
        }
    }

    @Test func coloursAreRightWhateverTheStreamSignals() async throws {
        let signals: [VideoFormat.Colour?] = [
            nil,
            VideoFormat.Colour(primaries: 6, transfer: 6, matrix: 6, isFullRange: false),
            VideoFormat.Colour(primaries: 1, transfer: 1, matrix: 1, isFullRange: true),
        ]
        try await withFolder { folder in
            let bytes = try await Self.still("still.png", in: folder, size: "320x180")
            for signal in signals {
                let loop = try SlateEncoder.encode(
                    .png(bytes),
                    as: Self.format(.h264, colour: signal)
                )
                #expect(loop.format.colour == signal)
                let picture = try #require(try await Self.show(loop, in: folder).first)
                #expect(picture.isNear(Self.red, x: 60, y: 90))
                #expect(picture.isNear(Self.blue, x: 260, y: 90))
            }
        }
    }

    @Test func tenBitsStayTenBitsAndWhiteIsNotABlaze() async throws {
        let white = try await withFolder { folder in
            let file = folder.appending(path: "white.png")
            try await ExternalProcess.run(
                "ffmpeg",
                [
                    "-v", "error", "-f", "lavfi", "-i", "color=white:s=320x180", "-frames:v", "1",
                    file.path,
                ]
            )
            let bytes = ByteBuffer(bytes: try Data(contentsOf: file))
            var levels: [Int] = []
            for transfer: UInt8 in [16, 18] {
                let colour = VideoFormat.Colour(
                    primaries: 9,
                    transfer: transfer,
                    matrix: 9,
                    isFullRange: false
                )
                let format = Self.format(.hevc, bitDepth: 10, colour: colour)
                let loop = try SlateEncoder.encode(.png(bytes), as: format)
                #expect(loop.format.bitDepth == 10)
                #expect(loop.format.dynamicRange == format.video.dynamicRange)
                let picture = try #require(try await Self.show(loop, in: folder).first)
                levels.append(Int(picture.bytes[picture.bytes.startIndex]))
            }
            return levels
        }
        // 58 % PQ and 75 % HLG of 255.
        #expect(abs(white[0] - 148) <= 3)
        #expect(abs(white[1] - 191) <= 3)
    }

    @Test func whatShinesThroughIsBlack() async throws {
        try await withFolder { folder in
            let file = folder.appending(path: "half.png")
            try await ExternalProcess.run(
                "ffmpeg",
                [
                    "-v", "error", "-f", "lavfi", "-i",
                    "color=c=0xC01010@0.5:s=320x180,format=rgba",
                    "-frames:v", "1", file.path,
                ]
            )
            let bytes = ByteBuffer(bytes: try Data(contentsOf: file))
            let loop = try SlateEncoder.encode(.png(bytes), as: Self.format(.h264))
            let picture = try #require(try await Self.show(loop, in: folder).first)
            #expect(picture.isNear([0x60, 0x08, 0x08], x: 160, y: 90))
        }
    }

    /// Two seconds at 25 a second with B-frames: the first red, the second blue.
    private static func clip(in folder: URL) async throws -> (VideoFormat, [AccessUnit]) {
        let file = folder.appending(path: "clip.ts")
        try await ExternalProcess.run(
            "ffmpeg",
            [
                "-v", "error", "-f", "lavfi", "-i",
                "color=c=0xC01010:s=480x270:r=25:d=2,drawbox=enable='gte(t,1)':c=0x1010C0:t=fill",
                "-c:v", "libx264", "-bf", "2", "-pix_fmt", "yuv420p", file.path,
            ]
        )
        var session = IngestSession()
        var (format, units): (VideoFormat?, [AccessUnit]) = (nil, [])
        let take = { (event: MediaEvent) in
            switch event {
            case .tracks(let tracks): format = tracks.video?.video
            case .accessUnit(let unit): units.append(unit)
            case .discontinuity, .end: return
            }
        }
        try Data(contentsOf: file).withUnsafeBytes {
            session.receive($0, arrival: WallTime(microsecondsSinceEpoch: 0), emit: take)
        }
        session.finish(emit: take)
        return (try #require(format), units)
    }

    @Test func aClipIsShownAtItsOwnPaceAndRepeated() async throws {
        try await withFolder { folder in
            let (video, units) = try await Self.clip(in: folder)
            #expect(units.count == 50)
            let loop = try SlateEncoder.encode(.clip(video, units), as: Self.format(.h264))
            // Up to the last picture, which is shown once.
            #expect((59...60).contains(loop.pictures.count))
            #expect(
                loop.pictures.indices.filter { loop.pictures[$0].randomAccess == .closed } == [
                    0, 30,
                ]
            )
            let shown = try await Self.show(loop, in: folder)
            for start in [0, loop.pictures.count] {
                #expect(shown[start + 2].isNear(Self.red, x: 160, y: 90))
                #expect(shown[start + 28].isNear(Self.red, x: 160, y: 90))
                #expect(shown[start + 32].isNear(Self.blue, x: 160, y: 90))
                #expect(shown[start + 57].isNear(Self.blue, x: 160, y: 90))
            }
        }
    }

    @Test func aClipWithDamageIsShownWithoutIt() async throws {
        try await withFolder { folder in
            var (video, units) = try await Self.clip(in: folder)
            for index in 10..<20 {
                units[index].payload = ByteBuffer(bytes: [0, 0, 0, 2, 0x41, 0xFF])
            }
            let loop = try SlateEncoder.encode(.clip(video, units), as: Self.format(.h264))
            #expect((59...60).contains(loop.pictures.count))
            video.decoderConfiguration = ByteBuffer()
            let error = #expect(throws: SlateError.self) {
                try SlateEncoder.encode(.clip(video, []), as: Self.format(.h264))
            }
            #expect(error?.code == .picture)
        }
    }

    @Test func aClipWhoseTimesJumpIsNotLongerThanTheLimit() async throws {
        try await withFolder { folder in
            var (video, units) = try await Self.clip(in: folder)
            for index in 30..<50 { units[index].pts = MediaTime(mpegTicks: .max / 2) }
            let loop = try SlateEncoder.encode(.clip(video, units), as: Self.format(.h264))
            #expect(loop.pictures.count == 300)
            video.width = 1
        }
    }

    @Test func damageIsAnErrorInWords() async throws {
        try await withFolder { folder in
            let bytes = try await Self.still("still.png", in: folder, size: "64x64")
            var cut = bytes
            cut = cut.readSlice(length: 60) ?? ByteBuffer()
            #expect(throws: SlateError.self) {
                try SlateEncoder.encode(.png(cut), as: Self.format(.h264))
            }
            var error = #expect(throws: SlateError.self) {
                try SlateEncoder.encode(.jpeg(bytes), as: Self.format(.h264))
            }
            #expect(error?.code == .picture)
            // The header of a PNG of 60,000 × 60,000 whose lengths and checksums are right.
            let vast = try await Self.still("small.png", in: folder, size: "64x64")
            var header = vast
            header.setInteger(UInt32(60_000), at: 16)
            header.setInteger(UInt32(60_000), at: 20)
            error = #expect(throws: SlateError.self) {
                try SlateEncoder.encode(.png(header), as: Self.format(.h264))
            }
            #expect(error?.description.contains("36 megapixels") ?? false)
        }
    }

    @Test func whatNoEncoderMakesIsRefusedInWords() {
        let refused: [(SlateFormat, String)] = [
            (Self.format(.jpegXS), "JPEG XS"),
            (Self.format(.hevc, bitDepth: 12), "12 bits"),
            (Self.format(.h264, size: (321, 180)), "321x180"),
            (Self.format(.h264, size: (64_000, 64_000)), "64000x64000"),
        ]
        for (format, words) in refused {
            let error = #expect(throws: SlateError.self) {
                try SlateEncoder.encode(.png(ByteBuffer()), as: format)
            }
            #expect(error?.code == .format)
            #expect(error?.description.contains(words) ?? false)
        }
    }
}

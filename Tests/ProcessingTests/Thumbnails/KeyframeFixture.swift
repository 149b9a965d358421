import Foundation
import Ingestion
import Media
import NIOCore
import TestSupport
import Testing

/// Streams whose picture is two colours, encoded by ffmpeg, and what ffmpeg sees in files of pictures.
enum KeyframeFixture {
    static let red = [0xC0, 0x10, 0x10]
    static let blue = [0x10, 0x10, 0xC0]

    /// Left half red, right half blue.
    static func halves(_ size: String) -> String {
        "color=c=0xC01010:s=\(size):r=25:d=0.2,drawbox=x=iw/2:c=0x1010C0:t=fill"
    }

    /// A stream that has got the first pictures of what ffmpeg makes of `source`, as a transport stream.
    static func stream(
        _ source: String,
        _ options: [String],
        in folder: URL
    ) async throws -> LiveStream {
        let file = folder.appending(path: "\(UUID()).ts")
        try await ExternalProcess.run(
            "ffmpeg",
            ["-v", "error", "-f", "lavfi", "-i", source] + options + [file.path]
        )
        let live = try Self.stream()
        var session = IngestSession()
        try Data(contentsOf: file).withUnsafeBytes { bytes in
            session.receive(bytes, arrival: .fixture) { live.send($0) }
        }
        session.finish { live.send($0) }
        return live
    }

    /// The same of AV1, which ffmpeg 5.1 cannot write into a transport stream.
    static func av1(
        _ source: String,
        _ options: [String],
        in folder: URL
    ) async throws -> LiveStream {
        let file = folder.appending(path: "\(UUID()).ivf")
        try await ExternalProcess.run(
            "ffmpeg",
            ["-v", "error", "-f", "lavfi", "-i", source, "-c:v", "libaom-av1", "-cpu-used", "8"]
                + options + [file.path]
        )
        let live = try Self.stream()
        var parser = VideoBitstreamParser(codec: .av1)
        let frame = try #require(try IVFReader([UInt8](Data(contentsOf: file))).frames.first)
        let unit = try #require(parser.parse(frame.bytes.span).first)
        let format = try #require(parser.format)
        live.send(.tracks(TrackList([Track(id: Track.ID(1), format: .video(format))])))
        live.send(keyframe(unit.payload))
        return live
    }

    static func stream() throws -> LiveStream {
        LiveStream(name: try #require(StreamName("test")))
    }

    static func keyframe(_ payload: ByteBuffer, on track: Track.ID = Track.ID(1)) -> MediaEvent {
        .accessUnit(
            AccessUnit(
                track: track,
                pts: MediaTime(mpegTicks: 0),
                dts: MediaTime(mpegTicks: 0),
                payload: payload,
                randomAccess: .closed,
                arrival: .fixture
            )
        )
    }

    static func withFolder<Result>(
        _ body: (URL) async throws -> Result
    ) async throws -> Result {
        let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        return try await body(folder)
    }
}

extension WallTime {
    static let fixture = WallTime(microsecondsSinceEpoch: 1_772_366_400_250_000)
}

/// What ffmpeg decodes of a thumbnail.
struct SeenPicture: CustomStringConvertible {
    let width: Int
    let height: Int
    private let pixels: [UInt8]

    init(_ thumbnail: Thumbnail, in folder: URL) async throws {
        let file = folder.appending(path: "\(UUID()).\(thumbnail.format.rawValue)")
        try Data(thumbnail.bytes.readableBytesView).write(to: file)
        let size = try await ExternalProcess.run(
            "ffprobe",
            [
                "-v", "error", "-show_entries", "stream=width,height", "-of", "csv=p=0:s=x",
                file.path,
            ]
        )
        let words = String(decoding: size.output, as: UTF8.self)
            .split(whereSeparator: { !$0.isNumber }).compactMap { Int($0) }
        try #require(words.count == 2)
        (width, height) = (words[0], words[1])
        let shown = try await ExternalProcess.run(
            "ffmpeg",
            ["-v", "error", "-xerror", "-i", file.path, "-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
        )
        #expect(shown.errors.isEmpty)
        pixels = [UInt8](shown.output)
        try #require(pixels.count == width * height * 3)
    }

    var description: String { "\(width)x\(height), \(colour(x: 0.25)), \(colour(x: 0.75))" }

    /// Red, green and blue at a place, from 0 to 1 of the width and the height.
    func colour(x: Double, y: Double = 0.5) -> [Int] {
        let start = (Int(y * Double(height)) * width + Int(x * Double(width))) * 3
        return pixels[start..<start + 3].map { Int($0) }
    }

    func isNear(_ colour: [Int], x: Double, tolerance: Int = 8) -> Bool {
        zip(self.colour(x: x), colour).allSatisfy { abs($0 - $1) <= tolerance }
    }

    /// Both halves as `KeyframeFixture.halves` has them.
    var hasHalves: Bool {
        isNear(KeyframeFixture.red, x: 0.25) && isNear(KeyframeFixture.blue, x: 0.75)
    }
}

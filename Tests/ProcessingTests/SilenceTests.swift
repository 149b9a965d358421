import Foundation
import Media
import NIOCore
import Processing
import TestSupport
import Testing

/// ffmpeg says how loud silence is.
@Suite struct SilenceTests {
    @Test(arguments: [
        ("ac3", "stereo"), ("ac3", "5.1(side)"), ("eac3", "mono"), ("eac3", "5.1(side)"),
    ])
    func dolbyIsSilentInTheLayoutOfTheStream(codec: String, layout: String) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let loud = folder.appending(path: "loud.\(codec)").path
        try await ExternalProcess.run(
            "ffmpeg",
            [
                "-v", "error", "-f", "lavfi", "-i", "sine=r=48000", "-t", "0.5",
                "-af", "aformat=channel_layouts=\(layout)", "-c:a", codec, loud,
            ]
        )
        var parser = AudioBitstreamParser(framing: codec == "ac3" ? .ac3 : .eac3)
        let bytes = try [UInt8](Data(contentsOf: URL(filePath: loud)))
        let stream = try #require(
            parser.parse(bytes.span, pts: .zero(timescale: 90_000)).first?.newFormat
        )
        let silence = try #require(Silence.make(stream, like: ByteBuffer()))
        #expect(silence.format.codec == stream.codec)
        #expect(silence.format.channelLayout == stream.channelLayout)
        #expect(silence.format.sampleRate == 48_000)
        #expect(silence.format.samplesPerAccessUnit == 1_536)

        let quiet = folder.appending(path: "quiet.\(codec)")
        let frames = (0..<10).flatMap { _ in Array(silence.payload.readableBytesView) }
        try Data(frames).write(to: quiet)
        let heard = try await ExternalProcess.run(
            "ffmpeg",
            ["-v", "error", "-xerror", "-i", quiet.path, "-f", "f32le", "-"]
        )
        #expect(heard.errors.isEmpty)
        #expect(heard.output.count == 10 * 1_536 * stream.channels * 4)
        // Where no bits were spent, decoders of Dolby put noise that nobody hears: 80 dB down.
        let loudest = heard.output.withUnsafeBytes { bytes in
            bytes.bindMemory(to: Float.self).map(\.magnitude).max()
        }
        #expect(try #require(loudest) < 0.000_1)
    }

    @Test func mp3IsSilentOnlyWhereAFrameIsKnown() {
        let format = AudioFormat(
            codec: .mp3,
            codecString: "mp4a.40.34",
            sampleRate: 44_100,
            channels: 2,
            channelLayout: "stereo",
            samplesPerAccessUnit: 1_152,
            decoderConfiguration: ByteBuffer()
        )
        #expect(Silence.make(format, like: ByteBuffer()) == nil)
        let frame = ByteBuffer(
            bytes: [0xFF, 0xFB, 0x90, 0x00] + Array(repeating: 0x55, count: 413)
        )
        let silence = Silence.make(format, like: frame)
        #expect(silence?.payload.readableBytes == 417)
        #expect(silence?.format == format)
    }
}

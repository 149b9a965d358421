import Foundation
import Media
import NIOCore
import Packaging
import TestSupport
import Testing

/// FFmpeg reads what the packager writes: real pictures and real sound, packet by packet.
@Suite struct CMAFOracleTests {
    private struct Packet: Equatable {
        var presentation: Int64
        var decode: Int64
        var isKeyframe: Bool
    }

    /// Access units of a clip that ffmpeg encodes, with the times that its TS muxer gives them.
    private func pictures(
        _ folder: URL,
        encoder: [String],
        format: String,
        codec: VideoFormat.Codec
    ) async throws -> (path: String, track: Track, units: [AccessUnit], packets: [Packet]) {
        // TS keeps parameter sets in band, where a contribution has them; it does not carry AV1 here.
        let clip = folder.appending(path: codec == .av1 ? "clip.nut" : "clip.ts").path
        let raw = folder.appending(path: "clip.raw").path
        try await ExternalProcess.run(
            "ffmpeg",
            ["-v", "error", "-f", "lavfi", "-i", "testsrc2=s=320x180:r=30000/1001", "-t", "5"]
                + encoder + ["-pix_fmt", "yuv420p", clip]
        )
        let filter =
            codec == .av1
            ? []
            : ["-bsf:v", codec == .h264 ? "h264_metadata=aud=insert" : "hevc_metadata=aud=insert"]
        try await ExternalProcess.run(
            "ffmpeg",
            ["-v", "error", "-i", clip, "-c", "copy"] + filter + ["-f", format, raw]
        )
        let bytes = try [UInt8](Data(contentsOf: URL(filePath: raw)))
        let chunks = codec == .av1 ? ivfFrames(bytes) : accessUnits(bytes, codec)
        let packets = try await packets(of: clip, timescale: 90_000)
        #expect(chunks.count == packets.count)

        var parser = VideoBitstreamParser(codec: codec)
        var units: [AccessUnit] = []
        for (chunk, packet) in zip(chunks, packets) {
            for unit in parser.parse(chunk.span) {
                units.append(
                    AccessUnit(
                        track: Track.ID(1),
                        pts: MediaTime(mpegTicks: packet.presentation + 900_000),
                        dts: MediaTime(mpegTicks: packet.decode + 900_000),
                        payload: unit.payload,
                        randomAccess: unit.randomAccess,
                        isDisposable: unit.isDisposable,
                        arrival: SyntheticSource.wallStart
                    )
                )
            }
        }
        let parsed = try #require(parser.format)
        let track = Track(id: Track.ID(1), format: .video(parsed))
        return (clip, track, units, packets)
    }

    private func accessUnits(_ bytes: [UInt8], _ codec: VideoFormat.Codec) -> [ArraySlice<UInt8>] {
        // The delimiter's NAL unit header: type 9 in H.264, type 35 in HEVC.
        let delimiter: [UInt8] = [0, 0, 0, 1, codec == .h264 ? 0x09 : 0x46]
        let starts = bytes.indices.filter {
            bytes[$0] == 0 && $0 + 5 <= bytes.count && bytes[$0..<$0 + 5].elementsEqual(delimiter)
        }
        return zip(starts, starts.dropFirst() + [bytes.count]).map { bytes[$0..<$1] }
    }

    private func ivfFrames(_ bytes: [UInt8]) -> [ArraySlice<UInt8>] {
        var frames: [ArraySlice<UInt8>] = []
        var offset = 32
        while offset + 12 <= bytes.count {
            let size = bytes[offset..<offset + 4].reversed().reduce(0) { $0 << 8 | Int($1) }
            frames.append(bytes[offset + 12..<min(offset + 12 + size, bytes.count)])
            offset += 12 + size
        }
        return frames
    }

    private func packets(of path: String, timescale: Double) async throws -> [Packet] {
        let text = try await ExternalProcess.run(
            "ffprobe",
            [
                "-v", "error", "-show_entries", "packet=pts_time,dts_time,flags",
                "-of", "csv=p=0", path,
            ]
        ).text
        return text.split(separator: "\n").compactMap { line in
            let fields = line.split(separator: ",")
            guard fields.count >= 3, let presentation = Double(fields[0]),
                let decode = Double(fields[1])
            else { return nil }
            return Packet(
                presentation: Int64((presentation * timescale).rounded()),
                decode: Int64((decode * timescale).rounded()),
                isKeyframe: fields[2].hasPrefix("K")
            )
        }
    }

    /// One file of the initialization and all parts of a rendition.
    private func write(_ outputs: [PackagerOutput], of id: String, to file: URL) throws {
        var bytes = Data()
        for output in outputs {
            switch output {
            case .renditions(let list):
                for rendition in list where rendition.id.description == id {
                    bytes.append(contentsOf: rendition.initialization.readableBytesView)
                }
            case .part(let rendition, let part) where rendition.description == id:
                for slice in part.slices { bytes.append(contentsOf: slice.readableBytesView) }
            default: break
            }
        }
        try bytes.write(to: file)
    }

    @Test(arguments: [
        (
            VideoFormat.Codec.h264, "h264",
            ["-c:v", "libx264", "-preset", "ultrafast", "-bf", "2", "-g", "60"]
        ),
        (
            .hevc, "hevc",
            [
                "-c:v", "libx265", "-preset", "ultrafast", "-x265-params",
                "log-level=none:keyint=60:bframes=2:open-gop=0",
            ]
        ),
        (.av1, "ivf", ["-c:v", "libsvtav1", "-preset", "12", "-g", "60"]),
    ])
    func ffmpegReadsTheSamePicturesAtTheSameTimes(
        codec: VideoFormat.Codec,
        format: String,
        encoder: [String]
    ) async throws {
        try await withFolder { folder in
            let clip = try await pictures(folder, encoder: encoder, format: format, codec: codec)
            let (outputs, _) = StreamPackager.outputs(
                of: [.tracks(TrackList([clip.track]))] + clip.units.map { .accessUnit($0) }
            )
            #expect(OutputAudit(outputs, configuration: .init()).violations == [])
            let file = folder.appending(path: "out.mp4")
            try write(outputs, of: "video", to: file)

            let read = try await packets(of: file.path, timescale: 90_000)
            let expected = clip.units.map {
                Packet(
                    presentation: $0.pts.ticks,
                    decode: $0.dts.ticks,
                    isKeyframe: $0.isKeyframe
                )
            }
            #expect(read == expected)
            #expect(read.map(\.isKeyframe) == clip.packets.map(\.isKeyframe))
            let decoded = try await ExternalProcess.run(
                "ffmpeg",
                ["-v", "error", "-i", file.path, "-fps_mode", "passthrough", "-f", "framemd5", "-"]
            )
            #expect(decoded.errors == "")
            let source = try await ExternalProcess.run(
                "ffmpeg",
                [
                    "-v", "error", "-i", clip.path, "-fps_mode", "passthrough", "-f", "framemd5",
                    "-",
                ]
            )
            #expect(sums(decoded.text) == sums(source.text))
            #expect(sums(decoded.text).count == 150)
            let keyframes = zip(sums(decoded.text), read).filter(\.1.isKeyframe).map(\.0)
            #expect(try await iFrames(of: outputs, folder) == keyframes)
        }
    }

    /// What ffmpeg shows of the I-frame of each segment, cut off behind it: the boxes before it say that
    /// there is more.
    private func iFrames(of outputs: [PackagerOutput], _ folder: URL) async throws -> [Substring] {
        var shown: [Substring] = []
        var initialization = Data()
        var isFirst = false
        for output in outputs {
            switch output {
            case .renditions(let list):
                initialization = Data(
                    list.first?.initialization.readableBytesView ?? .init(.init())
                )
            case .openSegment: isFirst = true
            case .part(_, let part) where isFirst:
                isFirst = false
                #expect(part.firstFrameEnd < part.byteCount)
                let bytes = part.slices.reduce(into: Data()) { $0 += Data($1.readableBytesView) }
                let file = folder.appending(path: "iframe.mp4")
                try (initialization + bytes.prefix(part.firstFrameEnd)).write(to: file)
                let picture = try await ExternalProcess.run(
                    "ffmpeg",
                    ["-v", "quiet", "-i", file.path, "-f", "framemd5", "-"]
                )
                shown += sums(picture.text)
            default: break
            }
        }
        return shown
    }

    @Test(arguments: [["0", "2"], ["2", "0"], ["2", "2"]])
    func aReturningPublishersPictureAndSoundHaveTheirOwnTimes(bFrames: [String]) async throws {
        try await withFolder { folder in
            var packager = StreamPackager(configuration: .init())
            var outputs: [PackagerOutput] = []
            var delays: [Int64] = []
            for (index, bFrames) in bFrames.enumerated() {
                let encoder = [
                    "-c:v", "libx264", "-preset", "ultrafast", "-bf", bFrames, "-g", "60",
                ]
                let folder = folder.appending(path: "\(index)")
                try FileManager.default.createDirectory(
                    at: folder,
                    withIntermediateDirectories: true
                )
                let clip = try await pictures(
                    folder,
                    encoder: encoder,
                    format: "h264",
                    codec: .h264
                )
                let start = try #require(clip.units.first)
                delays.append((start.pts - start.dts).ticks)
                let sound = try await sound(folder, from: start.pts)
                let units = (clip.units + sound.units).sorted { $0.dts < $1.dts }
                let known = outputs.filter { if case .renditions = $0 { true } else { false } }
                outputs = packager.consume(.tracks(TrackList([clip.track, sound.track])))
                outputs += units.flatMap { packager.consume(.accessUnit($0)) }
                if !outputs.contains(where: { if case .renditions = $0 { true } else { false } }) {
                    outputs = known + outputs
                }
                outputs += packager.consume(.end(.disconnected))
                outputs += packager.consume(.discontinuity(.publisherChange))

                let picture = folder.appending(path: "picture.mp4")
                try write(outputs, of: "video", to: picture)
                let read = try await packets(of: picture.path, timescale: 90_000)
                let headStart = max(0, delays[0] - delays[index])
                let expected = clip.units.map {
                    Packet(
                        presentation: $0.pts.ticks,
                        decode: $0.dts.ticks - headStart,
                        isKeyframe: $0.isKeyframe
                    )
                }
                #expect(read == expected)

                let file = folder.appending(path: "sound.mp4")
                try write(outputs, of: "audio1", to: file)
                let heard = try await packets(of: file.path, timescale: 48_000).map(\.presentation)
                #expect(Set(heard).isSuperset(of: sound.units.map(\.pts).map { $0.ticks * 8 / 15 }))
            }
            #expect(Set(bFrames).count == Set(delays).count)
        }
    }

    /// Four seconds of AAC whose first frame is heard at `start`, on whole samples.
    private func sound(
        _ folder: URL,
        from start: MediaTime
    ) async throws -> (track: Track, units: [AccessUnit]) {
        let raw = folder.appending(path: "sound.raw")
        try await ExternalProcess.run(
            "ffmpeg",
            [
                "-v", "error", "-f", "lavfi", "-i", "sine=f=440:r=48000:d=4", "-ac", "2",
                "-c:a", "aac", "-f", "adts", raw.path,
            ]
        )
        var parser = AudioBitstreamParser(framing: .adts)
        let bytes = try [UInt8](Data(contentsOf: raw))
        let units = parser.parse(bytes.span, pts: MediaTime(mpegTicks: start.ticks / 15 * 15)).map {
            AccessUnit(
                track: Track.ID(2),
                pts: $0.pts,
                dts: $0.pts,
                payload: $0.payload,
                randomAccess: .closed,
                arrival: SyntheticSource.wallStart
            )
        }
        return (Track(id: Track.ID(2), format: .audio(try #require(parser.format))), units)
    }

    /// The picture sums of ffmpeg's framemd5, without their times.
    private func sums(_ text: String) -> [Substring] {
        text.split(separator: "\n").filter { !$0.hasPrefix("#") }
            .compactMap { $0.split(separator: " ").last }
    }

    @Test(arguments: [
        (
            AudioBitstreamParser.Framing.adts, ["-c:a", "aac", "-f", "adts"]
        ),
        (.ac3, ["-c:a", "ac3", "-f", "ac3"]),
        (.eac3, ["-c:a", "eac3", "-f", "eac3"]),
        (
            .mpegAudio,
            ["-c:a", "libmp3lame", "-f", "mp3", "-write_xing", "0", "-id3v2_version", "0"]
        ),
    ])
    func ffmpegDecodesTheSoundAndTheSilenceInIt(
        framing: AudioBitstreamParser.Framing,
        encoder: [String]
    ) async throws {
        try await withFolder { folder in
            let raw = folder.appending(path: "sound.raw")
            try await ExternalProcess.run(
                "ffmpeg",
                ["-v", "error", "-f", "lavfi", "-i", "sine=f=440:r=48000:d=5", "-ac", "2"]
                    + encoder + [raw.path]
            )
            let bytes = try [UInt8](Data(contentsOf: raw))
            var parser = AudioBitstreamParser(framing: framing)
            let frames = parser.parse(bytes.span, pts: MediaTime(mpegTicks: 900_000))
            let format = try #require(parser.format)
            let track = Track(id: Track.ID(1), format: .audio(format))
            // Frames 30 to 33 are lost on the way.
            let events = frames.enumerated().filter { !(30..<34).contains($0.offset) }.map {
                MediaEvent.accessUnit(
                    AccessUnit(
                        track: track.id,
                        pts: $1.pts,
                        dts: $1.pts,
                        payload: $1.payload,
                        randomAccess: .closed,
                        arrival: SyntheticSource.wallStart
                    )
                )
            }
            let (outputs, statistics) = StreamPackager.outputs(
                of: [.tracks(TrackList([track]))] + events
            )
            #expect(OutputAudit(outputs, configuration: .init()).violations == [])
            #expect(statistics.silentFrames == 4)
            let file = folder.appending(path: "out.mp4")
            try write(outputs, of: "audio1", to: file)

            let read = try await packets(of: file.path, timescale: Double(format.sampleRate))
            let first = format.sampleRate * 10
            let expected = frames.indices.map { Int64(first + $0 * format.samplesPerAccessUnit) }
            #expect(read.map(\.presentation) == expected)
            let decoded = try await ExternalProcess.run(
                "ffmpeg",
                ["-v", "error", "-i", file.path, "-f", "s16le", "-"]
            )
            #expect(decoded.errors == "")
            let samples = decoded.output.count / 4
            #expect(
                abs(samples - frames.count * format.samplesPerAccessUnit) <= 2
                    * format.samplesPerAccessUnit
            )
        }
    }
}

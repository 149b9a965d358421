import Foundation
import Media
import NIOCore
import Processing
import TestSupport
import Testing

/// Captions and time codes of the source are those of every size, whatever the codecs: ffmpeg reads them.
@Suite struct LadderNotesTests {
    /// H.264 with B-frames and room for time codes; and the other codecs.
    private static let clips: [LadderClip] = [.bFrames, .hevc, .av1]

    private static func configuration() -> TranscodingConfiguration {
        var configuration = TranscodingConfiguration.rungs([(320, 180), (256, 144), (160, 90)])
        configuration.outputFormats[1].codec = .hevc
        configuration.outputFormats[2].codec = .av1
        return configuration
    }

    private static func make(_ clip: LadderClip, in folder: URL) async throws -> URL {
        let room = clip == .bFrames ? ["-x264-params", "pic-struct=1"] : []
        return try await clip.make(in: folder, seconds: 4, options: room)
    }

    @Test(arguments: clips)
    func captionsComeOutOneForOne(_ clip: LadderClip) async throws {
        try await withFolder { folder in
            let file = try await Self.make(clip, in: folder)
            let sent = CaptionScript.pictures(120)
            let run = try await LadderRun(file, Self.configuration()) {
                $0.annotated { PictureNotes(captions: sent[$0]) }
            }
            #expect(run.sources.count == 120)
            for rung in run.plan.rungs {
                let found = run.pictures(of: rung.name).map { CaptionScript.find(in: $0.payload) }
                #expect(found == sent.map { [$0.bytes] }, "\(rung.codec)")
                try await LadderTranscoderTests.expectPlayable(run, rung.name, 120, in: folder)
                try await Self.expectText(of: folder.appending(path: "\(rung.name).mp4"))
            }
        }
    }

    /// ffmpeg's decoder of captions reads what was said.
    private static func expectText(of file: URL) async throws {
        let shown = try await ExternalProcess.run(
            "ffmpeg",
            [
                "-v", "error", "-f", "lavfi", "-i", "movie=\(file.path)[out0+subcc]", "-map", "0:1",
                "-f", "srt", "-",
            ]
        )
        #expect(shown.text.contains(CaptionScript.text), "\(shown.text)")
    }

    /// What a picture that is left out had goes with the next, without the filling.
    @Test func captionsOfPicturesThatAreLeftOutAreNotLost() async throws {
        try await withFolder { folder in
            let file = try await LadderClip.bFrames.make(in: folder, seconds: 4)
            let sent = CaptionScript.pictures(120, filling: 17)
            var configuration = TranscodingConfiguration.rungs([(320, 180), (160, 90)])
            configuration.outputFormats[1].frameRate = 15
            let run = try await LadderRun(file, configuration) {
                $0.annotated { PictureNotes(captions: sent[$0]) }
            }
            let whole = run.pictures(of: "video-180p").flatMap {
                CaptionScript.find(in: $0.payload)
            }
            #expect(whole == sent.map(\.bytes))
            let halved = run.pictures(of: "video-90p").map { CaptionScript.find(in: $0.payload) }
            #expect(halved.count == 60 && halved.allSatisfy { $0.count == 1 })
            #expect(halved.allSatisfy { $0[0].count <= 3 * ClosedCaptions.pictureLimit })
            // A picture after the last one that is encoded has none to go with.
            let said = sent.dropLast().flatMap { CaptionScript.withoutFilling($0.bytes) }
            #expect(halved.flatMap { CaptionScript.withoutFilling($0[0]) } == said)
        }
    }

    /// Turned, and mirrored and turned: ffmpeg shows every size like the source, which says it once.
    @Test(arguments: ["rotate=90", "flip=horizontal:rotate=30", "flip=vertical"])
    func everySizeIsTurnedLikeTheSource(_ turn: String) async throws {
        try await withFolder { folder in
            let file = try await LadderClip.noLaterKeyframe.make(
                in: folder,
                options: ["-bsf:v", "h264_metadata=display_orientation=insert:\(turn)"]
            )
            let due = try await Self.matrices(of: file)
            #expect(due.count == 1)
            var configuration = TranscodingConfiguration.rungs([(320, 180), (256, 144)])
            configuration.outputFormats[1].codec = .hevc
            let run = try await LadderRun(file, configuration)
            for rung in run.plan.rungs {
                let pictures = run.pictures(of: rung.name)
                try await LadderTranscoderTests.expectPlayable(
                    run,
                    rung.name,
                    pictures.count,
                    in: folder
                )
                let found = try await Self.matrices(of: folder.appending(path: "\(rung.name).mp4"))
                #expect(Set(found) == Set(due), "\(rung.codec)")
                let keyframes = pictures.filter(\.isKeyframe).count
                #expect(keyframes > 1 && found.count >= keyframes, "\(rung.codec)")
            }
        }
    }

    /// Of each picture that has one, as ffprobe prints it.
    private static func matrices(of file: URL) async throws -> [String] {
        let shown = try await ExternalProcess.run(
            "ffprobe",
            ["-v", "error", "-show_frames", "-select_streams", "v", file.path]
        )
        return shown.text.components(separatedBy: "displaymatrix=\n").dropFirst().map { text in
            text.split(separator: "\n").prefix(3).joined(separator: "\n")
        }
    }

    @Test(arguments: clips)
    func timeCodesStayWithTheirPictures(_ clip: LadderClip) async throws {
        try await withFolder { folder in
            let file = try await Self.make(clip, in: folder)
            let sent = (0..<120).map { index in
                Timecode(
                    hours: 10,
                    minutes: 59,
                    seconds: 57 + index / 30,
                    frames: index % 30,
                    isDropFrame: clip == .bFrames
                )
            }.map { code in
                var code = code
                if code.seconds > 59 { (code.hours, code.minutes, code.seconds) = (11, 0, 0) }
                return code
            }
            let run = try await LadderRun(file, Self.configuration()) {
                $0.annotated {
                    PictureNotes(captions: CaptionScript.pictures(1)[0], timecode: sent[$0])
                }
            }
            for rung in run.plan.rungs {
                try await LadderTranscoderTests.expectPlayable(run, rung.name, 120, in: folder)
                let file = folder.appending(path: "\(rung.name).mp4")
                let read = try await Self.timecodes(of: file, traced: rung.codec == .av1)
                #expect(read == sent.map(\.text), "\(rung.codec)")
            }
        }
    }

    /// As ffprobe prints them; those of AV1, which it does not, as ffmpeg's parser reads them.
    private static func timecodes(of file: URL, traced: Bool) async throws -> [String] {
        guard traced else {
            let shown = try await ExternalProcess.run(
                "ffprobe",
                ["-v", "error", "-show_frames", "-select_streams", "v", file.path]
            )
            return shown.text.split(separator: "\n").compactMap { line in
                line.hasPrefix("value=") ? String(line.dropFirst(6)) : nil
            }
        }
        let shown = try await ExternalProcess.run(
            "ffmpeg",
            [
                "-v", "info", "-i", file.path, "-c", "copy", "-bsf:v", "trace_headers", "-f",
                "null", "-",
            ]
        )
        var fields: [[Substring: Int]] = []
        for line in shown.errors.split(separator: "\n") {
            let words = line.split(separator: " ")
            guard words.count > 4, let value = words.last.flatMap({ Int($0) }) else { continue }
            let name = words[words.count - 4]
            if name == "counting_type[4..0]" || name == "counting_type" { fields.append([:]) }
            guard !fields.isEmpty else { continue }
            fields[fields.count - 1][name] = value
        }
        return fields.map { fields in
            Timecode(
                hours: fields["hours_value"] ?? -1,
                minutes: fields["minutes_value"] ?? -1,
                seconds: fields["seconds_value"] ?? -1,
                frames: fields["n_frames"] ?? -1,
                isDropFrame: fields["cnt_dropped_flag"] == 1
            ).text
        }
    }
}

extension Timecode {
    /// As ffprobe prints it.
    fileprivate var text: String {
        func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return
            "\(two(hours)):\(two(minutes)):\(two(seconds))\(isDropFrame ? ";" : ":")\(two(frames))"
    }
}

extension [MediaEvent] {
    /// Writes notes into the pictures, which are counted in the order in which they are shown.
    fileprivate func annotated(_ notes: (Int) -> PictureNotes) -> [MediaEvent] {
        var codec = VideoFormat.Codec.h264
        for case .tracks(let list) in self { codec = list.video?.video?.codec ?? codec }
        let times = compactMap { event -> MediaTime? in
            if case .accessUnit(let unit) = event { unit.pts } else { nil }
        }.sorted()
        return map { event in
            guard case .accessUnit(var unit) = event, let index = times.firstIndex(of: unit.pts)
            else { return event }
            unit.payload = notes(index).written(into: unit.payload, of: codec)
            return .accessUnit(unit)
        }
    }
}

/// Captions that say something, a pair of CEA-608 with each picture.
private enum CaptionScript {
    static let text = "WHAT IS SAID STAYS"

    /// Each also has a construct of its own in CEA-708, and some that fill up.
    static func pictures(_ count: Int, filling: Int = 1) -> [ClosedCaptions] {
        // Roll-up of two rows, carriage return, the text, carriage return; each control code twice.
        var pairs: [(UInt8, UInt8)] = [(0x14, 0x25), (0x14, 0x25), (0x14, 0x2D), (0x14, 0x2D)]
        let characters = Array(text.utf8)
        for start in stride(from: 0, to: characters.count, by: 2) {
            pairs.append((characters[start], characters[start + 1]))
        }
        pairs += [(0x14, 0x2D), (0x14, 0x2D)]
        return (0..<count).map { index in
            let pair = index < pairs.count ? pairs[index] : (0, 0)
            var bytes: [UInt8] = [0xFC, withParity(pair.0), withParity(pair.1)]
            bytes += [0xFF, UInt8(index >> 4), UInt8(index & 0xF)]
            // Zeros, in which the bitstreams of NAL units put bytes of their own.
            for _ in 0..<filling { bytes += [0xFA, 0, 0] }
            return ClosedCaptions(bytes)
        }
    }

    private static func withParity(_ byte: UInt8) -> UInt8 {
        byte.nonzeroBitCount % 2 == 0 ? byte | 0x80 : byte
    }

    static func withoutFilling(_ bytes: [UInt8]) -> [UInt8] {
        stride(from: 0, to: bytes.count, by: 3).flatMap { start in
            bytes[start] & 0x04 == 0 ? [] : bytes[start..<start + 3]
        }
    }

    /// Every message with captions in a coded picture, wherever it stands.
    static func find(in payload: ByteBuffer) -> [[UInt8]] {
        var plain: [UInt8] = []
        for byte in payload.readableBytesView where byte != 3 || plain.suffix(2) != [0, 0] {
            plain.append(byte)
        }
        let mark: [UInt8] = [0xB5, 0x00, 0x31, 0x47, 0x41, 0x39, 0x34, 0x03]
        return plain.indices.compactMap { start in
            guard plain[start...].starts(with: mark), start + 10 < plain.count else { return nil }
            let count = 3 * Int(plain[start + 8] & 0x1F)
            return Array(plain[(start + 10)...].prefix(count))
        }
    }
}

import Foundation
import Ingestion
import Media
import NIOCore
import TestSupport
import Testing

/// Pictures of real encoders, of which a slow consumer gets some: FFmpeg decodes those without an
/// error, and each exactly as it is with nothing lost.
@Suite struct DecodedLossTests {
    struct Encoder: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let codec: VideoFormat.Codec
        let arguments: [String]

        static func x264(_ parameters: String) -> Encoder {
            Encoder(
                testDescription: "x264 \(parameters)",
                codec: .h264,
                arguments: ["-c:v", "libx264", "-x264-params", "keyint=30:" + parameters]
            )
        }

        static func x265(_ parameters: String) -> Encoder {
            Encoder(
                testDescription: "x265 \(parameters)",
                codec: .hevc,
                arguments: [
                    "-c:v", "libx265", "-preset", "fast", "-x265-params",
                    "log-level=error:keyint=30:" + parameters,
                ]
            )
        }

        static let all = [
            x264("bframes=3:b-pyramid=none"),
            x264("bframes=3:b-pyramid=strict"),
            x264("bframes=5:b-pyramid=normal:b-adapt=0"),
            x264("bframes=3:b-pyramid=none:open-gop=1"),
            x265("bframes=4:b-adapt=0:open-gop=0"),
            x265("bframes=4:b-adapt=0:open-gop=1"),
            x265("bframes=4:b-adapt=0:temporal-layers=1"),
            Encoder(
                testDescription: "SVT-AV1",
                codec: .av1,
                arguments: ["-c:v", "libsvtav1", "-preset", "10", "-g", "30"]
            ),
        ]
    }

    @Test(arguments: Encoder.all)
    func whatASlowConsumerGetsIsDecodedAsIfNothingWereLost(encoder: Encoder) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }

        let events = try await Self.events(of: encoder, in: folder)
        let units = events.compactMap(\.picture)
        let all = try await Self.decode(units, of: events, encoder.codec, in: folder)
        #expect(units.count == 150)
        #expect(all.errors.isEmpty, "\(all.errors)")
        #expect(all.pictures.count == units.count)
        let shown = units.map(\.pts).sorted()
        var dependent: UInt64 = 0
        for seed in UInt64(1)...3 {
            let (taken, losses) = await Self.slowly(events, seed: seed)
            #expect(losses.disposable > 0)
            dependent += losses.dependent
            #expect(taken.count > 50)
            let times = Set(taken.map(\.pts.ticks))
            let expected = zip(shown, all.pictures).filter { times.contains($0.0.ticks) }.map(\.1)
            let decoded = try await Self.decode(taken, of: events, encoder.codec, in: folder)
            #expect(decoded.errors.isEmpty, "seed \(seed): \(decoded.errors)")
            #expect(decoded.pictures == expected, "seed \(seed)")
        }
        #expect(dependent > 0)
    }

    /// H.264 counts pictures that are kept for reference, leading ones too: behind an entry that is no
    /// IDR a decoder finds some missing, and passes over some, but shows none that is wrong.
    @Test func behindAnOpenEntryOfH264NothingWrongIsShown() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let encoder = Encoder.x264("bframes=3:b-pyramid=normal:b-adapt=0:open-gop=1")
        let events = try await Self.events(of: encoder, in: folder)
        let units = events.compactMap(\.picture)
        #expect(units.count { $0.randomAccess == .open } > 3)
        let all = try await Self.decode(units, of: events, encoder.codec, in: folder)
        #expect(all.pictures.count == units.count)
        for seed in UInt64(1)...3 {
            let (taken, losses) = await Self.slowly(events, seed: seed)
            #expect(losses.dependent > 0)
            let decoded = try await Self.decode(
                taken,
                of: events,
                encoder.codec,
                in: folder,
                stopsAtErrors: false
            )
            #expect(decoded.pictures.count > taken.count / 4)
            #expect(Set(decoded.pictures).isSubset(of: all.pictures))
        }
    }

    /// So the test above would tell.
    @Test func aPictureThatOthersReferToIsMissed() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let encoder = Encoder.x265("bframes=4:b-adapt=0:open-gop=0")
        let events = try await Self.events(of: encoder, in: folder)
        var units = events.compactMap(\.picture)
        let lost = units.firstIndex { !$0.isKeyframe && !$0.isDisposable }
        units.remove(at: try #require(lost))
        let decoded = try await Self.decode(units, of: events, encoder.codec, in: folder)
        #expect(!decoded.errors.isEmpty)
    }

    // MARK: Encoding

    private static func events(of encoder: Encoder, in folder: URL) async throws -> [MediaEvent] {
        // FFmpeg does not write AV1 into transport streams.
        let file = folder.appending(path: encoder.codec == .av1 ? "clip.ivf" : "clip.ts")
        try await ExternalProcess.run(
            "ffmpeg",
            [
                "-v", "error", "-f", "lavfi", "-i", "testsrc2=s=320x180:r=30", "-t", "5",
                "-threads", "2",
            ] + encoder.arguments + ["-pix_fmt", "yuv420p", file.path]
        )
        let bytes = try [UInt8](Data(contentsOf: file))
        guard encoder.codec == .av1 else {
            var recorder = EventRecorder()
            recorder.feed(bytes)
            recorder.finish()
            return recorder.events
        }
        return try events(ofIVF: bytes)
    }

    private static func events(ofIVF bytes: [UInt8]) throws -> [MediaEvent] {
        let file = try IVFReader(bytes)
        var parser = VideoBitstreamParser(codec: .av1)
        var events: [MediaEvent] = []
        for frame in file.frames {
            for unit in parser.parse(frame.bytes.span) {
                if let format = unit.newFormat {
                    let track = Track(id: Track.ID(1), format: .video(format))
                    events.append(.tracks(TrackList([track])))
                }
                let time = MediaTime(mpegTicks: file.mpegTicks(of: frame))
                events.append(
                    .accessUnit(
                        AccessUnit(
                            track: Track.ID(1),
                            pts: time,
                            dts: time,
                            payload: unit.payload,
                            randomAccess: unit.randomAccess,
                            isDisposable: unit.isDisposable,
                            temporalLayer: unit.temporalLayer,
                            arrival: WallTime(microsecondsSinceEpoch: 0)
                        )
                    )
                )
            }
        }
        return events
    }

    // MARK: Losing

    /// What a consumer gets that stalls, catches up, and is too slow for a while.
    private static func slowly(
        _ events: [MediaEvent],
        seed: UInt64
    ) async -> (taken: [AccessUnit], losses: QueueLosses) {
        var random = SeededRandom(seed: seed)
        guard let name = StreamName("test") else { return ([], QueueLosses()) }
        let stream = LiveStream(name: name)
        let queue = stream.subscribe(as: "test", limit: .init(accessUnits: 24, bytes: 1 << 24))
        var iterator = queue.makeAsyncIterator()
        var taken: [AccessUnit] = []
        var speed = 1.0
        for (number, event) in events.enumerated() {
            stream.send(event)
            if number % 20 == 0 { speed = [0.5, 1, 2, 4].randomElement(using: &random) ?? 1 }
            while queue.pressure.fill > 0, Double.random(in: 0..<4, using: &random) < speed {
                if let unit = await iterator.next()?.picture { taken.append(unit) }
            }
        }
        stream.close()
        while let event = await iterator.next() {
            if let unit = event.picture { taken.append(unit) }
        }
        return (taken, queue.pressure.losses)
    }

    // MARK: Decoding

    private struct Decoded {
        /// A hash of each, in the order in which they are shown.
        let pictures: [String]
        let errors: String
    }

    private static func decode(
        _ units: [AccessUnit],
        of events: [MediaEvent],
        _ codec: VideoFormat.Codec,
        in folder: URL,
        stopsAtErrors: Bool = true
    ) async throws -> Decoded {
        let format = events.lazy.compactMap(\.videoFormat).first
        let configuration = try #require(format).decoderConfiguration
        let file = folder.appending(path: "units")
        let bytes =
            codec == .av1 ? ivf(units) : annexB(units, parameterSets(in: configuration, codec))
        try Data(bytes).write(to: file)
        let input = codec == .av1 ? "ivf" : codec == .h264 ? "h264" : "hevc"
        let ffmpeg = try ExternalProcess(
            "ffmpeg",
            [
                "-v", "error",
            ] + (stopsAtErrors ? ["-xerror", "-err_detect", "explode"] : []) + [
                "-threads", "1", "-f", input, "-i", file.path, "-vf", "setpts=N/30/TB", "-fps_mode",
                "passthrough", "-f",
                "framemd5", "-",
            ]
        )
        let result = await ffmpeg.wait(atMost: .seconds(60))
        let pictures = result.text.split(separator: "\n").filter { !$0.hasPrefix("#") }
            .compactMap { $0.split(separator: ",").last.map(String.init) }
        return Decoded(pictures: pictures, errors: result.errors)
    }

    private static func annexB(_ units: [AccessUnit], _ parameterSets: [[UInt8]]) -> [UInt8] {
        var bytes: [UInt8] = []
        for unit in units {
            if unit.isKeyframe { for set in parameterSets { bytes += [0, 0, 0, 1] + set } }
            var payload = unit.payload
            while let size: UInt32 = payload.readInteger(),
                let nal = payload.readBytes(length: Int(size))
            {
                bytes += [0, 0, 0, 1] + nal
            }
        }
        return bytes
    }

    private static func ivf(_ units: [AccessUnit]) -> [UInt8] {
        func field(_ value: UInt64, _ count: Int) -> [UInt8] {
            (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * UInt64($0))) }
        }
        var bytes = Array("DKIF".utf8) + field(0, 2) + field(32, 2) + Array("AV01".utf8)
        bytes += field(320, 2) + field(180, 2) + field(90_000, 4) + field(1, 4)
        bytes += field(UInt64(units.count), 4) + field(0, 4)
        for unit in units {
            let payload: [UInt8] = [0x12, 0] + unit.payload.readableBytesView
            bytes += field(UInt64(payload.count), 4)
            bytes += field(UInt64(bitPattern: unit.pts.ticks), 8)
            bytes += payload
        }
        return bytes
    }

    /// Source: ISO/IEC 14496-15, 5.3.3.1 and 8.3.3.1.
    private static func parameterSets(
        in configuration: ByteBuffer,
        _ codec: VideoFormat.Codec
    ) -> [[UInt8]] {
        var buffer = configuration
        var sets: [[UInt8]] = []
        func read(_ count: Int) {
            for _ in 0..<count {
                let size = buffer.readInteger(as: UInt16.self) ?? 0
                sets.append(buffer.readBytes(length: Int(size)) ?? [])
            }
        }
        if codec == .h264 {
            buffer.moveReaderIndex(forwardBy: 5)
            read(Int(buffer.readInteger(as: UInt8.self) ?? 0) & 0x1F)
            read(Int(buffer.readInteger(as: UInt8.self) ?? 0))
        } else {
            buffer.moveReaderIndex(forwardBy: 22)
            for _ in 0..<(buffer.readInteger(as: UInt8.self) ?? 0) {
                buffer.moveReaderIndex(forwardBy: 1)
                read(Int(buffer.readInteger(as: UInt16.self) ?? 0))
            }
        }
        return sets
    }
}

extension MediaEvent {
    fileprivate var picture: AccessUnit? {
        if case .accessUnit(let unit) = self { unit } else { nil }
    }

    fileprivate var videoFormat: VideoFormat? {
        if case .tracks(let tracks) = self { tracks.video?.video } else { nil }
    }
}

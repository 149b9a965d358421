import Foundation
import Media
import NIOCore
import Packaging
import Processing
import Synchronization
import TestSupport

/// A contribution of sound through the packager, the transcoder and the packager again, and what ffmpeg
/// hears of each rendition.
struct SoundRun {
    /// What a rendition sounds like.
    struct Heard {
        var sampleRate: Int
        /// Of the first sample, on the stream's timeline.
        var start: Double
        var channels: [[Float]]

        var duration: Double { Double(channels[0].count) / Double(sampleRate) }

        /// Where a channel is first louder than `level`, behind `time`.
        func onset(of level: Float, after time: Double, in channel: Int = 0) -> Double? {
            let first = max(0, Int((time - start) * Double(sampleRate)))
            return channels[channel].indices.dropFirst(first)
                .first { abs(channels[channel][$0]) > level }
                .map { start + Double($0) / Double(sampleRate) }
        }

        /// The amplitude of a tone in the middle second.
        func level(of frequency: Double, in channel: Int) -> Double {
            let middle = channels[channel].count / 2
            let samples = channels[channel][(middle - sampleRate / 2)..<(middle + sampleRate / 2)]
            var (real, imaginary) = (0.0, 0.0)
            for (index, sample) in samples.enumerated() {
                let angle = 2 * Double.pi * frequency * Double(index) / Double(sampleRate)
                real += Double(sample) * cos(angle)
                imaginary += Double(sample) * sin(angle)
            }
            return 2 * (real * real + imaginary * imaginary).squareRoot() / Double(samples.count)
        }
    }

    struct Missing: Error {
        let what: String
    }

    private final class Collected: Sendable {
        private let outputs = Mutex<[SoundTranscoder.Output]>([])

        func append(_ output: SoundTranscoder.Output) { outputs.withLock { $0.append(output) } }

        var all: [SoundTranscoder.Output] { outputs.withLock { $0 } }
    }

    private(set) var outputs: [PackagerOutput] = []
    private(set) var statistics = SoundStatistics()

    /// Passes events through, as a pipeline does.
    init(_ events: [MediaEvent], _ formats: [SoundOutputFormat]) async {
        var packager = StreamPackager(configuration: .init())
        packager.offer(soundFormats: formats.map(\.name))
        let transcoder = SoundTranscoder(formats)
        let encoded = Collected()
        await withTaskGroup { group in
            group.addTask { await transcoder.run { encoded.append($0) } }
            for event in events {
                outputs += packager.consume(event)
                for (source, events) in packager.takeSound() {
                    transcoder.send(events, of: source.description)
                }
            }
            outputs += packager.finish()
            for (source, events) in packager.takeSound() {
                transcoder.send(events, of: source.description)
            }
            transcoder.close()
        }
        for output in encoded.all {
            let id = Rendition.ID("\(output.source)-\(output.format.name)")
            outputs += packager.consume(output.event, of: id)
        }
        statistics = transcoder.statistics
    }

    func rendition(_ id: String) -> Rendition? {
        for case .renditions(let list) in outputs.reversed() {
            if let rendition = list.first(where: { $0.id.description == id }) { return rendition }
        }
        return nil
    }

    func parts(of id: String) -> [Part] {
        outputs.compactMap { output in
            if case .part(let rendition, let part) = output, rendition.description == id {
                part
            } else {
                nil
            }
        }
    }

    func segments(of id: String) -> [SegmentStart] {
        outputs.compactMap { output in
            if case .openSegment(let rendition, let start) = output, rendition.description == id {
                start
            } else {
                nil
            }
        }
    }

    /// What ffmpeg hears of a rendition of one timeline.
    func heard(_ id: String) async throws -> Heard {
        guard let rendition = rendition(id), let format = rendition.track.audio else {
            throw Missing(what: id)
        }
        let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        var bytes = Data(rendition.initialization.readableBytesView)
        for part in parts(of: id) {
            for slice in part.slices { bytes += Data(slice.readableBytesView) }
        }
        let file = folder.appending(path: "sound.mp4")
        let raw = folder.appending(path: "sound.raw")
        try bytes.write(to: file)
        let probe = try await ExternalProcess.run(
            "ffprobe",
            [
                "-v", "error", "-show_entries", "stream=start_time,channels", "-of", "csv=p=0",
                file.path,
            ]
        )
        let fields = probe.text.split { $0 == "," || $0 == "\n" }
        try await ExternalProcess.run(
            "ffmpeg",
            ["-v", "error", "-i", file.path, "-f", "f32le", raw.path]
        )
        let count = Int(fields[0]) ?? 1
        let samples = try Data(contentsOf: raw).withUnsafeBytes {
            Array($0.bindMemory(to: Float.self))
        }
        return Heard(
            sampleRate: format.sampleRate,
            start: Double(fields[1]) ?? -1,
            channels: (0..<count).map { channel in
                stride(from: channel, to: samples.count, by: count).map { samples[$0] }
            }
        )
    }
}

/// Sound that ffmpeg encoded, as access units.
struct SoundClip {
    let track: Track
    let units: [AccessUnit]

    /// `source` is a filter of ffmpeg that makes sound; the first frame is at `start` seconds.
    init(
        _ source: String,
        framing: AudioBitstreamParser.Framing,
        encoder: [String],
        start: Int64 = 10,
        id: Int = 257
    ) async throws {
        let raw = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        defer { try? FileManager.default.removeItem(at: raw) }
        try await ExternalProcess.run(
            "ffmpeg",
            ["-v", "error", "-f", "lavfi", "-i", source] + encoder + [raw.path]
        )
        let bytes = try [UInt8](Data(contentsOf: raw))
        var parser = AudioBitstreamParser(framing: framing)
        units = parser.parse(bytes.span, pts: MediaTime(mpegTicks: start * 90_000)).map { unit in
            AccessUnit(
                track: Track.ID(id),
                pts: unit.pts,
                dts: unit.pts,
                payload: unit.payload,
                randomAccess: .closed,
                arrival: WallTime(microsecondsSinceEpoch: 1_782_907_200_000_000)
            )
        }
        guard let format = parser.format else { throw SoundRun.Missing(what: source) }
        track = Track(id: Track.ID(id), format: .audio(format), language: "eng")
    }

    var events: [MediaEvent] {
        [.tracks(TrackList([track]))] + units.map { .accessUnit($0) }
    }
}

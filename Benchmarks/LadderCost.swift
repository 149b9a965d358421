import ArgumentParser
import Foundation
import Ingestion
import Media
import Packaging
import Processing
import TestSupport

/// What a ladder costs against one process of ffmpeg that does the same, and what it adds to the delay.
struct LadderCost: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ladder",
        abstract: "CPU, delay and memory of 720p, 480p and 360p from 1080p30."
    )

    @Option(help: "The preset of both.") var preset = TranscodingPreset.veryfast
    @Option(help: "Rounds of each, of which the best counts.") var rounds = 3
    @Option(help: "Seconds live.") var seconds = 30
    @Flag(help: "On the first card that is found, and nothing else.") var gpu = false

    private static let clip = MirrorProcess.fixture("h264-1080p.ts")

    func run() async throws {
        guard !gpu else { return try await transcodeOnCard() }
        var (own, other) = (Double.infinity, Double.infinity)
        for _ in 0..<rounds {
            own = min(own, try await transcode())
            other = min(other, try await transcodeWithFFmpeg())
        }
        Figure(
            name: "ladder of 720p, 480p and 360p from 1080p30, \(preset.rawValue), against ffmpeg",
            value: String(
                format: "ratio %.2f (%.2f against %.2f CPU-s for 12 s)",
                own / other,
                own,
                other
            ),
            target: "≤ 1.10"
        ).report()
        try await live()
    }

    private var transcoding: TranscodingConfiguration {
        var transcoding = TranscodingConfiguration()
        transcoding.isEnabled = true
        transcoding.preset = preset
        return transcoding
    }

    /// What the card does of it, and how fast; a failure of the card is one of the benchmark.
    private func transcodeOnCard() async throws {
        let (cards, absence) = NVIDIADevice.search()
        if let absence { throw ValidationError(absence) }
        for card in cards {
            let rate = card.pixelRateLimit.map { "\(Int($0 / 1e6)) Mpixel/s" } ?? "not measured"
            Figure(name: "\(card.device.name), \(card.device.model)", value: rate, target: "–")
                .report()
        }
        let start = ContinuousClock.now
        let used = try await transcode(on: DeviceScheduler(cards: cards), .refuse)
        Figure(
            name: "ladder of 720p, 480p and 360p from 12 s of 1080p30, on a card",
            value: String(
                format: "%.2f s, %.2f CPU-s",
                (ContinuousClock.now - start) / .seconds(1),
                used
            ),
            target: "–"
        ).report()
    }

    /// From memory, as fast as it goes: CPU seconds of this process.
    private func transcode(
        on scheduler: DeviceScheduler = DeviceScheduler(),
        _ policy: DevicePolicy = .fallBack
    ) async throws -> Double {
        let start = ProcessUsage.own
        var session = IngestSession()
        var packager = StreamPackager(configuration: PackagingConfiguration())
        var events: [MediaEvent] = []
        try Data(contentsOf: URL(filePath: Self.clip)).withUnsafeBytes {
            session.receive($0, arrival: WallTime(microsecondsSinceEpoch: 0)) { events.append($0) }
        }
        session.finish { events.append($0) }
        var format: VideoFormat?
        for case .tracks(let list) in events { format = format ?? list.video?.video }
        guard let format else { throw ValidationError("\(Self.clip) has no picture") }
        var transcoding = transcoding
        transcoding.policy = policy
        let plan = LadderPlan(transcoding, for: format)
        guard let placement = scheduler.place(plan, of: format, transcoding) else {
            throw ValidationError("no device takes it")
        }
        let ladder = LadderTranscoder(placement)
        _ = packager.offer(rungs: plan.rungs.map { Rendition.ID($0.name) })
        async let finished: Void = ladder.run { _, _ in }
        var pictures = 0
        for event in events {
            _ = packager.consume(event)
            let taken = packager.takePictures()
            pictures += taken.count { if case .picture = $0 { true } else { false } }
            ladder.send(taken)
            while ladder.statistics.isBusy { try await Task.sleep(for: .milliseconds(2)) }
        }
        ladder.close()
        await finished
        let counts = ladder.statistics.rungs.map(\.pictures)
        guard counts.allSatisfy({ $0 == pictures }) else {
            let reason = ladder.statistics.deviceReason ?? ""
            throw ValidationError("of \(pictures) pictures came out \(counts) \(reason)")
        }
        return (ProcessUsage.own.cpu - start.cpu) / .seconds(1)
    }

    /// The same sizes, bit rates and x264 options; one thread each.
    private func transcodeWithFFmpeg() async throws -> Double {
        let rungs = [("1280:720", 2_800), ("854:480", 1_200), ("640:360", 700)]
        let names = ["a", "b", "c"]
        let scales = zip(rungs, names).map { "[\($1)]scale=\($0.0)[\($1)1]" }
        let filter =
            "[0:v]split=3\(names.map { "[\($0)]" }.joined());" + scales.joined(separator: ";")
        let outputs = zip(rungs, names).flatMap { rung, name in
            [
                "-map", "[\(name)1]", "-c:v", "libx264", "-preset", preset.rawValue, "-tune",
                "zerolatency", "-threads", "1", "-b:v", "\(rung.1)k", "-maxrate", "\(rung.1)k",
                "-bufsize", "\(rung.1)k", "-g", "60", "-x264-params", "scenecut=0:open-gop=0",
                "-f", "mpegts", "/dev/null",
            ]
        }
        let start = ProcessUsage.children
        try await ExternalProcess.run(
            "ffmpeg",
            ["-v", "error", "-y", "-threads", "1", "-i", Self.clip, "-filter_complex", filter]
                + outputs
        )
        return (ProcessUsage.children.cpu - start.cpu) / .seconds(1)
    }

    /// In real time, in a server: what was added to the delay, and to the memory.
    private func live() async throws {
        var bytes: [Int] = []
        var delays: [(median: Double, long: Double)] = []
        for isTranscoded in [false, true] {
            let mirror = try await MirrorProcess(
                yaml: "transcoding: { enabled: \(isTranscoded), preset: \(preset.rawValue) }\n"
            )
            let publisher = try Publisher.ffmpeg(
                Self.clip,
                to: mirror.publishURL("live", "&latency=500000")
            )
            defer { publisher.stop() }
            try await Task.sleep(for: .seconds(seconds))
            let viewer = Viewer(mirror.address)
            let stream = try await mirror.stream("live", by: viewer)
            try await viewer.shutDown()
            bytes.append(try ProcessUsage(of: mirror.process.identifier).residentBytes)
            guard isTranscoded, case .array(let rungs)? = stream?["transcoding"]?["rungs"] else {
                continue
            }
            delays = rungs.map { rung in
                (
                    rung["median_delay_milliseconds"]?.number ?? .nan,
                    rung["long_delay_milliseconds"]?.number ?? .nan
                )
            }
        }
        Figure(
            name: "delay that a size adds, 720p, 480p and 360p, \(preset.rawValue)",
            value: delays.map {
                String(format: "median %.0f ms, p95 %.0f ms", $0.median, $0.long)
            }.joined(separator: "; "),
            target: "median < 100 ms"
        ).report()
        Figure(
            name: "memory of the ladder above passthrough, after \(seconds) s",
            value: "\((bytes[1] - bytes[0]) / 1_000_000) MB",
            target: "≤ 130 MB"
        ).report()
    }
}

extension TranscodingPreset: ExpressibleByArgument {}

extension LadderStatistics {
    /// So much waits that more might be lost.
    fileprivate var isBusy: Bool {
        decoding.queued > 4 || rungs.contains { $0.queued > 8 }
    }
}

import ArgumentParser
import Foundation
import TestSupport

/// How old the picture is when a viewer sees it: a clock drawn into each frame before the encoder, and
/// read back from the `<video>` of headless Chromium on the same machine.
struct GlassToGlass: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "glass-to-glass",
        abstract: "End-to-end latency through our page, or through stock hls.js."
    )

    @Option(help: "packaging.part_target.") var partTarget = "333ms"
    @Flag(help: "Plain hls.js with lowLatencyMode, not our page.") var stock = false
    @Option(help: "Seconds on air before the viewer comes.") var onAir = 6
    @Option(help: "Seconds the viewer has to settle before measuring.") var settle = 10
    @Option(help: "Seconds to measure each viewer.") var seconds = 60
    @Option(help: "Viewers, one after the other: where in a part one comes moves hls.js by itself.")
    var viewers = 1

    func run() async throws {
        let mirror = try await MirrorProcess(yaml: "packaging: { part_target: \(partTarget) }\n")
        let encoder = try ClockEncoder(publishingTo: mirror.publishURL("clock", "&latency=120000"))
        defer { encoder.stop() }
        let viewer = Viewer(mirror.address)
        _ = try await viewer.waitFor("/live/clock/playlist.m3u8")
        try await viewer.shutDown()
        try await Task.sleep(for: .seconds(onAir))

        var seen: [Watched] = []
        for _ in 0..<viewers { seen.append(try await watch(mirror)) }
        let ages = seen.flatMap(\.ages).sorted()
        guard ages.count > 10 * viewers else {
            throw ValidationError("the browser showed no picture")
        }
        let medians = seen.map { $0.ages[$0.ages.count / 2] }.sorted()
        let each = medians.map { String(format: "%.0f", $0) }.joined(separator: ", ")
        Figure(
            name: "glass to glass, parts of \(partTarget), \(stock ? "stock hls.js" : "our page")",
            value: String(
                format: "median %.0f ms (p5 %.0f, p95 %.0f, %d frames, %.0f stalls or seeks%@)",
                ages[ages.count / 2],
                ages[ages.count / 20],
                ages[ages.count * 19 / 20],
                ages.count,
                seen.reduce(0) { $0 + $1.interruptions },
                viewers > 1 ? "; by viewer \(each)" : ""
            ),
            target: stock ? "≤ 1350 ms" : partTarget == "200ms" ? "≤ 1000 ms" : "< 2000 ms"
        ).report()
    }

    private struct Watched {
        /// In order.
        let ages: [Double]
        let interruptions: Double
    }

    private func watch(_ mirror: MirrorProcess) async throws -> Watched {
        try await Chromium.withPage { page in
            if stock {
                let playlist = mirror.address + "/live/clock/playlist.m3u8"
                try await page.playWithStockPlayer(playlist, from: mirror.address)
            } else {
                try await page.navigate(to: mirror.address + "/watch/clock")
            }
            try await page.wait(for: "document.querySelector('video').currentTime > 0")
            try await Task.sleep(for: .seconds(settle))
            try await page.evaluate(ClockPicture.reader)
            try await Task.sleep(for: .seconds(seconds))
            return Watched(
                ages: try await page.evaluate("glassToGlass.ages").numbers.sorted(),
                interruptions: try await page.evaluate("glassToGlass.interruptions").number ?? .nan
            )
        }
    }
}

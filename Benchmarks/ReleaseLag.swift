import ArgumentParser
import Foundation
import TestSupport

/// How long a playlist that viewers wait for takes, from the publication of its newest part until it
/// is written to each of them, over TLS; as the server counts it for its operators.
struct ReleaseLag: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "release",
        abstract: "From a part's publication to its playlist written to every waiting viewer."
    )

    @Option(help: "Viewers, each on a connection of its own.") var viewers = 200
    @Option(help: "Parts to wait for.") var rounds = 60

    private static let metric = "mirror_playlist_release_seconds"

    func run() async throws {
        let mirror = try await MirrorProcess()
        let publisher = try await LiveSource.h264.publish(to: mirror, as: "live")
        defer { publisher.stop() }
        let viewer = Viewer(mirror.address)
        let path = "/live/live/video/playlist.m3u8"
        var playlist = try MediaPlaylist(try await viewer.waitFor(path).text)
        let audience = try await Audience(of: viewers, port: mirror.httpsPort)

        for _ in 0..<rounds {
            audience.ask(
                for: "\(path)?_HLS_msn=\(playlist.openMediaSequence)"
                    + "&_HLS_part=\(playlist.openParts.count)"
            )
            let answers = await audience.allAnswers()
            guard let first = answers.first, answers.allSatisfy({ $0.status == 200 }) else {
                throw ValidationError("a viewer got no playlist: \(answers.map(\.status))")
            }
            playlist = try MediaPlaylist(first.body)
        }
        let metrics = try await viewer.ask("\(mirror.metricsAddress)/metrics")
        try await audience.leave()
        try await viewer.shutDown()
        report(try buckets(of: metrics.text))
    }

    /// Limit in seconds and how many took no longer.
    private func buckets(of page: String) throws -> [(limit: Double, count: Int)] {
        let buckets = page.split(separator: "\n").compactMap { line -> (Double, Int)? in
            let sides = line.split(separator: "\"")
            guard line.hasPrefix("\(Self.metric)_bucket"), sides.count == 3 else { return nil }
            let count = Int(sides[2].filter(\.isNumber)) ?? 0
            return (sides[1] == "+Inf" ? .infinity : Double(sides[1]) ?? 0, count)
        }
        guard let total = buckets.last?.1, total >= viewers * rounds / 2 else {
            throw ValidationError("the viewers did not wait: \(buckets)")
        }
        return buckets
    }

    private func report(_ buckets: [(limit: Double, count: Int)]) {
        let total = Double(buckets.last?.count ?? 0)
        func limit(of share: Double) -> String {
            let limit = buckets.first { Double($0.count) >= share * total }?.limit ?? .infinity
            return String(format: "≤ %.0f ms", limit * 1_000)
        }
        let inTime = Double(buckets.first { $0.limit == 0.02 }?.count ?? 0) / total
        Figure(
            name: "release lag of a blocked playlist, \(viewers) viewers over TLS",
            value: "p50 \(limit(of: 0.5)), p99 \(limit(of: 0.99)), within 20 ms "
                + String(format: "%.2f %%, of %.0f", inTime * 100, total),
            target: "p99 ≤ 20 ms"
        ).report()
    }
}

import ArgumentParser
import Foundation
import TestSupport

/// How long a playlist that viewers wait for takes, from the publication of its newest part until it
/// is written to each of them, over TLS or QUIC; as the server counts it for its operators.
struct ReleaseLag: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "release",
        abstract: "From a part's publication to its playlist written to every waiting viewer."
    )

    @Option(help: "Viewers, each on a connection of its own.") var viewers = 200
    @Option(help: "Parts to wait for.") var rounds = 60
    @Flag(help: "Over HTTP/3, by aioquic; else over TLS and HTTP/1.1.") var http3 = false

    private static let metric = "mirror_playlist_release_seconds"
    private static let path = "/live/live/video/playlist.m3u8"

    func run() async throws {
        let mirror = try await MirrorProcess()
        let publisher = try await LiveSource.h264.publish(to: mirror, as: "live")
        defer { publisher.stop() }
        let viewer = Viewer(mirror.address)
        let playlist = try MediaPlaylist(try await viewer.waitFor(Self.path).text)
        if http3 {
            let client = try HTTP3Client(
                port: mirror.http3Port,
                ["--connections", "\(viewers)"],
                isYielding: true
            )
            let text = try await ask(client, for: Self.path)
            // A client this heavy may miss the next part before its last viewer has asked: each asks for
            // the one after it.
            try await follow(try MediaPlaylist(text), ahead: 1) { try await ask(client, for: $0) }
            await client.shutDown()
        } else {
            let audience = try await Audience(of: viewers, port: mirror.httpsPort)
            try await follow(playlist, ahead: 0) { try await ask(audience, for: $0) }
            try await audience.leave()
        }
        let metrics = try await viewer.ask("\(mirror.metricsAddress)/metrics")
        try await viewer.shutDown()
        report(try buckets(of: metrics.text))
    }

    /// Waits with all viewers for a part, round after round: the next, or so many parts `ahead` of it.
    private func follow(
        _ first: MediaPlaylist,
        ahead: Int,
        ask: (String) async throws -> String
    ) async throws {
        var playlist = first
        for _ in 0..<rounds {
            let part = playlist.openParts.count + ahead
            playlist = try MediaPlaylist(
                try await ask(
                    "\(Self.path)?_HLS_msn=\(playlist.openMediaSequence)&_HLS_part=\(part)"
                )
            )
        }
    }

    /// - Returns: What the first one to be answered was told.
    private func ask(_ audience: Audience, for path: String) async throws -> String {
        audience.ask(for: path)
        let answers = await audience.allAnswers()
        guard let first = answers.first, answers.allSatisfy({ $0.status == 200 }) else {
            throw ValidationError("a viewer got no playlist: \(answers.map(\.status))")
        }
        return first.body
    }

    private func ask(_ client: HTTP3Client, for path: String) async throws -> String {
        let answers = try await withThrowingTaskGroup(of: Viewer.Answer.self) { group in
            for _ in 0..<viewers { group.addTask { try await client.ask(path) } }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        guard let first = answers.first, answers.allSatisfy({ $0.status == 200 }) else {
            throw ValidationError("a viewer got no playlist: \(answers.map(\.status))")
        }
        return first.text
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
            name:
                "release lag of a blocked playlist, \(viewers) viewers over \(http3 ? "HTTP/3" : "TLS")",
            value: "p50 \(limit(of: 0.5)), p99 \(limit(of: 0.99)), within 20 ms "
                + String(format: "%.2f %%, of %.0f", inTime * 100, total),
            target: "p99 ≤ 20 ms"
        ).report()
    }
}

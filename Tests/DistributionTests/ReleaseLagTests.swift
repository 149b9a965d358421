import Distribution
import Foundation
import Packaging
import TestSupport
import Testing

/// From the moment a part is published until its playlist has reached all who waited for it.
@Suite(.timeLimit(.minutes(2))) struct ReleaseLagTests {
    private static let viewers = 200
    /// Far above what it takes, far below what polling would: the figure itself is a benchmark's.
    private static let bound: Duration = .seconds(1)

    @Test func aNewPartReachesTwoHundredViewersOverTLSInTime() async throws {
        let fixture = try #require(LiveFixture())
        fixture.publish(parts: 0..<9)
        let files = try await CertificateFixture()
        let credentials = try TLSCredentials(certificatePath: files.certificate, keyPath: files.key)

        try await withDoor(.tls(credentials), to: fixture) { port, _ in
            let audience = try await Audience(of: Self.viewers, port: port)
            var rounds: [Duration] = []
            for part in 9..<18 {
                audience.ask(
                    for: "/live/cam/video/playlist.m3u8?_HLS_msn=\(part / 3)&_HLS_part=\(part % 3)"
                )
                #expect(
                    try await eventually { fixture.store.statistics.waiters == Self.viewers }
                )
                let published = ContinuousClock.now
                fixture.publish(parts: part..<part + 1)
                let lags = await audience.allAnswers().map { $0.instant - published }.sorted()
                rounds.append(lags[Self.viewers * 99 / 100 - 1])
            }
            let released = fixture.statistics.snapshot.playlistRelease.counts.reduce(0, +)
            #expect(released == UInt64(Self.viewers * rounds.count))
            rounds.sort()
            print("release lag, 200 viewers, TLS: p99 of the rounds \(rounds)")
            // The machine may be busy with something else in a round; a fault of ours shows in all.
            #expect(rounds[rounds.count / 3] <= Self.bound)
            try await audience.leave()
        }
    }
}

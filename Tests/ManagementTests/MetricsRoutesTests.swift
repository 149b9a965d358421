import Distribution
import Foundation
import HTTPTypes
import HummingbirdTesting
import Ingestion
import Management
import NIOCore
import TestSupport
import Testing

@Suite struct MetricsRoutesTests {
    @Test func aPageIsCleanInTheEyesOfPromtool() async throws {
        let fixture = ManagementFixture(
            streams: [try .live("one"), try .live("two")],
            health: HealthSnapshot(status: .ready, checks: [.init(name: "srt", isPassing: true)])
        )
        let response = try await fixture.get("/metrics")
        #expect(response.headers[.contentType] == "text/plain; version=0.0.4; charset=utf-8")
        let pipe = Pipe()
        let promtool = try ExternalProcess(
            "promtool",
            ["check", "metrics"],
            input: pipe.fileHandleForReading
        )
        try pipe.fileHandleForWriting.write(contentsOf: Data(response.body.readableBytesView))
        try pipe.fileHandleForWriting.close()
        let result = await promtool.wait(atMost: .seconds(20))
        #expect(result.status == 0, "\(result.errors)")
        #expect(result.errors == "" && result.text == "")
    }

    @Test func figuresOfStreamsAndOfTheServerAreThere() async throws {
        let fixture = ManagementFixture(
            streams: [try .live("one")],
            refusals: [.wrongPassphrase: 4]
        )
        let lines = try await fixture.metrics
        #expect(lines.contains("mirror_streams{state=\"live\"} 1"))
        #expect(lines.contains("mirror_streams{state=\"ended\"} 0"))
        #expect(lines.contains("mirror_publishers{transport=\"srt\"} 1"))
        #expect(lines.contains("mirror_publish_refusals_total{reason=\"wrong_passphrase\"} 4"))
        #expect(lines.contains("mirror_publish_refusals_total{reason=\"full\"} 0"))
        #expect(lines.contains("mirror_srt_lost_packets_total{stream=\"one\"} 9"))
        #expect(lines.contains("mirror_ts_continuity_errors_total{stream=\"one\"} 7"))
        #expect(lines.contains("mirror_ingest_rate_bytes_per_second{stream=\"one\"} 6250000"))
        #expect(lines.contains("mirror_store_bytes{stream=\"one\"} 4096"))
        #expect(lines.contains("mirror_delivery_waiters{stream=\"one\"} 3"))
        #expect(lines.contains("mirror_ready 1"))
    }

    /// That they move is for the tests of the doors.
    @Test func figuresOfTheDoorsAreThere() async throws {
        var traffic = DistributionStatistics.Snapshot()
        traffic.refusedConnections = 1
        traffic.failedHandshakes = 2
        traffic.stalledViewers = 3
        traffic.silentConnections = 4
        traffic.unreadableRequests = 5
        let lines = try await ManagementFixture(traffic: traffic).metrics
        #expect(lines.contains("mirror_http_unreadable_requests_total 5"))
        #expect(lines.contains("mirror_http_refused_connections_total 1"))
        #expect(lines.contains("mirror_tls_failed_handshakes_total 2"))
        #expect(lines.contains("mirror_http_stalled_viewers_total 3"))
        #expect(lines.contains("mirror_http_silent_connections_total 4"))
    }

    @Test func playlistReleasesAreAHistogram() async throws {
        var traffic = DistributionStatistics.Snapshot()
        for milliseconds in [1, 4, 15, 5_000] {
            traffic.playlistRelease.record(.milliseconds(milliseconds))
        }
        let lines = try await ManagementFixture(traffic: traffic).metrics
        let samples = lines.filter { $0.hasPrefix("mirror_playlist_release_seconds") }
        #expect(
            samples.map { $0.dropFirst("mirror_playlist_release_seconds".count) } == [
                "_bucket{le=\"0.001\"} 1", "_bucket{le=\"0.002\"} 1", "_bucket{le=\"0.005\"} 2",
                "_bucket{le=\"0.01\"} 2", "_bucket{le=\"0.015\"} 3", "_bucket{le=\"0.02\"} 3",
                "_bucket{le=\"0.03\"} 3", "_bucket{le=\"0.05\"} 3", "_bucket{le=\"0.1\"} 3",
                "_bucket{le=\"0.2\"} 3", "_bucket{le=\"0.5\"} 3", "_bucket{le=\"1\"} 3",
                "_bucket{le=\"+Inf\"} 4", "_sum 5.02", "_count 4",
            ]
        )
    }

    @Test func figuresOfTheProcessAreThoseOfTheKernel() async throws {
        let lines = try await ManagementFixture().metrics
        func value(_ name: String) -> Double? {
            lines.first { $0.hasPrefix("\(name) ") }
                .flatMap { Double($0.dropFirst(name.count + 1)) }
        }
        let start = try #require(value("process_start_time_seconds"))
        #expect(abs(start - Date().timeIntervalSince1970) < 3_600)
        #expect(try #require(value("process_resident_memory_bytes")) > 1e6)
        #expect(try #require(value("process_cpu_seconds_total")) > 0)
        #expect(try #require(value("process_open_fds")) >= 3)
        #expect(try #require(value("process_max_fds")) > 3)
    }

    @Test func labelsAreEscaped() async throws {
        let lines = try await ManagementFixture(version: "a\"b\\c\nd").metrics
        #expect(lines.contains(#"mirror_build_info{version="a\"b\\c\nd"} 1"#))
    }

    @Test func aPageIsBoundedHoweverManyStreamsThereAre() async throws {
        var streams: [StreamSnapshot] = []
        let template = try StreamSnapshot.live("template")
        for number in 0..<2_100 {
            var stream = template
            stream.name = "stream\(number)"
            streams.append(stream)
        }
        let lines = try await ManagementFixture(streams: streams).metrics
        #expect(lines.count { $0.hasPrefix("mirror_store_bytes{") } == 2_000)
        let omitted = lines.first { $0.hasPrefix("mirror_metrics_omitted_samples ") }
        let count = try #require(omitted?.split(separator: " ").last.flatMap { Int($0) })
        #expect(count >= 100)
    }
}

extension ManagementFixture {
    var metrics: [String] {
        get async throws {
            let body = try await get("/metrics").body
            return String(buffer: body).split(separator: "\n").map(String.init)
        }
    }
}

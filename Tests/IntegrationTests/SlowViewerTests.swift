import Foundation
import TestSupport
import Testing

/// Viewers that take next to nothing.
@Suite struct SlowViewerTests {
    private static let viewers = 20

    /// A segment of 50 Mbit/s is more than any socket's buffers: Mirror would have to hold it.
    @Test func viewersOfOneByteASecondAreCutOffAndCostNoMemory() async throws {
        let mirror = try await MirrorProcess(
            yaml: "packaging: { segment_target: 1s, window: 6s }\n",
            environment: ["MIRROR_SERVER_HTTP_PORT": "\(FreePort.tcp)"]
        )
        let viewer = Viewer(mirror.address)
        let publisher = try Publisher.ffmpeg(
            MirrorProcess.fixture("hevc-50m.ts"),
            to: mirror.publishURL("live", "&latency=2000000")
        )
        defer { publisher.stop() }
        _ = try await viewer.waitFor("/live/live/playlist.m3u8")
        let path = "/live/live/video/playlist.m3u8"
        let isFull = try await eventually(within: .seconds(30)) {
            try await viewer.playlist(path).mediaSequence > 1
        }
        #expect(isFull, "\(publisher.process.errors) \(mirror.log.suffix(3_000))")
        let before = mirror.residentBytes
        let segment = try #require(try await viewer.playlist(path).segments.last)
        let size = try #require(
            try await viewer.ask("/live/live/video/\(segment.uri)", method: "HEAD")
                .headers["content-length"].flatMap(Int.init)
        )
        let readers = (0..<Self.viewers).map { _ in
            SlowReader(port: mirror.httpPort, path: "/live/live/video/\(segment.uri)")
        }
        var most = before
        let areCut = try await eventually(within: .seconds(60)) {
            most = max(most, mirror.residentBytes)
            for reader in readers { reader.read(atMost: 1) }
            try await Task.sleep(for: .milliseconds(900))
            let metrics = try await mirror.metrics(by: viewer)
            return metrics.total("mirror_http_stalled_viewers_total") == Double(Self.viewers)
        }
        #expect(areCut, "\(mirror.log)")
        // Each holds on to one segment of 12 MB, and all of them to the same.
        let growth = most - before
        #expect(growth < 100 << 20, "\(growth >> 20) MB more for \(Self.viewers) slow viewers")
        // What the kernel had taken over still comes, and then the end, before that of the segment.
        let areClosed = try await eventually {
            for reader in readers { reader.read(atMost: 64 << 20) }
            return readers.allSatisfy(\.isCut)
        }
        #expect(areClosed)
        for reader in readers { #expect(reader.received > 0 && reader.received < size) }
        // Nobody else felt it.
        let next = try await viewer.playlist(path)
        #expect(
            try await viewer.ask("\(path)?_HLS_msn=\(next.openMediaSequence)").status == 200
        )
    }
}

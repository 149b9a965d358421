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
        #expect(isFull, "\(publisher.process.errors) \(mirror.lastWords)")
        let before = mirror.residentBytes
        let segment = try #require(try await viewer.playlist(path).segments.last)
        let size = try #require(
            try await viewer.ask("/live/live/video/\(segment.uri)", method: "HEAD")
                .headers["content-length"].flatMap(Int.init)
        )
        let readers = (0..<Self.viewers).map { _ in
            SlowReader(port: mirror.httpPort, path: "/live/live/video/\(segment.uri)")
        }
        async let endings = Self.readSlowlyOverHTTP3("/live/live/video/\(segment.uri)", of: mirror)
        var most = before
        let areCut = try await eventually(within: .seconds(60)) {
            most = max(most, mirror.residentBytes)
            for reader in readers { reader.read(atMost: 1) }
            try await Task.sleep(for: .milliseconds(900))
            let metrics = try await mirror.metrics(by: viewer)
            return metrics.total("mirror_http_stalled_viewers_total") == Double(2 * Self.viewers)
        }
        #expect(areCut, "\(mirror.lastWords)")
        // Each holds on to one segment of 12 MB, and all of them to the same.
        let growth = most - before
        #expect(growth < 100 << 20, "\(growth >> 20) MB more for \(2 * Self.viewers) slow viewers")
        // What the kernel had taken over still comes, and then the end, before that of the segment.
        let areClosed = try await eventually {
            for reader in readers { reader.read(atMost: 64 << 20) }
            return readers.allSatisfy(\.isCut)
        }
        #expect(areClosed)
        for reader in readers { #expect(reader.received > 0 && reader.received < size) }
        // H3_REQUEST_CANCELLED.
        #expect(try await endings == Array(repeating: "reset: 0x10c", count: Self.viewers))
        // Nobody else felt it.
        let next = try await viewer.playlist(path)
        #expect(
            try await viewer.ask("\(path)?_HLS_msn=\(next.openMediaSequence)").status == 200
        )
    }

    /// Each on a connection of its own.
    ///
    /// - Returns: What became of the requests.
    private static func readSlowlyOverHTTP3(
        _ path: String,
        of mirror: MirrorProcess
    ) async throws -> [String] {
        let options = ["--connections", "\(viewers)", "--window", "16384"]
        let client = try HTTP3Client(port: mirror.http3Port, options)
        return await withTaskGroup(of: String.self) { group in
            for _ in 0..<viewers {
                group.addTask {
                    do {
                        return "\(try await client.ask(path, atMost: .seconds(90)).status)"
                    } catch {
                        return "\(error)"
                    }
                }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
    }

    @Test func aViewerOverHTTP3WhoIsKilledIsWaitedForNoLongerThanTheIdleTimeout() async throws {
        // A segment takes longer than the viewer may be silent.
        let mirror = try await MirrorProcess(
            yaml: "packaging: { segment_target: 10s, window: 60s }\n"
        )
        let viewer = Viewer(mirror.address)
        let publisher = try await LiveSource.h264.publish(to: mirror, as: "live")
        defer { publisher.stop() }
        _ = try await viewer.waitFor("/live/live/playlist.m3u8")
        let path = "/live/live/video/playlist.m3u8"
        let sequence = try await viewer.playlist(path).openMediaSequence + 1

        let killed = try HTTP3Client(port: mirror.http3Port, ["--idle-timeout", "2"])
        let answer = Task {
            try await killed.ask("\(path)?_HLS_msn=\(sequence)", atMost: .seconds(60))
        }
        #expect(try await eventually { try await Self.waiters(mirror, viewer) == [1, 1] })
        killed.process.signal(SIGKILL)
        await #expect(throws: ExternalProcess.Failure.self) { try await answer.value }
        #expect(try await eventually { try await Self.waiters(mirror, viewer) == [0, 0] })
        // It was not the segment's end that freed it.
        #expect(try await viewer.playlist(path).openMediaSequence <= sequence)
    }

    /// Requests that wait, and connections over HTTP/3.
    private static func waiters(
        _ mirror: MirrorProcess,
        _ viewer: Viewer
    ) async throws -> [Double?] {
        let metrics = try await mirror.metrics(by: viewer)
        return [
            metrics.total("mirror_delivery_waiters"),
            metrics["mirror_http_open_connections{protocol=\"h3\"}"],
        ]
    }
}

import Foundation
import TestSupport
import Testing

/// Publishers that come, die, return and leave; and the server's own beginning and end.
@Suite(.serialized) struct LifecycleTests {
    private static let clip = MirrorProcess.fixture("h264.ts")
    private static let video = "/live/live/video/playlist.m3u8"

    /// Rule 9, with ffmpeg as the player.
    @Test func aPlayerPlaysOnWhenAKilledPublisherReturns() async throws {
        let mirror = try await MirrorProcess(yaml: "packaging: { segment_target: 1s }\n")
        let viewer = Viewer(mirror.address)
        let first = try Publisher.ffmpeg(Self.clip, to: mirror.publishURL("live"))
        try await viewer.waitForSegments(of: "live")
        let player = try Player(playing: "\(mirror.address)/live/live/playlist.m3u8")
        #expect(try await eventually { player.frames > 50 }, "\(player.process.errors)")

        let before = try await viewer.playlist(Self.video)
        first.kill()
        try await Task.sleep(for: .seconds(2))
        let frames = player.frames
        let second = try Publisher.ffmpeg(Self.clip, to: mirror.publishURL("live"))
        defer { second.stop() }

        let hasReturned = try await eventually {
            try await viewer.playlist(Self.video).segments.contains(where: \.isDiscontinuity)
        }
        #expect(hasReturned, "\(mirror.lastWords)")
        let after = try await viewer.playlist(Self.video)
        #expect(after.mediaSequence >= before.mediaSequence)
        #expect(after.openMediaSequence > before.openMediaSequence)
        #expect(after.targetDuration == before.targetDuration)
        #expect(after.partTarget == before.partTarget)
        for segment in before.segments {
            let same = after.segments.first { $0.mediaSequence == segment.mediaSequence }
            #expect(same == nil || same?.uri == segment.uri, "\(after.text)")
            let answer = try await viewer.ask("/live/live/video/\(segment.uri)")
            #expect(answer.status == 200, "\(segment.uri) is gone")
        }
        // More than was there before the kill: the player is past the gap.
        let playsOn = try await eventually(within: .seconds(30)) { player.frames > frames + 125 }
        #expect(playsOn, "\(frames), then \(player.frames) frames: \(player.process.errors)")
        #expect(player.process.isRunning)
    }

    @Test func aCleanDisconnectFreesTheNameAtOnce() async throws {
        let mirror = try await MirrorProcess()
        let viewer = Viewer(mirror.address)
        for turn in 0..<3 {
            let publisher = try Publisher.ffmpeg(Self.clip, to: mirror.publishURL("live"))
            let isLive = try await eventually {
                let stream = try await mirror.stream("live", by: viewer)
                return stream?["publisher"] != nil && stream?["state"]?.string == "live"
            }
            #expect(isLive, "turn \(turn): \(mirror.lastWords)")
            publisher.stop()
            _ = await publisher.process.wait()
            let isFree = try await eventually(within: .seconds(2)) {
                try await mirror.stream("live", by: viewer)?["publisher"] == nil
            }
            #expect(isFree, "turn \(turn): \(mirror.lastWords)")
        }
        #expect(mirror.logged("refused").isEmpty)
        #expect(mirror.logged("publisher returned").count == 2)
    }

    @Test func aStreamThatDoesNotReturnEndsAfterItsGrace() async throws {
        let mirror = try await MirrorProcess(yaml: "publishing: { grace: 1s }\n")
        let viewer = Viewer(mirror.address)
        let publisher = try Publisher.ffmpeg(Self.clip, to: mirror.publishURL("live"))
        _ = try await viewer.waitFor("/live/live/playlist.m3u8")
        let open = try await viewer.playlist(Self.video).openMediaSequence
        async let blocked = viewer.ask("\(Self.video)?_HLS_msn=\(open + 1)")
        publisher.stop()
        let answer = try await blocked
        #expect(answer.status == 200 && answer.text.contains("#EXT-X-ENDLIST"), "\(answer.text)")
        let playlist = try await viewer.playlist(Self.video)
        #expect(playlist.isEnded && playlist.hintedPart == nil, "\(playlist.text)")
        for segment in playlist.segments {
            #expect(try await viewer.ask("/live/live/video/\(segment.uri)").status == 200)
        }

        // The name is free, and what comes next begins anew.
        let next = try Publisher.ffmpeg(Self.clip, to: mirror.publishURL("live"))
        defer { next.stop() }
        let isNew = try await eventually {
            let playlist = try await viewer.ask(Self.video)
            return playlist.status == 200 && !playlist.text.contains("#EXT-X-ENDLIST")
        }
        #expect(isNew)
    }

    @Test func environmentWinsOverTheFileAndPortZeroTakesAFreeOne() async throws {
        let mirror = try await MirrorProcess(
            yaml: "packaging: { part_target: 500ms, segment_target: 3s }\n",
            environment: ["MIRROR_PACKAGING_PART_TARGET": "200ms"]
        )
        let ports = [mirror.httpsPort, mirror.metricsPort, mirror.srtPort]
        #expect(!ports.contains(0) && Set(ports).count == 3, "\(ports)")
        let viewer = Viewer(mirror.address)
        let publisher = try Publisher.ffmpeg(Self.clip, to: mirror.publishURL("live"))
        defer { publisher.stop() }
        _ = try await viewer.waitFor("/live/live/playlist.m3u8")
        let playlist = try await viewer.playlist(Self.video)
        #expect(playlist.partTarget == 0.2)
        #expect(playlist.targetDuration == 6)
        for path in ["\(mirror.address)/health/ready", "\(mirror.metricsAddress)/health/live"] {
            #expect(try await viewer.ask(path).status == 200, "\(path)")
        }
    }

    @Test func anUnknownKeyIsAnErrorThatNamesFileKeyAndCure() async throws {
        let file = FileManager.default.temporaryDirectory.appending(path: "\(UUID()).yaml")
        defer { try? FileManager.default.removeItem(at: file) }
        try Data("server: { https_prt: 8443 }\n".utf8).write(to: file)
        for command in [["config", "check"], ["serve"]] {
            let process = try ExternalProcess(
                MirrorProcess.binary.path,
                command + ["--config", file.path]
            )
            let result = await process.wait(atMost: .seconds(20))
            let words = result.errors + result.text
            #expect(result.status != 0, "\(command)")
            for word in [file.lastPathComponent, "server.https_prt", "https_port"] {
                #expect(words.contains(word), "\(command) says: \(words)")
            }
        }
    }

    /// Whoever waits gets an answer before the server goes.
    @Test func terminationAnswersWhoWaitsAndExitsInOrder() async throws {
        let mirror = try await MirrorProcess()
        let viewer = Viewer(mirror.address)
        let publisher = try Publisher.ffmpeg(Self.clip, to: mirror.publishURL("live"))
        _ = try await viewer.waitFor("/live/live/playlist.m3u8")
        let open = try await viewer.playlist(Self.video).openMediaSequence
        async let blocked = viewer.ask("\(Self.video)?_HLS_msn=\(open + 1)")
        let isWaiting = try await eventually {
            try await mirror.metrics(by: viewer).total("mirror_delivery_waiters") > 0
        }
        #expect(isWaiting)
        mirror.process.signal(SIGTERM)
        let answer = try await blocked
        #expect([200, 503].contains(answer.status), "\(answer.status) \(answer.text)")
        let result = await mirror.process.wait(atMost: .seconds(30))
        #expect(result.status == 0, "\(result.status): \(result.errors.suffix(2_000))")
        #expect(await publisher.process.wait(atMost: .seconds(20)).status != 0)
    }
}

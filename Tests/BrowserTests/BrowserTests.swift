import Foundation
import TestSupport
import Testing

/// Live streams in a real browser, from the built binary: what a viewer sees.
///
/// One test at a time: each has encoders and browsers of its own.
@Suite(.serialized, .timeLimit(.minutes(4))) struct BrowserTests {
    private static let isLive = "document.querySelector('#state').innerText === 'Live'"

    /// H.264 over HTTP/3, AV1 over HTTP/2.
    @Test func h264AndAV1PlayWithSoundForAMinuteWithoutAStall() async throws {
        let mirror = try await MirrorProcess()
        try await withThrowingTaskGroup(of: Void.self) { group in
            let views: [(LiveSource, Viewer.Version)] = [(.h264, .http3), (.av1, .http2)]
            for (source, version) in views {
                group.addTask {
                    let publisher = try await source.publish(to: mirror, as: source.rawValue)
                    defer { publisher.stop() }
                    try await Self.watch(source.rawValue, on: mirror, over: version, for: 60)
                }
            }
            try await group.waitForAll()
        }
    }

    /// H.264 with Opus from ffmpeg, AV1 with AAC from a sender of our own.
    @Test func h264AndAV1ThatComeOverRTPPlayWithSound() async throws {
        let mirror = try await MirrorProcess()
        let target = "rtp://127.0.0.1:\(mirror.rtpPort)?rtcpport=\(mirror.rtcpPort)"
        let description = mirror.folder.appending(path: "h264.sdp")
        let clip = MirrorProcess.fixture("h264.mkv")
        let h264 = try ExternalProcess(
            "ffmpeg",
            [
                "-v", "error", "-re", "-stream_loop", "-1", "-i", clip, "-sdp_file",
                description.path, "-map", "0:v", "-c:v", "copy", "-f", "rtp", target, "-map", "0:a",
                "-c:a", "libopus", "-b:a", "128k", "-f", "rtp", target,
            ]
        )
        defer { h264.signal(SIGTERM) }
        let av1 = try AV1OverRTP(to: mirror.rtpPort)
        defer { av1.stop() }
        let isWritten = try await eventually {
            FileManager.default.fileExists(atPath: description.path)
        }
        #expect(isWritten, "\(h264.errors)")
        let descriptions = [
            "h264": try String(contentsOf: description, encoding: .utf8),
            "av1": AV1OverRTP.description(port: mirror.rtpPort),
        ]
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (name, text) in descriptions {
                group.addTask {
                    let viewer = Viewer(mirror.address)
                    let path = "/api/v1/streams/\(name)/sdp"
                    let answer = try await viewer.ask(path, method: "PUT", body: text)
                    #expect(answer.status == 200, "\(answer.text)")
                    try await viewer.shutDown()
                    try await Self.watch(name, on: mirror, over: .http2, for: 20)
                }
            }
            try await group.waitForAll()
        }
    }

    /// Nothing stands still, and picture and sound are decoded all the time.
    private static func watch(
        _ name: String,
        on mirror: MirrorProcess,
        over version: Viewer.Version,
        for seconds: Double
    ) async throws {
        let viewer = Viewer(mirror.address)
        _ = try await viewer.waitFor("/live/\(name)/playlist.m3u8")
        try await viewer.shutDown()
        try await Chromium.withPage(
            width: 960,
            height: 800,
            overHTTP3To: version == .http3 ? mirror : nil
        ) { page in
            try await page.watch(name, on: mirror, over: version)
            try await page.waitForPlayback(of: 8, atMost: .seconds(30))
            try await page.watchForStalls()
            let before = try await page.playback
            try await Task.sleep(for: .seconds(seconds))
            let after = try await page.playback
            let report = try await page.stallReport
            #expect(after.stalls - before.stalls == 0, "\(name)\n\(report)")
            #expect(after.position - before.position >= seconds - 2, "\(name)")
            let sound = (after.decodedSoundBytes - before.decodedSoundBytes) / seconds
            #expect(sound > 7_000, "\(name)")
            let picture = (after.decodedPictureBytes - before.decodedPictureBytes) / seconds
            #expect(picture > 17_000, "\(name)")
            #expect(try await page.text("#state") == "Live", "\(name)")
            // One that failed has no name; the player asks again.
            let protocols = try await page.protocols.filter { !$0.key.isEmpty }
            #expect(Array(protocols.keys) == [version == .http3 ? "h3" : "h2"], "\(name)")
            #expect(Double(protocols.values.reduce(0, +)) > seconds * 3, "\(name)")
            #expect(page.problems == [], "\(name)")
            // Once Chromium closed a pair of requests over QUIC (ERR_CONNECTION_CLOSED); why is not known.
            #expect(page.failedLoads.count <= (version == .http3 ? 2 : 0), "\(page.failedLoads)")
        }
    }

    /// No browser has AC-3, and Chromium has both others.
    @Test func surroundIsHeardInStereo() async throws {
        let mirror = try await MirrorProcess(
            yaml: """
                transcoding:
                  enabled: true
                  output_formats: [{ resolution: 320x180 }]
                  preset: ultrafast
                  audio: [{ codec: aac, bitrate: 96k }, { codec: opus }]
                """
        )
        let publisher = try Publisher.encoding(
            [
                "-f", "lavfi", "-i", "testsrc2=s=640x360:r=30", "-f", "lavfi", "-i",
                "sine=frequency=440:sample_rate=48000", "-c:v", "libx264", "-preset", "ultrafast",
                "-pix_fmt", "yuv420p", "-g", "60", "-b:v", "1M", "-c:a", "ac3", "-ac", "6",
                "-pes_payload_size", "0",
            ],
            to: mirror.publishURL("surround", "&latency=1000000")
        )
        defer { publisher.stop() }
        try await Chromium.withPage(width: 960, height: 800) { page in
            try await page.watch("surround", on: mirror)
            try await page.waitForPlayback(of: 8, atMost: .seconds(30))
            let before = try await page.playback
            try await page.waitForPlayback(of: 20, atMost: .seconds(40))
            let after = try await page.playback
            #expect(after.stalls == before.stalls)
            #expect(after.decodedSoundBytes - before.decodedSoundBytes > 50_000)
            #expect(page.problems == [])
        }
    }

    @Test func playbackGoesOnWhenAKilledPublisherIsBackAfterTwoSeconds() async throws {
        let mirror = try await MirrorProcess()
        let first = try await LiveSource.h264.publish(to: mirror, as: "stage")
        try await Self.withBothPlayers(of: "stage", on: mirror) { ours, stock in
            first.kill()
            try await Task.sleep(for: .seconds(2))
            // By then, where the machine is not too busy: its name is taken until its silence is noticed.
            #expect(try await eventually { !mirror.logged("publisher left").isEmpty })
            let second = try await LiveSource.h264.publish(to: mirror, as: "stage")
            defer { second.stop() }
            // More than the buffers held: this is the second publisher's.
            for page in [ours, stock] {
                try await page.waitForPlayback(of: 12, atMost: .seconds(60))
                let before = try await page.playback
                try await page.waitForPlayback(of: 3, atMost: .seconds(40))
                let after = try await page.playback
                #expect(after.decodedSoundBytes > before.decodedSoundBytes)
                #expect(after.decodedPictureBytes > before.decodedPictureBytes)
                #expect(try await page.evaluate("window.isTheSamePage") == true)
            }
            try await ours.wait(for: Self.isLive)
        }
    }

    @Test func playbackGoesOnThroughASlateUntilThePublisherIsBack() async throws {
        let file = FileManager.default.temporaryDirectory.appending(path: "\(UUID()).png").path
        defer { try? FileManager.default.removeItem(atPath: file) }
        try await ExternalProcess.run(
            "ffmpeg",
            ["-v", "error", "-f", "lavfi", "-i", "color=red:s=640x360", "-frames:v", "1", file]
        )
        // Longer than a publisher comes to a stop where the machine is too busy for it.
        let mirror = try await MirrorProcess(
            yaml: """
                ingestion: { srt: { peer_idle_timeout: 10s } }
                publishing: { grace: 1s, slate: { file: "\(file)", after: 5s } }
                """
        )
        let first = try await LiveSource.h264.publish(to: mirror, as: "stage")
        try await Self.withBothPlayers(of: "stage", on: mirror) { ours, stock in
            let isReady = try await eventually(within: .seconds(60)) {
                !mirror.logged("slate ready").isEmpty
            }
            try #require(isReady, "\(mirror.lastWords)")
            first.kill()
            // Far more than the buffers held: this is the slate.
            for page in [ours, stock] {
                try await page.waitForPlayback(of: 12, atMost: .seconds(60))
            }
            try await ours.wait(for: Self.isLive)
            // Its name is free.
            #expect(try await eventually { !mirror.logged("publisher left").isEmpty })
            let second = try await LiveSource.h264.publish(to: mirror, as: "stage")
            defer { second.stop() }
            for page in [ours, stock] {
                try await page.waitForPlayback(of: 12, atMost: .seconds(60))
                #expect(try await page.evaluate("window.isTheSamePage") == true)
            }
            try await ours.wait(for: Self.isLive)
            #expect(mirror.logged("slate on air").count == 1, "\(mirror.lastWords)")
            #expect(mirror.logged("slate off air").count == 1, "\(mirror.lastWords)")
        }
    }

    /// Our page and one with a stock hls.js, each of which has played the stream for four seconds and is
    /// marked, so that a reload shows.
    private static func withBothPlayers(
        of stream: String,
        on mirror: MirrorProcess,
        body: (_ ours: Chromium, _ stock: Chromium) async throws -> Void
    ) async throws {
        let playlist = "/live/\(stream)/playlist.m3u8"
        let viewer = Viewer(mirror.address)
        _ = try await viewer.waitFor(playlist)
        try await viewer.shutDown()
        try await Chromium.withPage { ours in
            try await Chromium.withPage { stock in
                try await ours.watch(stream, on: mirror)
                try await stock.playWithStockPlayer(
                    mirror.address + playlist,
                    from: mirror.address
                )
                try await stock.waitForPicture()
                for page in [ours, stock] {
                    try await page.waitForPlayback(of: 4, atMost: .seconds(30))
                    try await page.evaluate("window.isTheSamePage = true")
                }
                try await body(ours, stock)
            }
        }
    }

    @Test func aPageThatWasOpenedEarlyWaitsAndStartsByItself() async throws {
        let mirror = try await MirrorProcess()
        try await Chromium.withPage { page in
            try await page.navigate(to: "\(mirror.address)/watch/later")
            try await page.wait(for: "mirrorPlayer.state === 'waiting'")
            #expect(try await page.text("#message").contains("starts here by itself"))
            let publisher = try await LiveSource.h264.publish(to: mirror, as: "later")
            defer { publisher.stop() }
            try await page.waitForPicture()
            try await page.wait(for: "document.querySelector('#message').hidden")
            try await page.wait(for: Self.isLive)
            #expect(page.problems == [])
        }
    }

    @Test func playbackGoesOnAfterMediaThatCannotBeDecoded() async throws {
        let mirror = try await MirrorProcess()
        try await Chromium.withPage { page in
            try await page.awaitStream("stage", on: mirror)
            let publisher = try await LiveSource.h264.publish(to: mirror, as: "stage")
            defer { publisher.stop() }
            try await page.waitForPicture()
            // In one go with what is asked of it: it may stall by itself, before and after.
            let reaction = try await page.evaluate(
                """
                new Promise((resolve) => {
                  const fail = () => {
                    const { state, stalls } = mirrorPlayer;
                    if (state !== 'playing') return void setTimeout(fail, 20);
                    reachedPlayer.trigger(Hls.Events.ERROR, {
                      type: Hls.ErrorTypes.MEDIA_ERROR, details: 'bufferAppendError', fatal: true,
                    });
                    resolve([mirrorPlayer.state, mirrorPlayer.stalls - stalls]);
                  };
                  fail();
                })
                """
            )
            #expect(reaction == ["buffering", 1])
            try await page.waitForPicture()
            try await page.wait(for: Self.isLive)
        }
    }

    @Test func aPlayerChangesSizesFiftyTimesWithoutAStall() async throws {
        let mirror = try await MirrorProcess(
            yaml: """
                transcoding:
                  enabled: true
                  preset: ultrafast
                  output_formats:
                    - { resolution: 640x360, bitrate: 600k }
                    - { resolution: 320x180, bitrate: 200k }
                """
        )
        try await Chromium.withPage { page in
            try await page.awaitStream("stage", on: mirror)
            let publisher = try await LiveSource.h264.publish(to: mirror, as: "stage")
            defer { publisher.stop() }
            try await page.waitForPicture()
            try await page.waitForPlayback(of: 8, atMost: .seconds(30))
            try await page.watchForStalls()
            let before = try await page.playback
            let changes = try await page.evaluate(
                """
                new Promise((resolve) => {
                  const heights = new Set();
                  const video = document.querySelector('video');
                  video.addEventListener('resize', () => heights.add(video.videoHeight));
                  let [asked, changes] = [0, 0];
                  const timer = setInterval(() => {
                    reachedPlayer.nextLoadLevel = [0, 2, 1, 2, 0, 1][asked++ % 6];
                  }, 1200);
                  reachedPlayer.on(Hls.Events.LEVEL_SWITCHED, () => {
                    if (++changes < 50) return;
                    clearInterval(timer);
                    resolve([...heights].sort());
                  });
                })
                """
            )
            #expect(changes == [180, 360, 720])
            // And back at once: to a playlist that has had no news meanwhile.
            try await page.evaluate(
                """
                new Promise((resolve) => {
                  let turns = 0;
                  const timer = setInterval(() => {
                    if (turns++ === 10) {
                      clearInterval(timer);
                      return resolve(turns);
                    }
                    const home = reachedPlayer.loadLevel;
                    const away = (home + 1) % 3;
                    const turnBack = (_, { level }) => {
                      if (level !== away) return;
                      reachedPlayer.off(Hls.Events.LEVEL_LOADED, turnBack);
                      reachedPlayer.nextLoadLevel = home;
                    };
                    reachedPlayer.on(Hls.Events.LEVEL_LOADED, turnBack);
                    reachedPlayer.nextLoadLevel = away;
                  }, 1500);
                })
                """
            )
            let after = try await page.playback
            let report = try await page.stallReport
            #expect(after.stalls - before.stalls == 0, "\(report)")
            #expect(page.problems == [])
            // Before the stream was there, the page asked for it.
            #expect(page.failedLoads.allSatisfy { $0.contains("404") }, "\(page.failedLoads)")
        }
    }

    @Test func theListLeadsToTheStream() async throws {
        let mirror = try await MirrorProcess()
        let publisher = try await LiveSource.h264.publish(to: mirror, as: "stage")
        defer { publisher.stop() }
        try await Chromium.withPage { page in
            try await page.navigate(to: mirror.address)
            // The frame rate is measured: this clip does not signal it.
            try await page.wait(
                for: "document.querySelector('.stream').innerText.includes('1280 × 720, 25 fps')",
                atMost: .seconds(40)
            )
            let row = try await page.text(".stream")
            #expect(row.contains("stage") && row.contains("Live"), "\(row)")
            #expect(row.contains("H.264 High 3.1") && row.contains("AAC-LC, stereo"), "\(row)")
            try await page.evaluate("document.querySelector('.stream-watch').click()")
            try await page.wait(for: "location.pathname === '/watch/stage'")
            try await page.waitForPicture()
            #expect(page.problems == [])
            #expect(page.failedLoads == [])
        }
    }

    @Test func aCodecTheBrowserLacksIsNamed() async throws {
        let mirror = try await MirrorProcess()
        let publisher = try await LiveSource.hevc.publish(to: mirror, as: "stage")
        defer { publisher.stop() }
        try await Chromium.withPage { page in
            try await page.navigate(to: "\(mirror.address)/watch/stage")
            try await page.wait(for: "mirrorPlayer.state === 'unsupported'", atMost: .seconds(30))
            let words = try await page.text("#message")
            #expect(words.contains("cannot play this stream"), "\(words)")
            #expect(words.contains("HEVC Main") && words.contains("hvc1."), "\(words)")
            #expect(try await page.text("#state") == "Cannot play")
            #expect(page.problems == [])
        }
    }
}

import Foundation
import TestSupport
import Testing

/// SRT against ffmpeg: passphrases, and streams fetched from a listener elsewhere.
@Suite(.serialized) struct SRTTests {
    private static let clip = MirrorProcess.fixture("h264.ts")

    @Test func passphrasesAreAskedForByRule() async throws {
        let mirror = try await MirrorProcess(
            yaml: """
                ingestion: { srt: { passphrase: "for-everybody-else" } }
                streams: [{ match: "studio", passphrase: "correct-horse" }]
                """
        )
        let viewer = Viewer(mirror.address)
        let right = try Publisher.ffmpeg(
            Self.clip,
            to: mirror.publishURL("studio", "&passphrase=correct-horse&pbkeylen=32")
        )
        defer { right.stop() }
        let answer = try await viewer.waitFor("/live/studio/playlist.m3u8")
        #expect(answer.status == 200, "\(mirror.lastWords)")
        let other = try Publisher.ffmpeg(
            Self.clip,
            to: mirror.publishURL("other", "&passphrase=for-everybody-else")
        )
        defer { other.stop() }
        #expect(try await viewer.waitFor("/live/other/playlist.m3u8").status == 200)

        for (name, extra, reason) in [
            ("third", "&passphrase=wrong-horse", "wrong_passphrase"),
            ("fourth", "", "passphrase_required"),
            ("fifth", "&passphrase=correct-horse", "wrong_passphrase"),
        ] {
            let publisher = try Publisher.ffmpeg(Self.clip, to: mirror.publishURL(name, extra))
            #expect(await publisher.process.wait(atMost: .seconds(20)).status != 0, "\(name)")
            let isTold = try await eventually {
                !mirror.logged("SRT publisher refused", reason, name, "cure").isEmpty
            }
            #expect(isTold, "\(name), \(reason): \(mirror.lastWords)")
        }
        let metrics = try await mirror.metrics(by: viewer)
        #expect(metrics["mirror_publish_refusals_total{reason=\"wrong_passphrase\"}"] == 2)
    }

    @Test func aPassphraseThatIsTooShortIsRefusedOnBothSides() async throws {
        let mirror = try await MirrorProcess()
        let publisher = try Publisher.ffmpeg(
            Self.clip,
            to: mirror.publishURL("live", "&passphrase=short")
        )
        #expect(await publisher.process.wait(atMost: .seconds(20)).status != 0)

        try mirror.rewriteConfiguration("ingestion: { srt: { passphrase: \"short\" } }\n")
        let check = try ExternalProcess(
            MirrorProcess.binary.path,
            ["config", "check", "--config", mirror.folder.appending(path: "mirror.yaml").path]
        )
        let result = await check.wait(atMost: .seconds(20))
        let words = result.errors + result.text
        #expect(result.status != 0)
        #expect(
            words.contains("ingestion.srt.passphrase") && words.contains("10 to 79"),
            "\(words)"
        )
        #expect(!words.contains("short\""), "the secret is printed: \(words)")
    }

    @Test func aStreamIsFetchedFromAListenerAndAgainWhenItReturns() async throws {
        let port = FreePort.udp
        let url = "srt://127.0.0.1:\(port)"
        let mirror = try await MirrorProcess(
            yaml: """
                packaging: { segment_target: 1s }
                ingestion:
                  srt:
                    callers:
                      - { url: "\(url)", stream: pulled, reconnect_min: 100ms, reconnect_max: 500ms }
                """
        )
        let viewer = Viewer(mirror.address)
        let first = try Publisher.ffmpeg(Self.clip, to: "\(url)?mode=listener")
        let answer = try await viewer.waitFor("/live/pulled/playlist.m3u8")
        #expect(answer.status == 200, "\(mirror.lastWords)")
        let path = "/live/pulled/video/playlist.m3u8"
        let before = try await viewer.playlist(path)
        first.stop()
        _ = await first.process.wait()

        let second = try Publisher.ffmpeg(Self.clip, to: "\(url)?mode=listener")
        defer { second.stop() }
        let hasReturned = try await eventually {
            let playlist = try await viewer.playlist(path)
            return playlist.openMediaSequence > before.openMediaSequence
                && playlist.segments.contains(where: \.isDiscontinuity)
        }
        #expect(hasReturned, "\(mirror.lastWords)")
        let description = try #require(try await mirror.stream("pulled", by: viewer))
        #expect(description[path: "publisher.transport"] == "srt_caller", "\(description)")
        #expect(!mirror.logged("SRT pull ended").isEmpty)
    }
}

import Foundation
import Hummingbird
import HummingbirdTesting
import Ingestion
import Management
import Media
import NIOCore
import Packaging
import Synchronization
import TestSupport
import Testing

/// The pages in a real browser, against a server without media.
@Suite(.timeLimit(.minutes(2))) struct ConsolePagesTests {
    @Test func theListShowsStreamsAndWhatTheirEncodersShouldChange() async throws {
        var stream = try StreamSnapshot.live("stage")
        var statistics = PackagerStatistics()
        statistics.advice = [Advice(code: .gopTooLong, text: "Set the <keyframe> interval to 2 s.")]
        stream.packaging = PackagingSnapshot(statistics)
        try await browse(ManagementFixture(streams: [stream])) { page, address in
            try await page.navigate(to: address)
            try await page.wait(for: "document.querySelector('.stream')")
            let row = try await page.evaluate("document.querySelector('.stream').innerText").string
            #expect(row?.contains("stage") == true)
            #expect(row?.contains("HEVC Main 10 4.1, 1920 × 1080, 59.94 fps, 10-bit, HLG") == true)
            #expect(row?.contains("50.0 Mbit/s") == true)
            #expect(row?.contains("Set the <keyframe> interval to 2 s.") == true)
            let link = "document.querySelector('.stream-watch').pathname"
            #expect(try await page.evaluate(link) == "/watch/stage")
            #expect(page.problems == [])
            #expect(page.failedLoads == [])
        }
    }

    /// The room for it is there before it is, and stays what it was.
    @Test func aStreamIsShownWithItsPicture() async throws {
        let file = try await ExternalProcess.run(
            "ffmpeg",
            [
                "-v", "error", "-f", "lavfi", "-i", "color=red:s=320x136", "-frames:v", "1", "-f",
                "mjpeg", "-",
            ]
        ).output
        let isMade = Mutex(false)
        var stream = try StreamSnapshot.live("stage")
        stream.thumbnail = ThumbnailSnapshot(
            of: try #require(StreamName("stage")),
            state: "ready",
            interval: .seconds(1),
            decodes: 0,
            failures: 0,
            cpuTime: .zero
        )
        let fixture = ManagementFixture(
            streams: [stream, try .live("radio")],
            thumbnail: { _, format in
                while !isMade.withLock({ $0 }) { try await Task.sleep(for: .milliseconds(10)) }
                return Thumbnail(
                    format: format,
                    width: 320,
                    height: 136,
                    bytes: ByteBuffer(bytes: file),
                    takenAt: .sample
                )
            }
        )
        try await browse(fixture) { page, address in
            try await page.navigate(to: address)
            try await page.wait(for: "document.querySelectorAll('.stream').length === 2")
            let room = """
                [...document.querySelectorAll('.stream')].map((row) => {
                  const { width, height } = row.querySelector('.stream-picture').getBoundingClientRect();
                  return `${row.offsetHeight} ${Math.round(width)}x${Math.round(height)}`;
                }).join()
                """
            let before = try await page.evaluate(room).string
            #expect(before?.contains(" 176x99") == true && before?.contains(" 0x0") == true)
            isMade.withLock { $0 = true }
            let image = "document.querySelector('.stream-picture img')"
            try await page.wait(for: "\(image).naturalWidth === 320 && !\(image).hidden")
            #expect(try await page.evaluate("\(image).alt") == "Picture of stage")
            #expect(try await page.evaluate(room).string == before)
            let first = try await page.evaluate("\(image).src").string
            try await page.wait(for: "\(image).src !== '\(first ?? "")'")
            #expect(page.problems == [])
            #expect(page.failedLoads == [])
        }
    }

    @Test func aSenderThatIsLookedAtIsShownWithWhatItLacks() async throws {
        let detection = try RTPDetection.sample()
        let fixture = ManagementFixture(streams: [StreamSnapshot(detection)])
        try await browse(fixture) { page, address in
            try await page.navigate(to: address)
            try await page.wait(for: "document.querySelector('.stream')")
            let row = try await page.evaluate("document.querySelector('.stream').innerText").string
            #expect(row?.contains("Detecting") == true)
            #expect(row?.contains("no parameter sets in band") == true)
            let isHidden = "getComputedStyle(document.querySelector('.stream-watch')).display"
            #expect(try await page.evaluate(isHidden) == "none")
            let command = "document.getElementById('rtp-command').innerText"
            #expect(try await page.evaluate(command).string?.contains("port=5004") == true)
            #expect(page.problems == [])
        }
    }

    @Test func inputsAreShownAndChosenByHand() async throws {
        let commands = Mutex<[String]>([])
        let fixture = ManagementFixture(
            streams: [try .redundant(selecting: "main-a")],
            selectInput: { stream, input in
                commands.withLock { $0.append("\(stream) \(input?.description ?? "first")") }
            }
        )
        try await browse(fixture) { page, address in
            try await page.navigate(to: address)
            try await page.wait(for: "document.querySelectorAll('.inputs li').length === 2")
            let row = try await page.evaluate("document.querySelector('.inputs').innerText").string
            #expect(row?.contains("On air") == true && row?.contains("192.0.2.7:9000") == true)
            #expect(row?.contains("Missing") == true)
            let buttons = "[...document.querySelectorAll('.inputs button')]"
            let hidden = "\(buttons).map((one) => one.checkVisibility()).join()"
            #expect(try await page.evaluate(hidden) == "true,false")
            _ = try await page.evaluate("\(buttons)[0].click()")
            let hasArrived = try await eventually { commands.withLock { $0 } == ["main first"] }
            #expect(hasArrived)
            #expect(page.problems == [])
        }
    }

    @Test func theEmptyListTellsHowToPublish() async throws {
        try await browse(ManagementFixture()) { page, address in
            try await page.navigate(to: address)
            try await page.wait(for: "!document.getElementById('publish').hidden")
            let command = try await page.evaluate("document.getElementById('command').innerText")
            #expect(command.string?.hasPrefix("ffmpeg -re -i input.mp4 -c copy -f mpegts") == true)
            #expect(
                command.string?.hasSuffix(
                    "\"srt://localhost:30000?streamid=mystream&passphrase=YOUR-PASSPHRASE\""
                ) == true
            )
            #expect(page.problems == [])
        }
    }

    @Test func theWatchPageWaitsForAStreamThatIsNotThere() async throws {
        let folder = MirrorProcess.project.appending(path: ".cache/web").path
        let fixture = ManagementFixture(webAssetsDirectory: folder)
        try await browse(fixture) { page, address in
            try await page.navigate(to: "\(address)/watch/nobody")
            try await page.wait(for: "mirrorPlayer.state === 'waiting'")
            let title = "document.getElementById('message-title').innerText"
            #expect(try await page.evaluate(title) == "Waiting for the stream")
            #expect(page.problems == [])
            #expect(page.failedLoads.allSatisfy { $0.contains("/live/nobody/playlist.m3u8") })
        }
    }

    @Test func theWatchPageSaysWhenItsPlayerIsMissing() async throws {
        try await browse(ManagementFixture()) { page, address in
            try await page.navigate(to: "\(address)/watch/stage")
            try await page.wait(for: "mirrorPlayer.state === 'unavailable'")
            let detail = try await page.evaluate(
                "document.getElementById('message-detail').innerText"
            )
            #expect(detail.string?.contains("scripts/fetch-web-assets") == true)
            #expect(page.problems.allSatisfy { $0.contains("/assets/hls.min.js") })
        }
    }

    private func browse(
        _ fixture: ManagementFixture,
        _ body: @escaping @Sendable (Chromium, String) async throws -> Void
    ) async throws {
        try await fixture.application.test(.live) { client in
            let port = try #require(client.port)
            try await Chromium.withPage { page in
                try await body(page, "http://localhost:\(port)")
            }
        }
    }
}

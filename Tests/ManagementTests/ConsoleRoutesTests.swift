import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Management
import NIOCore
import TestSupport
import Testing

@Suite struct ConsoleRoutesTests {
    @Test(arguments: [
        ("/", "text/html; charset=utf-8"),
        ("/watch/stage", "text/html; charset=utf-8"),
        ("/assets/mirror.css", "text/css; charset=utf-8"),
        ("/assets/player.js", "text/javascript; charset=utf-8"),
        ("/assets/icon.svg", "image/svg+xml"),
    ])
    func filesAreServedForWhatTheyAre(path: String, contentType: String) async throws {
        let fixture = ManagementFixture()
        let response = try await fixture.get(path)
        #expect(response.status == .ok)
        #expect(response.headers[.contentType] == contentType)
        #expect(response.headers[.xContentTypeOptions] == "nosniff")
        #expect(response.headers[.contentSecurityPolicy]?.contains("script-src 'self';") == true)
        let tag = try #require(response.headers[.eTag])
        let again = try await fixture.get(path, headers: [.ifNoneMatch: tag])
        #expect(again.status == .notModified)
        #expect(again.body.readableBytes == 0)
        #expect(again.headers[.eTag] == tag)
    }

    /// The policy forbids them, so a page that has one would be broken.
    @Test func pagesHaveNoInlineScriptOrStyle() async throws {
        for path in ["/", "/watch/stage"] {
            let html = String(buffer: try await ManagementFixture().get(path).body)
            #expect(!html.contains("<style"))
            #expect(!html.contains(" style=\""))
            let scripts = html.matches(of: /<script [^>]*src="\/assets\/[^>]*><\/script>/)
            #expect(scripts.count == html.ranges(of: "<script").count)
            #expect(!html.contains(" onclick"))
        }
    }

    @Test func theWatchPageAsksForThePinnedPlayerLibrary() async throws {
        let html = String(buffer: try await ManagementFixture().get("/watch/stage").body)
        let script = try String(
            contentsOf: MirrorProcess.project.appending(path: "scripts/fetch-web-assets"),
            encoding: .utf8
        )
        let pin = try #require(script.firstMatch(of: /[0-9a-f]{64}/)).output
        #expect(html.contains("/assets/hls.min.js?v=\(pin.prefix(8))\""))
    }

    @Test func aMissingPlayerLibraryIsAProblemWithItsCure() async throws {
        let response = try await ManagementFixture().get("/assets/hls.min.js")
        #expect(response.status == .notFound)
        #expect(try response.json["detail"]?.string?.contains("scripts/fetch-web-assets") == true)
    }

    @Test func anotherPlayerLibraryThanThePinnedOneIsNotServed() async throws {
        try await withFolder { folder in
            try Data("alert(1)".utf8).write(to: folder.appending(path: "hls.min.js"))
            let fixture = ManagementFixture(webAssetsDirectory: folder.path)
            #expect(try await fixture.get("/assets/hls.min.js").status == .notFound)
        }
    }

    @Test func thePinnedPlayerLibraryIsServedForGood() async throws {
        let folder = MirrorProcess.project.appending(path: ".cache/web").path
        let fixture = ManagementFixture(webAssetsDirectory: folder)
        let response = try await fixture.get("/assets/hls.min.js?v=a78b3603")
        #expect(response.status == .ok, "run scripts/fetch-web-assets")
        #expect(response.headers[.cacheControl] == "public, max-age=31536000, immutable")
        #expect(response.body.readableBytes == 412_351)
    }
}

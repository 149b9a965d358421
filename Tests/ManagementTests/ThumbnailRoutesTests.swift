import Distribution
import Foundation
import HTTPTypes
import HummingbirdTesting
import Management
import Media
import NIOCore
import TestSupport
import Testing

@Suite struct ThumbnailRoutesTests {
    private static let path = "/api/v1/streams/stage/thumbnail"

    private static let fixture = ManagementFixture(thumbnail: { name, format in
        guard name.description == "stage" else { throw ProblemDetails.nobodyPublishes(name) }
        return Thumbnail(
            format: format,
            width: 320,
            height: 180,
            bytes: ByteBuffer(string: "a picture, \(format)"),
            takenAt: .sample
        )
    })

    @Test(arguments: [("jpg", "image/jpeg", "jpeg"), ("webp", "image/webp", "webP")])
    func aPictureIsSentWithItsTimeAndHowLongItHolds(
        name: String,
        type: String,
        words: String
    ) async throws {
        let response = try await Self.fixture.get("\(Self.path).\(name)?29")
        #expect(response.status == .ok)
        #expect(response.headers[.contentType] == type)
        #expect(response.headers[.cacheControl] == "public, max-age=5")
        #expect(response.headers[.lastModified] == "Sun, 01 Mar 2026 12:00:00 GMT")
        #expect(String(buffer: response.body) == "a picture, \(words)")
        let head = try await Self.fixture.get("\(Self.path).\(name)", .head)
        #expect(head.status == .ok)
        #expect(head.headers[.contentLength] == "\(response.body.readableBytes)")
        #expect(head.body.readableBytes == 0)
        #expect(head.headers[.eTag] == response.headers[.eTag])
    }

    @Test func whoeverHasItIsToldSo() async throws {
        let first = try await Self.fixture.get("\(Self.path).jpg")
        let tag = try #require(first.headers[.eTag])
        let date = try #require(first.headers[.lastModified])
        let later = "Sun, 01 Mar 2026 12:00:05 GMT"
        let cases: [(HTTPFields, isKnown: Bool)] = [
            ([.ifNoneMatch: tag], true), ([.ifNoneMatch: "\"x\", W/\(tag)"], true),
            ([.ifNoneMatch: "\"x\""], false), ([.ifModifiedSince: date], true),
            ([.ifModifiedSince: later], false),
            // Tags go before dates (RFC 9110, 13.1.3).
            ([.ifNoneMatch: "\"x\"", .ifModifiedSince: date], false),
        ]
        for (headers, isKnown) in cases {
            let answer = try await Self.fixture.get("\(Self.path).jpg", headers: headers)
            #expect(answer.status == (isKnown ? .notModified : .ok), "\(headers)")
            #expect(answer.headers[.eTag] == tag)
            #expect(answer.headers[.cacheControl] == "public, max-age=5")
            #expect((answer.body.readableBytes == 0) == isKnown)
        }
    }

    @Test(arguments: ["/api/v1/streams/nobody/thumbnail.jpg", "/api/v1/streams/.x/thumbnail.webp"])
    func unknownNamesAreProblems(path: String) async throws {
        let response = try await Self.fixture.get(path)
        #expect(response.status == .notFound)
        #expect(try response.json["type"] == "urn:mirror:problem:unknown_stream")
        #expect(response.headers[.cacheControl] == "no-store")
    }

    @Test func whatTheyCostIsOnThePageOfMetrics() async throws {
        var stream = try StreamSnapshot.live("stage")
        let name = try #require(StreamName("stage"))
        stream.thumbnail = ThumbnailSnapshot(
            of: name,
            state: "failing",
            interval: .seconds(5),
            decodes: 7,
            failures: 2,
            cpuTime: .milliseconds(1_250)
        )
        let page = Metrics(
            String(buffer: try await ManagementFixture(streams: [stream]).get("/metrics").body)
        )
        #expect(page["mirror_thumbnail_decodes_total{stream=\"stage\"}"] == 7)
        #expect(page["mirror_thumbnail_failures_total{stream=\"stage\"}"] == 2)
        #expect(page["mirror_thumbnail_cpu_seconds_total{stream=\"stage\"}"] == 1.25)
    }

    @Test func otherMethodsAreToldWhichAreAnswered() async throws {
        let response = try await Self.fixture.get("\(Self.path).jpg", .post)
        #expect(response.status == .methodNotAllowed)
        #expect(response.headers[.allow] == "GET, HEAD")
    }
}

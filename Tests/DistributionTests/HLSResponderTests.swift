import Distribution
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import NIOCore
import Packaging
import Testing

@Suite struct HLSResponderTests {
    private let fixture: LiveFixture

    init() throws {
        fixture = try #require(LiveFixture())
        fixture.publish(parts: 0..<13)
    }

    private func get(
        _ path: String,
        _ method: HTTPRequest.Method = .get,
        headers: HTTPFields = [:]
    ) async throws -> TestResponse {
        try await Application(responder: fixture.responder(), logger: LiveFixture.logger)
            .test(.router) { try await $0.execute(uri: path, method: method, headers: headers) }
    }

    @Test func aMultivariantPlaylistSaysWhatItIsAndHowLongItHolds() async throws {
        let response = try await get("/live/cam/playlist.m3u8")
        #expect(response.status == .ok)
        #expect(response.headers[.contentType] == "application/vnd.apple.mpegurl")
        #expect(response.headers[.cacheControl] == "public, max-age=1")
        #expect(response.headers[.vary] == "Accept-Encoding")
        #expect(response.headers[.contentLength] == "\(response.body.readableBytes)")
        #expect(response.headers[.accessControlAllowOrigin] == "*")
        #expect(response.headers[.server] == "Mirror")
        #expect(response.headers[.eTag]?.hasPrefix("\"") == true)
        #expect(String(buffer: response.body).contains("video/playlist.m3u8"))
    }

    @Test func aPlaylistIsCompressedForWhoTakesItUnderATagOfItsOwn() async throws {
        let path = "/live/cam/video/playlist.m3u8"
        let plain = try await get(path)
        let gzip = try await get(path, headers: [.acceptEncoding: "br, gzip;q=0.8"])
        #expect(plain.headers[.contentEncoding] == nil)
        #expect(gzip.headers[.contentEncoding] == "gzip")
        #expect(gzip.body.getInteger(at: gzip.body.readerIndex) as UInt16? == 0x1f8b)
        #expect(gzip.headers[.contentLength] == "\(gzip.body.readableBytes)")
        #expect(gzip.body.readableBytes < plain.body.readableBytes)
        #expect(gzip.headers[.eTag] != plain.headers[.eTag])
    }

    @Test func theIFramesOfAPictureAreRangesOfItsSegments() async throws {
        let path = "/live/cam/video/iframes.m3u8"
        let playlist = try await get(path)
        #expect(playlist.status == .ok)
        #expect(playlist.headers[.contentType] == "application/vnd.apple.mpegurl")
        #expect(playlist.headers[.cacheControl] == "public, max-age=1")
        #expect(try await get(path, headers: [.acceptEncoding: "gzip"]).headers[.eTag] != nil)
        let lines = String(buffer: playlist.body).split(separator: "\n")
        #expect(lines.contains("#EXT-X-I-FRAMES-ONLY"))
        let range = try #require(lines.last { $0.hasPrefix("#EXT-X-BYTERANGE:") })
        let end = try #require(Int(range.dropFirst("#EXT-X-BYTERANGE:".count).dropLast("@0".count)))
        let bytes = try await get(
            "/live/cam/video/\(try #require(lines.last))",
            headers: [.range: "bytes=0-\(end - 1)"]
        )
        #expect(bytes.status == .partialContent)
        #expect(bytes.body.readableBytes == end)
        #expect(try await get("/live/cam/sound/iframes.m3u8").status == .notFound)
    }

    @Test func whoHasThePlaylistAlreadyIsToldSo() async throws {
        let path = "/live/cam/video/playlist.m3u8"
        let tag = try #require(try await get(path).headers[.eTag])
        let again = try await get(path, headers: [.ifNoneMatch: "\"other\", W/\(tag)"])
        #expect(again.status == .notModified)
        #expect(again.body.readableBytes == 0)
        #expect(again.headers[.eTag] == tag)
        #expect(again.headers[.cacheControl] == "public, max-age=1")
        #expect(again.headers[.contentType] == nil)
        fixture.publish(parts: 13..<14)
        #expect(try await get(path, headers: [.ifNoneMatch: tag]).status == .ok)
    }

    @Test func aBlockingRequestWaitsForItsPartAndMayBeCachedForAMoment() async throws {
        // Twelve parts make segments 0 to 3; the thirteenth is part 0 of segment 4.
        async let waiting = get("/live/cam/video/playlist.m3u8?_HLS_msn=4&_HLS_part=1")
        #expect(try await eventually { fixture.store.statistics.waiters == 1 })
        fixture.publish(parts: 13..<14)
        let response = try await waiting
        #expect(response.status == .ok)
        #expect(response.headers[.cacheControl] == "public, max-age=2")
        #expect(String(buffer: response.body).contains("e1-part13.m4s"))
    }

    @Test func aHintedPartIsHeldOpenUntilItIsThere() async throws {
        async let waiting = get("/live/cam/video/e1-part13.m4s")
        #expect(try await eventually { fixture.store.statistics.waiters == 1 })
        fixture.publish(parts: 13..<14)
        let response = try await waiting
        #expect(response.body == fixture.bytes(ofPart: 13))
        #expect(response.headers[.cacheControl] == "public, max-age=31536000, immutable")
    }

    @Test(arguments: [
        ("_HLS_part=1", "bad_request"), ("_HLS_msn=x", "bad_request"),
        ("_HLS_msn=1000000000000000000", "too_far_ahead"),
    ])
    func directivesThatCannotBeFollowedAreAnsweredAtOnce(query: String, code: String) async throws {
        let response = try await get("/live/cam/video/playlist.m3u8?\(query)")
        #expect(response.status == .badRequest)
        #expect(response.headers[.contentType] == "application/problem+json")
        #expect(response.headers[.cacheControl] == "no-store")
        let text = String(buffer: response.body)
        #expect(text.contains("urn:mirror:problem:\(code)"))
        let name = try #require(HTTPField.Name("X-Request-Id"))
        let requestID = try #require(response.headers[name])
        #expect(text.contains("\"request_id\":\"\(requestID)\""))
    }

    @Test(arguments: [
        ("/live/nobody/playlist.m3u8", "unknown_stream"),
        ("/live/..%2fcam/playlist.m3u8", "unknown_stream"),
        ("/live/%2e%2e/playlist.m3u8", "unknown_stream"),
        ("/live/" + String(repeating: "a", count: 65) + "/playlist.m3u8", "unknown_stream"),
        ("/live/cam/sound/playlist.m3u8", "unknown_rendition"),
        ("/live/cam/video/e1-part99.m4s", "unknown_resource"),
        ("/live/cam/video/e0-seg1.m4s", "unknown_resource"),
        ("/live/cam/video/..%2f..%2fkey.pem", "unknown_resource"),
        ("/live/cam", "not_found"), ("/elsewhere", "not_found"),
    ])
    func whatIsNotThereIsNotFoundAndNotKept(path: String, code: String) async throws {
        let response = try await get(path)
        #expect(response.status == .notFound)
        #expect(response.headers[.cacheControl] == "no-store")
        #expect(String(buffer: response.body).contains("urn:mirror:problem:\(code)"))
    }

    @Test func aPathThatIsTooLongIsNotRead() async throws {
        let response = try await get(
            "/live/cam/playlist.m3u8?" + String(repeating: "a", count: 3000)
        )
        #expect(response.status.code == 414)
    }

    @Test func otherMethodsAreToldWhichAreAnswered() async throws {
        let response = try await get("/live/cam/playlist.m3u8", .post)
        #expect(response.status == .methodNotAllowed)
        #expect(response.headers[.allow] == "GET, HEAD, OPTIONS")
        #expect(try await get("/live", .post).status == .notFound)
    }

    @Test func aPreflightIsAnsweredForMediaOnly() async throws {
        let media = try await get("/live/cam/video/e1-part3.m4s", .options)
        #expect(media.status == .noContent)
        #expect(media.headers[.accessControlAllowMethods] == "GET, HEAD, OPTIONS")
        #expect(media.headers[.accessControlAllowHeaders]?.contains("Range") == true)
        let other = try await get("/api/v1/streams", .options)
        #expect(other.headers[.accessControlAllowOrigin] == nil)
    }

    @Test func aSegmentIsItsPartsOneAfterTheOther() async throws {
        let response = try await get("/live/cam/video/e1-seg2.m4s")
        #expect(response.headers[.contentType] == "video/mp4")
        #expect(response.headers[.contentLength] == "3000")
        #expect(response.headers[.acceptRanges] == "bytes")
        var whole = ByteBuffer()
        for number in 6..<9 { whole.writeImmutableBuffer(fixture.bytes(ofPart: number)) }
        #expect(response.body == whole)
    }

    @Test(arguments: [
        ("bytes=0-99", "bytes 0-99/3000", 100), ("bytes=950-2049", "bytes 950-2049/3000", 1100),
        ("bytes=2900-", "bytes 2900-2999/3000", 100), ("bytes=-1", "bytes 2999-2999/3000", 1),
        ("bytes=-9999", "bytes 0-2999/3000", 3000), ("Bytes=0-99999", "bytes 0-2999/3000", 3000),
    ])
    func aRangeIsAnsweredWithThatPart(range: String, contentRange: String, count: Int) async throws
    {
        let whole = try await get("/live/cam/video/e1-seg2.m4s").body
        let response = try await get("/live/cam/video/e1-seg2.m4s", headers: [.range: range])
        #expect(response.status == .partialContent)
        #expect(response.headers[.contentRange] == contentRange)
        #expect(response.headers[.contentLength] == "\(count)")
        let first = try #require(Int(contentRange.dropFirst(6).prefix { $0 != "-" }))
        #expect(response.body == whole.getSlice(at: whole.readerIndex + first, length: count))
    }

    @Test(arguments: ["bytes=3000-", "bytes=-0", "bytes=99999999999999999999999-"])
    func aRangeBeyondTheEndIsRefusedWithTheLength(range: String) async throws {
        let response = try await get("/live/cam/video/e1-seg2.m4s", headers: [.range: range])
        #expect(response.status == .rangeNotSatisfiable)
        #expect(response.headers[.contentRange] == "bytes */3000")
    }

    @Test(arguments: ["bytes=0-1,5-6", "bytes=9-3", "bytes=a-b", "bytes", "seconds=1-2", "bytes=-"])
    func aRangeThatIsNotOneRangeOfBytesIsAnsweredWithTheWhole(range: String) async throws {
        let response = try await get("/live/cam/video/e1-seg2.m4s", headers: [.range: range])
        #expect(response.status == .ok)
        #expect(response.body.readableBytes == 3000)
    }

    @Test func aRangeOfSomethingElseIsAnsweredWithTheWhole() async throws {
        let path = "/live/cam/video/e1-seg2.m4s"
        let tag = try #require(try await get(path).headers[.eTag])
        for (condition, status) in [
            (tag, HTTPResponse.Status.partialContent), ("\"other\"", .ok), ("W/\(tag)", .ok),
            ("Wed, 21 Oct 2015 07:28:00 GMT", .ok),
        ] {
            let response = try await get(path, headers: [.range: "bytes=0-0", .ifRange: condition])
            #expect(response.status == status, "If-Range: \(condition)")
        }
    }

    @Test(arguments: [
        "/live/cam/playlist.m3u8", "/live/cam/video/playlist.m3u8", "/live/cam/video/e1-seg2.m4s",
        "/live/cam/video/e1-part4.m4s", "/live/cam/video/e1-init0.mp4",
    ])
    func headHasTheFieldsOfGetAndNoBody(path: String) async throws {
        var (get, head) = (try await get(path), try await get(path, .head))
        #expect(get.status == .ok)
        #expect(head.status == get.status)
        #expect(head.body.readableBytes == 0)
        let requestID = try #require(HTTPField.Name("X-Request-Id"))
        var (fields, headFields) = (get.headers, head.headers)
        fields[requestID] = nil
        headFields[requestID] = nil
        #expect(headFields == fields)
        #expect(fields[.contentLength] == "\(get.body.readableBytes)")
        (get, head) = (head, get)
    }

    @Test func aFaultOfTheServerIsNotToldToTheViewer() async throws {
        struct Fault: Error { let secret = "hunter2" }
        let responder = MirrorRouter.makeResponder { router in
            router.get("/fault") { _, _ -> String in throw Fault() }
            router.get("/teapot") { _, _ -> String in throw HTTPError(.conflict, message: "in use")
            }
        }
        try await Application(responder: responder, logger: LiveFixture.logger).test(.router) {
            client in
            let fault = try await client.execute(uri: "/fault", method: .get)
            #expect(fault.status == .internalServerError)
            #expect(!String(buffer: fault.body).contains("hunter2"))
            let conflict = try await client.execute(uri: "/teapot", method: .get)
            #expect(conflict.status == .conflict)
            #expect(String(buffer: conflict.body).contains("in use"))
        }
    }
}

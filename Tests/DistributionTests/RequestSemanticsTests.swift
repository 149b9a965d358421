import Distribution
import Foundation
import HTTPTypes
import Media
import NIOCore
import NIOEmbedded
import NIOHTTPTypes
import Testing

@Suite struct RequestSemanticsTests {
    @Test(arguments: [
        (nil, false), ("gzip", true), ("GZIP", true), ("x-gzip", true), ("deflate, br", false),
        ("gzip;q=0", false), ("*", true), ("*;q=0", false), ("identity;q=1, gzip;q=0.5", false),
        ("gzip;q=0.5, *;q=0", true), ("gzip;q=abc", false), ("gzip;q=nan", false), ("", false),
        (";;,", false),
    ])
    func gzipIsSentToWhoTakesItGladly(field: String?, isGzip: Bool) {
        var headers: HTTPFields = [:]
        headers[.acceptEncoding] = field
        #expect(ContentCoding(accepting: headers) == (isGzip ? .gzip : .identity))
    }

    @Test func anEmptyResourceHasNoRanges() {
        #expect(ByteRange(header: "bytes=0-", length: 0) == .unsatisfiable)
        #expect(ByteRange(header: "bytes=-5", length: 0) == .unsatisfiable)
        #expect(ByteRange(header: nil, length: 0) == .whole)
    }

    @Test func writesOfChunksAreFullAndAddUp() {
        let sizes = [1, MediaBody.writeLimit * 2 + 7, 0, 5000]
        let chunks = sizes.enumerated().map {
            ByteBuffer(repeating: UInt8($0.offset), count: $0.element)
        }
        var whole = ByteBuffer()
        for chunk in chunks { whole.writeImmutableBuffer(chunk) }
        for range in [0..<whole.readableBytes, 1..<2, 0..<0, 3..<MediaBody.writeLimit * 2 + 9] {
            let writes = MediaBody.writes(of: chunks, in: range)
            let sizes = writes.map { $0.reduce(0) { $0 + $1.readableBytes } }
            #expect(sizes.dropLast().allSatisfy { $0 == MediaBody.writeLimit })
            #expect(sizes.last ?? 0 <= MediaBody.writeLimit)
            var joined = ByteBuffer()
            for slice in writes.joined() { joined.writeImmutableBuffer(slice) }
            #expect(joined == whole.getSlice(at: range.lowerBound, length: range.count))
        }
    }

    @Test(arguments: [
        (784_111_777.0, "Sun, 06 Nov 1994 08:49:37 GMT"), (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
        (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"),
        (1_735_689_599, "Tue, 31 Dec 2024 23:59:59 GMT"),
    ])
    func datesAreWrittenAsTheSpecificationWants(second: Double, text: String) {
        #expect(HTTPDate().text(now: Date(timeIntervalSince1970: second)) == text)
    }

    @Test(arguments: [
        ("/live/a/playlist.m3u8", RouteClass.multivariantPlaylist),
        ("/live/a/video/iframes.m3u8", .mediaPlaylist),
        ("/live/a/video/playlist.m3u8", .mediaPlaylist),
        ("/live/a/video/playlist.m3u8?_HLS_msn=7&_HLS_part=1", .mediaPlaylist),
        ("/live/a/video/a-part-seg1.m4s", .segment), ("/metrics?a=/live/", .metrics),
        ("/live/a/video/e-part1.m4s", .part),
        ("/live/a/video/e-seg1.m4s", .segment), ("/live/a/video/e-init1.mp4", .initialization),
        ("/live/", .other), ("/live/a/b", .other), ("/api/v1/streams", .api),
        ("/health/live", .health),
        ("/metrics", .metrics), ("/", .page), ("/watch/a", .page), ("", .page),
    ])
    func requestsAreClassedByTheShapeOfTheirPath(path: String, route: RouteClass) {
        #expect(RouteClass(path: path) == route)
    }

    @Test func viewersAreCountedOnceAndForgotten() throws {
        let (a, b) = (try #require(StreamName("a")), try #require(StreamName("b")))
        var census = ViewerCensus()
        let start = ContinuousClock.now
        for second in 0..<8 {
            census.insert(1, of: a, now: start + .seconds(second))
            census.insert(2, of: a, now: start + .seconds(second))
            census.insert(1, of: b, now: start + .seconds(second))
        }
        #expect(census.count(of: a, now: start + .seconds(9)) == 2)
        #expect(census.count(of: b, now: start + .seconds(9)) == 1)
        census.insert(3, of: a, now: start + .seconds(11))
        #expect(census.count(of: a, now: start + .seconds(12)) == 3)
        #expect(census.count(of: a, now: start + .seconds(22)) == 1)
        #expect(census.count(of: a, now: start + .seconds(50)) == 0)
    }

    @Test func aViewerThatTakesNothingIsCutOffAndOneThatTakesALittleIsNot() throws {
        let loop = EmbeddedEventLoop()
        let stalls = Counter()
        let held = HeldWrites()
        let channel = EmbeddedChannel(
            handlers: [held, ResponseStallHandler(limit: .seconds(20)) { stalls.increment() }],
            loop: loop
        )
        for _ in 0..<3 {
            channel.write(HTTPResponsePart.body(ByteBuffer(string: "x")), promise: nil)
        }
        loop.advanceTime(by: .seconds(19))
        held.releaseOne()
        loop.advanceTime(by: .seconds(19))
        held.releaseOne()
        loop.advanceTime(by: .seconds(19))
        #expect(stalls.value == 0)
        loop.advanceTime(by: .seconds(1))
        #expect(stalls.value == 1)
        #expect(!channel.isActive)
    }
}

/// Stands for a socket that takes a write when it is told to.
private final class HeldWrites: ChannelOutboundHandler {
    typealias OutboundIn = Any

    private var promises: [EventLoopPromise<Void>?] = []

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        promises.append(promise)
    }

    func releaseOne() {
        promises.removeFirst()?.succeed()
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        for promise in promises { promise?.fail(ChannelError.ioOnClosedChannel) }
        promises = []
    }
}

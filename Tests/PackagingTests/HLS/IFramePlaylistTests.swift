import Media
import NIOCore
import Packaging
import Testing

/// Golden playlists of I-frames.
struct IFramePlaylistTests {
    private var source = StreamSource()
    private var state = SegmentStoreState(
        configuration: PackagingConfiguration(),
        epoch: StreamSource.epoch,
        limits: .init()
    )

    private var text: String? {
        guard case .playlist(let playlist) = state.resolve(.iFramePlaylist(StreamSource.video))
        else { return nil }
        return playlist.plain.text
    }

    /// A segment of six parts, of which the first has an I-frame that ends after so many bytes.
    private mutating func publish(iFrame: Int?, isDiscontinuity: Bool = false) {
        var outputs = source.open(isDiscontinuity: isDiscontinuity)
        let first = Part(
            slices: [ByteBuffer(repeating: 0, count: 50_000)],
            duration: StreamSource.partDuration,
            isIndependent: iFrame != nil,
            firstFrameEnd: iFrame
        )
        outputs.append(.part(StreamSource.video, first))
        outputs += (0..<5).map { _ in StreamSource.part() }
        state.apply(outputs + [.closeSegment(StreamSource.video)])
        source.advance()
    }

    @Test mutating func wholeSegmentsAreListedByTheirIFrames() {
        state.apply([.renditions([StreamSource.picture()])])
        #expect(text == nil)
        publish(iFrame: 20_100)
        publish(iFrame: 19_000)
        // One that grows is not listed.
        state.apply(source.open(parts: 2))
        #expect(
            text == """
                #EXTM3U
                #EXT-X-VERSION:5
                #EXT-X-TARGETDURATION:4
                #EXT-X-MEDIA-SEQUENCE:0
                #EXT-X-DISCONTINUITY-SEQUENCE:0
                #EXT-X-I-FRAMES-ONLY
                #EXT-X-MAP:URI="e1-init0.mp4"
                #EXT-X-PROGRAM-DATE-TIME:2026-07-01T12:00:00.000Z
                #EXTINF:2.000000,
                #EXT-X-BYTERANGE:20100@0
                e1-seg0.m4s
                #EXT-X-PROGRAM-DATE-TIME:2026-07-01T12:00:02.000Z
                #EXTINF:2.000000,
                #EXT-X-BYTERANGE:19000@0
                e1-seg1.m4s

                """
        )
    }

    @Test mutating func aSegmentWithoutAnIFrameIsAGapSoThatNumbersStay() throws {
        state.apply([.renditions([StreamSource.picture()])])
        publish(iFrame: 20_000)
        publish(iFrame: nil)
        #expect(
            try #require(text).hasSuffix(
                """
                #EXT-X-PROGRAM-DATE-TIME:2026-07-01T12:00:02.000Z
                #EXT-X-GAP
                #EXTINF:2.000000,
                e1-seg1.m4s

                """
            )
        )
    }

    @Test mutating func aDiscontinuityBringsItsMapAndIsCountedWhenItLeaves() throws {
        state.apply([.renditions([StreamSource.picture()])])
        publish(iFrame: 20_000)
        state.apply([.renditions([StreamSource.picture(initialization: "another")])])
        publish(iFrame: 18_000, isDiscontinuity: true)
        #expect(
            try #require(text).hasSuffix(
                """
                e1-seg0.m4s
                #EXT-X-DISCONTINUITY
                #EXT-X-MAP:URI="e1-init1.mp4"
                #EXT-X-PROGRAM-DATE-TIME:2026-07-01T12:00:02.000Z
                #EXTINF:2.000000,
                #EXT-X-BYTERANGE:18000@0
                e1-seg1.m4s

                """
            )
        )
        for _ in 0..<20 { publish(iFrame: 18_000) }
        let read = ReadPlaylist(try #require(text))
        #expect(read.mediaSequence > 1)
        #expect(read.discontinuitySequence == 1)
        #expect(read.segments.first?.map == "e1-init1.mp4")
    }

    @Test mutating func theEndOfTheStreamEndsItToo() throws {
        state.apply([.renditions([StreamSource.picture(), StreamSource.sound()])])
        publish(iFrame: 20_000)
        state.apply(source.open(parts: 2))
        state.finish()
        #expect(try #require(text).hasSuffix("e1-seg1.m4s\n#EXT-X-ENDLIST\n"))
    }

    @Test mutating func soundHasNone() {
        state.apply([.renditions([StreamSource.picture(), StreamSource.sound()])])
        let asked = [StreamSource.audio, Rendition.ID("nothing")].map {
            state.resolve(.iFramePlaylist($0))
        }
        guard case .failure(.unknownResource) = asked[0],
            case .failure(.unknownRendition) = asked[1]
        else {
            Issue.record("\(asked)")
            return
        }
    }

    @Test mutating func theMultivariantPlaylistStatesTheRatesOfIFramesAlone() throws {
        state.apply([.renditions([StreamSource.picture()])])
        publish(iFrame: 20_000)
        publish(iFrame: 30_000)
        publish(iFrame: nil)
        guard case .playlist(let playlist) = state.resolve(.multivariantPlaylist) else {
            Issue.record("there is none")
            return
        }
        // 50,000 bytes in 6 s, and 50,000 bytes in the 4 s that are the target duration.
        #expect(
            playlist.plain.text.hasSuffix(
                """
                #EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=120000,AVERAGE-BANDWIDTH=66667,\
                CODECS="avc1.64001f",RESOLUTION=1280x720,VIDEO-RANGE=SDR,URI="video/iframes.m3u8"

                """
            )
        )
    }

    /// Players read the multivariant playlist once, before a segment is whole.
    @Test mutating func itIsOfferedFromTheFirstPartOn() {
        state.apply([.renditions([StreamSource.picture()])])
        let first = Part(
            slices: [ByteBuffer(repeating: 0, count: 50_000)],
            duration: StreamSource.partDuration,
            isIndependent: true,
            firstFrameEnd: 20_000
        )
        state.apply(source.open() + [.part(StreamSource.video, first)])
        guard case .playlist(let playlist) = state.resolve(.multivariantPlaylist) else {
            Issue.record("there is none")
            return
        }
        // As if it were the only one of two seconds.
        #expect(playlist.plain.text.contains("INF:BANDWIDTH=80000,AVERAGE-BANDWIDTH=80000,"))
        #expect(text == nil)
    }
}

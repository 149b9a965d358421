import Foundation
import Media
import NIOCore
import Packaging
import Testing

/// Golden media playlists: what a viewer reads, compared as text.
struct MediaPlaylistRendererTests {
    private var source = StreamSource()
    private var state = Self.state()

    private static func state(
        window: PackagingConfiguration.Window = .duration(.seconds(20))
    ) -> SegmentStoreState {
        SegmentStoreState(
            configuration: PackagingConfiguration(window: window),
            epoch: StreamSource.epoch,
            limits: .init()
        )
    }

    private func playlist(
        _ id: Rendition.ID = StreamSource.video,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws -> RenderedPlaylist {
        let resolution = state.resolve(.playlist(id, mediaSequence: nil, part: nil))
        guard case .playlist(let playlist) = resolution else {
            Issue.record("\(resolution)", sourceLocation: sourceLocation)
            throw SegmentStoreError.unknownResource
        }
        return playlist
    }

    @Test mutating func firstPartMakesAPlaylist() throws {
        state.apply([.renditions([StreamSource.picture()])] + source.open(parts: 1))
        #expect(
            try playlist().plain.text == """
                #EXTM3U
                #EXT-X-VERSION:9
                #EXT-X-TARGETDURATION:4
                #EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=1.000002,HOLD-BACK=12.0
                #EXT-X-PART-INF:PART-TARGET=0.333334
                #EXT-X-MEDIA-SEQUENCE:0
                #EXT-X-DISCONTINUITY-SEQUENCE:0
                #EXT-X-MAP:URI="e1-init0.mp4"
                #EXT-X-PROGRAM-DATE-TIME:2026-07-01T12:00:00.000Z
                #EXT-X-PART:DURATION=0.333333,URI="e1-part0.m4s",INDEPENDENT=YES
                #EXT-X-PRELOAD-HINT:TYPE=PART,URI="e1-part1.m4s"

                """
        )
    }

    @Test mutating func wholeSegmentFollowsItsPartsAndTheHintFollowsTheSegment() throws {
        state.apply([.renditions([StreamSource.picture(), StreamSource.sound()])])
        state.apply(source.segment(parts: 2))
        source.mediaSequence = 0
        state.apply(source.open(StreamSource.audio) + [StreamSource.audioPart()])
        #expect(
            try playlist().plain.text == """
                #EXTM3U
                #EXT-X-VERSION:9
                #EXT-X-TARGETDURATION:4
                #EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=1.000002,HOLD-BACK=12.0
                #EXT-X-PART-INF:PART-TARGET=0.333334
                #EXT-X-MEDIA-SEQUENCE:0
                #EXT-X-DISCONTINUITY-SEQUENCE:0
                #EXT-X-MAP:URI="e1-init0.mp4"
                #EXT-X-PROGRAM-DATE-TIME:2026-07-01T12:00:00.000Z
                #EXT-X-PART:DURATION=0.333333,URI="e1-part0.m4s",INDEPENDENT=YES
                #EXT-X-PART:DURATION=0.333333,URI="e1-part1.m4s"
                #EXTINF:0.666667,
                e1-seg0.m4s
                #EXT-X-PRELOAD-HINT:TYPE=PART,URI="e1-part2.m4s"

                """
        )
        #expect(
            try playlist(StreamSource.audio).plain.text.hasSuffix(
                """
                #EXT-X-PART:DURATION=0.320000,URI="e1-part0.m4s",INDEPENDENT=YES
                #EXT-X-PRELOAD-HINT:TYPE=PART,URI="e1-part1.m4s"
                #EXT-X-RENDITION-REPORT:URI="../video/playlist.m3u8",LAST-MSN=0,LAST-PART=1

                """
            )
        )
    }

    @Test mutating func partsAreListedForThreeTargetDurationsOnly() throws {
        state.apply([.renditions([StreamSource.picture()])])
        for _ in 0..<8 { state.apply(source.segment()) }
        state.apply(source.open(parts: 1))
        let read = ReadPlaylist(try playlist().plain.text)
        // Twelve seconds back from 16.33 s: the segments that begin at 6 s and later.
        #expect(
            read.segments.map { !$0.parts.isEmpty } == [false, false, false]
                + Array(repeating: true, count: 6)
        )
    }

    @Test mutating func discontinuityBringsItsMapAndIsCountedWhenItLeaves() throws {
        state.apply([.renditions([StreamSource.picture()])])
        state.apply(source.segment())
        state.apply([.renditions([StreamSource.picture(initialization: "another")])])
        #expect(
            try playlist().plain.text.hasSuffix(
                """
                e1-seg0.m4s
                #EXT-X-PRELOAD-HINT:TYPE=MAP,URI="e1-init1.mp4"
                #EXT-X-PRELOAD-HINT:TYPE=PART,URI="e1-part6.m4s"

                """
            )
        )
        state.apply(source.segment(isDiscontinuity: true))
        #expect(
            try playlist().plain.text.contains(
                """
                e1-seg0.m4s
                #EXT-X-DISCONTINUITY
                #EXT-X-MAP:URI="e1-init1.mp4"
                #EXT-X-PROGRAM-DATE-TIME:2026-07-01T12:00:02.000Z
                #EXT-X-PART:DURATION=0.333333,URI="e1-part6.m4s",INDEPENDENT=YES

                """
            )
        )
        #expect(try playlist().plain.text.contains("TYPE=MAP") == false)

        // The segment of the discontinuity comes to the top, tag and all, and then leaves.
        while ReadPlaylist(try playlist().plain.text).mediaSequence == 0 {
            state.apply(source.segment())
        }
        var read = ReadPlaylist(try playlist().plain.text)
        #expect(read.mediaSequence == 1)
        #expect(read.discontinuitySequence == 0)
        #expect(read.segments.first?.hasDiscontinuity == true)
        state.apply(source.segment())
        read = ReadPlaylist(try playlist().plain.text)
        #expect(read.mediaSequence == 2)
        #expect(read.discontinuitySequence == 1)
        #expect(read.segments.contains { $0.hasDiscontinuity } == false)
        #expect(read.segments.first?.map == "e1-init1.mp4")
    }

    @Test mutating func endedPlaylistHasNeitherHintsNorAnOpenSegment() throws {
        state.apply([.renditions([StreamSource.picture(), StreamSource.sound()])])
        state.apply(
            source.open(parts: 2) + source.open(StreamSource.audio) + [StreamSource.audioPart()]
        )
        state.finish()
        #expect(
            try playlist().plain.text.hasSuffix(
                """
                #EXT-X-PART:DURATION=0.333333,URI="e1-part1.m4s"
                #EXTINF:0.666667,
                e1-seg0.m4s
                #EXT-X-ENDLIST

                """
            )
        )
        #expect(try playlist(StreamSource.audio).isEnded)
    }

    @Test mutating func missedSegmentIsAGapOfTheLengthTheOthersHave() throws {
        state.apply([.renditions([StreamSource.picture(), StreamSource.sound()])])
        for number in 0..<3 {
            let audio = source.open(StreamSource.audio) + [StreamSource.audioPart()]
            let video = source.segment(isDiscontinuity: number == 1)
            state.apply(video + (number == 1 ? [] : audio + [.closeSegment(StreamSource.audio)]))
        }
        #expect(
            try playlist(StreamSource.audio).plain.text.contains(
                """
                e1-seg0.m4s
                #EXT-X-DISCONTINUITY
                #EXT-X-PROGRAM-DATE-TIME:2026-07-01T12:00:02.000Z
                #EXT-X-GAP
                #EXTINF:2.000000,
                e1-seg1.m4s
                #EXT-X-PROGRAM-DATE-TIME:2026-07-01T12:00:04.000Z
                #EXT-X-PART:DURATION=0.320000,URI="e1-part1.m4s",INDEPENDENT=YES

                """
            )
        )
        let gap = state.resolve(.resource(StreamSource.audio, .segment(1)))
        guard case .failure(.unknownResource) = gap else {
            Issue.record("a gap has no media: \(gap)")
            return
        }
    }

    @Test mutating func deltaUpdateIsOfferedWhenTheWindowIsLongerThanTheSkipBoundary() throws {
        state = Self.state(window: .segments(20))
        state.apply([.renditions([StreamSource.picture()])])
        for _ in 0..<14 { state.apply(source.segment()) }
        let full = try playlist()
        #expect(ReadPlaylist(full.plain.text).serverControl["CAN-SKIP-UNTIL"] == "24.0")
        let delta = full.skipping(.yes)
        #expect(
            delta.plain.text.hasPrefix(
                """
                #EXTM3U
                #EXT-X-VERSION:9
                #EXT-X-TARGETDURATION:4
                #EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=1.000002,HOLD-BACK=12.0,CAN-SKIP-UNTIL=24.0
                #EXT-X-PART-INF:PART-TARGET=0.333334
                #EXT-X-MEDIA-SEQUENCE:0
                #EXT-X-DISCONTINUITY-SEQUENCE:0
                #EXT-X-SKIP:SKIPPED-SEGMENTS=2
                #EXT-X-PROGRAM-DATE-TIME:2026-07-01T12:00:04.000Z
                #EXTINF:2.000000,
                e1-seg2.m4s

                """
            )
        )
        #expect(full.skipping(.v2) === delta)
        #expect(full.skipping(.none) === full)
        #expect(delta.etag != full.etag)
    }

    @Test mutating func nothingIsSkippedBeforeThereIsASegmentToSkip() throws {
        state = Self.state(window: .segments(20))
        state.apply([.renditions([StreamSource.picture()])])
        for _ in 0..<12 { state.apply(source.segment()) }
        var full = try playlist()
        #expect(full.skipping(.yes) === full)
        state.apply(source.segment())
        full = try playlist()
        #expect(full.skipping(.yes) !== full)
        state.finish()
        full = try playlist()
        #expect(full.skipping(.yes) === full)
    }

    @Test mutating func datesOfEveryKindAreWrittenInUTC() throws {
        let dates: [(microseconds: Int64, text: String)] = [
            (0, "1970-01-01T00:00:00.000Z"),
            (-1, "1969-12-31T23:59:59.999Z"),
            (951_782_400_000_000, "2000-02-29T00:00:00.000Z"),
            (4_107_542_399_999_999, "2100-02-28T23:59:59.999Z"),
            (4_107_542_400_000_000, "2100-03-01T00:00:00.000Z"),
            (.max, "9999-12-31T23:59:59.999Z"),
            (.min, "0000-01-01T00:00:00.000Z"),
        ]
        for (microseconds, text) in dates {
            state = Self.state()
            source.time = WallTime(microsecondsSinceEpoch: microseconds)
            state.apply([.renditions([StreamSource.picture()])] + source.open(parts: 1))
            #expect(try playlist().plain.text.contains("#EXT-X-PROGRAM-DATE-TIME:\(text)\n"))
        }
    }

    @Test mutating func gzipIsTheSameTextUnderAnotherTagAndMadeOnce() throws {
        state.apply([.renditions([StreamSource.picture()])])
        for _ in 0..<8 { state.apply(source.segment()) }
        let full = try playlist()
        let gzip = try #require(full.gzip)
        #expect(gzip.readableBytes < full.plain.readableBytes / 3)
        #expect(try gunzip(gzip) == full.plain.text)
        #expect(full.gzipETag != full.etag)
        #expect(
            full.gzip?.withUnsafeReadableBytes(\.baseAddress)
                == gzip.withUnsafeReadableBytes(\.baseAddress)
        )
    }

    /// By the gzip program, which knows nothing of this encoder.
    private func gunzip(_ bytes: ByteBuffer) throws -> String {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["gzip", "-dc"]
        let input = Pipe()
        let output = Pipe()
        process.standardInput = input
        process.standardOutput = output
        try process.run()
        try input.fileHandleForWriting.write(contentsOf: Data(bytes.readableBytesView))
        try input.fileHandleForWriting.close()
        let data = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        return String(decoding: data, as: UTF8.self)
    }
}

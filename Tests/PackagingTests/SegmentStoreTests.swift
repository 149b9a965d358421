import Media
import NIOCore
import Packaging
import Synchronization
import Testing

/// Waiting: who is held, who is let go, and with what.
struct SegmentStoreTests {
    private static let video = StreamSource.video

    private final class ManualClock: Sendable {
        private let instant = Mutex(ContinuousClock.now)

        var now: ContinuousClock.Instant { instant.withLock { $0 } }

        func advance(by duration: Duration) {
            instant.withLock { $0 += duration }
        }
    }

    private let clock = ManualClock()
    private var source = StreamSource()
    private let store: SegmentStore

    init() throws {
        store = try Self.store(clock: clock)
    }

    private static func store(
        clock: ManualClock,
        limits: SegmentStore.Limits = .init()
    ) throws -> SegmentStore {
        SegmentStore(
            name: try #require(StreamName("live")),
            configuration: PackagingConfiguration(),
            epoch: StreamSource.epoch,
            limits: limits,
            now: { clock.now }
        )
    }

    private func expectWaiters(_ count: Int, in other: SegmentStore? = nil) async {
        while (other ?? store).statistics.waiters != count { await Task.yield() }
    }

    private func playlist(
        _ mediaSequence: UInt64? = nil,
        _ part: UInt64? = nil
    ) async throws(SegmentStoreError) -> ReadPlaylist {
        let request = PlaylistRequest(mediaSequence: mediaSequence, part: part)
        return ReadPlaylist(try await store.mediaPlaylist(Self.video, request).plain.text)
    }

    // MARK: Playlists

    @Test(.timeLimit(.minutes(1)))
    func playlistIsWaitedForUntilThereIsAPart() async throws {
        await #expect(throws: SegmentStoreError.unknownRendition) { try await playlist() }
        await #expect(throws: SegmentStoreError.unknownRendition) { try await playlist(0, 0) }

        store.apply([.renditions([StreamSource.picture()])])
        async let first = playlist()
        async let multivariant = store.multivariantPlaylist()
        await expectWaiters(2)
        var source = source
        store.apply(source.open(parts: 1))
        #expect(try await first.segments.count == 1)
        #expect(try await multivariant.plain.text.contains("#EXT-X-STREAM-INF"))
        #expect(store.statistics.waiters == 0)
    }

    @Test(.timeLimit(.minutes(1)))
    func sequenceNumberAloneWaitsForTheWholeSegment() async throws {
        var source = source
        store.apply([.renditions([StreamSource.picture()])] + source.open(parts: 1))
        async let whole = playlist(0)
        await expectWaiters(1)
        for _ in 0..<4 {
            store.apply([StreamSource.part()])
            #expect(store.statistics.waiters == 1)
        }
        store.apply([StreamSource.part(), .closeSegment(Self.video)])
        let read = try await whole
        #expect(read.segments.last?.uri == "e1-seg0.m4s")
        #expect(read.segments.last?.parts.count == 6)
        #expect(read.segments.last?.duration == 2)
    }

    @Test(.timeLimit(.minutes(1)))
    func partWaitsForThatPart() async throws {
        var source = source
        store.apply([.renditions([StreamSource.picture()])] + source.open(parts: 1))
        #expect(try await playlist(0, 0).segments.last?.parts.count == 1)
        async let third = playlist(0, 2)
        await expectWaiters(1)
        store.apply([StreamSource.part()])
        #expect(store.statistics.waiters == 1)
        store.apply([StreamSource.part()])
        #expect(try await third.segments.last?.parts.count == 3)
    }

    @Test(.timeLimit(.minutes(1)))
    func partBeyondItsSegmentIsTheFirstOfTheNext() async throws {
        var source = source
        store.apply([.renditions([StreamSource.picture()])] + source.open(parts: 5))
        async let beyond = playlist(0, 6)
        await expectWaiters(1)
        store.apply([StreamSource.part(), .closeSegment(Self.video)])
        #expect(store.statistics.waiters == 1)
        async let far = playlist(0, 1_000)
        await expectWaiters(2)
        source.advance()
        store.apply(source.open(parts: 1))
        #expect(try await beyond.segments.map(\.parts.count) == [6, 1])
        #expect(try await far.segments.map(\.parts.count) == [6, 1])
    }

    @Test func longGoneIsAnsweredAtOnceWithThePlaylistOfNow() async throws {
        var source = StreamSource(mediaSequence: 40)
        store.apply([.renditions([StreamSource.picture()])])
        for _ in 0..<14 { store.apply(source.segment()) }
        #expect(try await playlist(3).mediaSequence > 40)
        #expect(try await playlist(53, 2).segments.last?.mediaSequence == 53)
        #expect(try await playlist(0, 99).segments.last?.mediaSequence == 53)
    }

    @Test(.timeLimit(.minutes(1)))
    func moreThanTwoPastTheNewestIsRefusedInWords() async throws {
        var source = source
        store.apply([.renditions([StreamSource.picture()])] + source.open(parts: 1))
        for (number, part) in [(3, nil), (1_000_000_000_000_000_000, nil), (UInt64.max, 0)]
            as [(UInt64, UInt64?)]
        {
            await expectTooFar { _ = try await playlist(number, part) }
        }
        // The advance part limit of a part target of a third of a second is nine parts.
        await expectTooFar { _ = try await playlist(0, 10) }
        await expectTooFar { _ = try await playlist(2, 9) }
        #expect(store.statistics.waiters == 0)

        for (number, part) in [(2, nil), (2, 8), (0, 9)] as [(UInt64, UInt64?)] {
            let task = Task { try await playlist(number, part) }
            await expectWaiters(1)
            task.cancel()
            _ = await task.result
        }
    }

    private func expectTooFar(
        sourceLocation: SourceLocation = #_sourceLocation,
        _ body: () async throws -> Void
    ) async {
        do {
            try await body()
            Issue.record("was answered", sourceLocation: sourceLocation)
        } catch SegmentStoreError.tooFarAhead(let words) {
            #expect(words.contains("_HLS_"), sourceLocation: sourceLocation)
        } catch {
            Issue.record("\(error)", sourceLocation: sourceLocation)
        }
    }

    // MARK: Leaving

    @Test(.timeLimit(.minutes(1)))
    func viewerWhoGoesAwayIsFreedAtOnce() async throws {
        var source = source
        store.apply([.renditions([StreamSource.picture()])] + source.open(parts: 1))
        let playlistTask = Task { try await playlist(0, 1) }
        let partTask = Task { try await store.resource(Self.video, named: "e1-part1.m4s") }
        await expectWaiters(2)
        playlistTask.cancel()
        await #expect(throws: SegmentStoreError.cancelled) { try await playlistTask.value }
        #expect(store.statistics.waiters == 1)
        partTask.cancel()
        await #expect(throws: SegmentStoreError.cancelled) { try await partTask.value }
        #expect(store.statistics.waiters == 0)

        let late = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            return try await playlist(0, 1)
        }
        await #expect(throws: SegmentStoreError.cancelled) { try await late.value }
        #expect(store.statistics.waiters == 0)
    }

    @Test(.timeLimit(.minutes(1)))
    func waitEndsAfterThreeTargetDurations() async throws {
        var source = source
        store.apply([.renditions([StreamSource.picture()])] + source.open(parts: 1))
        let early = Task { try await playlist(0, 1) }
        await expectWaiters(1)
        clock.advance(by: .seconds(1))
        let late = Task { try await playlist(0, 1) }
        await expectWaiters(2)

        clock.advance(by: .seconds(10.999))
        store.expireWaiters(now: clock.now)
        #expect(store.statistics.waiters == 2)
        clock.advance(by: .seconds(0.001))
        store.expireWaiters(now: clock.now)
        await #expect(throws: SegmentStoreError.timedOut) { try await early.value }
        #expect(store.statistics.waiters == 1)
        #expect(store.statistics.timedOutWaiters == 1)
        store.apply([StreamSource.part()])
        #expect(try await late.value.segments.last?.parts.count == 2)
    }

    @Test(.timeLimit(.minutes(1)))
    func waitersAreBounded() async throws {
        var limits = SegmentStore.Limits()
        limits.waiters = 3
        let store = try Self.store(clock: clock, limits: limits)
        var source = source
        store.apply([.renditions([StreamSource.picture()])] + source.open(parts: 1))
        let request = PlaylistRequest(mediaSequence: 0, part: 1)
        let tasks = (0..<3).map { _ in Task { try await store.mediaPlaylist(Self.video, request) } }
        await expectWaiters(3, in: store)
        await #expect(throws: SegmentStoreError.tooManyWaiters) {
            try await store.mediaPlaylist(Self.video, request)
        }
        #expect(store.statistics.rejectedWaiters == 1)
        store.apply([StreamSource.part()])
        for task in tasks { _ = try await task.value }
        async let next = store.mediaPlaylist(Self.video, PlaylistRequest(mediaSequence: 0, part: 2))
        await expectWaiters(1, in: store)
        store.finish()
        #expect(try await next.isEnded)
    }

    // MARK: Sharing

    @Test(.timeLimit(.minutes(1)))
    func oneRenderIsSharedByFiveThousandWaiters() async throws {
        var source = source
        store.apply([.renditions([StreamSource.picture()])] + source.open(parts: 1))
        let before = store.statistics.playlistRenders
        let request = PlaylistRequest(mediaSequence: 0, part: 1)
        let playlists = try await withThrowingTaskGroup(of: RenderedPlaylist.self) { group in
            for _ in 0..<5_000 {
                group.addTask { try await store.mediaPlaylist(Self.video, request) }
            }
            await expectWaiters(5_000)
            store.apply([StreamSource.part()])
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(playlists.count == 5_000)
        #expect(playlists.allSatisfy { $0 === playlists[0] })
        #expect(store.statistics.playlistRenders == before + 1)
        #expect(try await store.mediaPlaylist(Self.video, PlaylistRequest()) === playlists[0])
        #expect(store.statistics.playlistRenders == before + 1)
    }

    @Test func playlistIsRenderedAlsoWhenNobodyWaits() async throws {
        var source = source
        store.apply([.renditions([StreamSource.picture(), StreamSource.sound()])])
        #expect(store.statistics.playlistRenders == 0)
        store.apply(
            source.open(parts: 2) + source.open(StreamSource.audio) + [StreamSource.audioPart()]
        )
        #expect(store.statistics.playlistRenders == 2)
        let first = try await store.mediaPlaylist(Self.video, PlaylistRequest())
        store.apply([StreamSource.part()])
        #expect(store.statistics.playlistRenders == 3)
        #expect(try await store.mediaPlaylist(Self.video, PlaylistRequest()).etag != first.etag)
    }

    // MARK: Resources

    @Test(.timeLimit(.minutes(1)))
    func hintedPartIsExactlyTheNextAlsoAcrossSegmentAndDiscontinuity() async throws {
        var source = source
        store.apply([.renditions([StreamSource.picture()])] + source.open(parts: 1))
        try await expectHintedPart("within the segment") {
            store.apply([StreamSource.part("within the segment"), StreamSource.part("later")])
        }
        try await expectHintedPart("of the next segment") {
            store.apply([.closeSegment(Self.video)])
            #expect(store.statistics.waiters == 1)
            source.advance()
            store.apply(source.open() + [StreamSource.part("of the next segment")])
        }
        try await expectHintedPart("after a discontinuity") {
            store.apply([
                .closeSegment(Self.video),
                .renditions([StreamSource.picture(initialization: "another")]),
            ])
            source.advance()
            store.apply(
                source.open(isDiscontinuity: true) + [StreamSource.part("after a discontinuity")]
            )
        }
        await #expect(throws: SegmentStoreError.unknownResource) {
            try await store.resource(Self.video, named: "e1-part6.m4s")
        }
    }

    /// Asks for what the playlist hints now, and holds what comes against `text`.
    private func expectHintedPart(
        _ text: String,
        sourceLocation: SourceLocation = #_sourceLocation,
        publish: () -> Void
    ) async throws {
        let hint = try #require(try await playlist().hints.last?["URI"])
        async let part = store.resource(Self.video, named: hint)
        await expectWaiters(1)
        publish()
        let resource = try await part
        #expect(resource.chunks.map(\.text) == [text], sourceLocation: sourceLocation)
        #expect(resource.kind == .part)
        #expect(resource.contentType == "video/mp4")
        let parts = try await playlist().segments.flatMap(\.parts)
        #expect(parts.contains { $0.uri == hint }, sourceLocation: sourceLocation)
    }

    @Test(.timeLimit(.minutes(1)))
    func hintIsNotFoundWhenTheStreamEnds() async throws {
        var source = source
        store.apply([.renditions([StreamSource.picture()])] + source.open(parts: 1))
        let part = Task { try await store.resource(Self.video, named: "e1-part1.m4s") }
        async let reload = playlist(0, 1)
        await expectWaiters(2)
        store.finish()
        await #expect(throws: SegmentStoreError.unknownResource) { try await part.value }
        #expect(try await reload.isEnded)
        #expect(store.isEnded)
        // Directives are ignored from now on.
        #expect(try await playlist(1_000_000_000_000_000_000).isEnded)
    }

    @Test(.timeLimit(.minutes(1)))
    func streamThatEndsWithoutMediaSaysSo() async throws {
        store.apply([.renditions([StreamSource.picture()])])
        let media = Task { try await playlist() }
        let multivariant = Task { try await store.multivariantPlaylist() }
        await expectWaiters(2)
        store.finish()
        await #expect(throws: SegmentStoreError.ended) { try await media.value }
        await #expect(throws: SegmentStoreError.ended) { try await multivariant.value }
    }

    @Test func segmentIsItsPartsAndTheyHaveNamesOfTheirOwn() async throws {
        var source = source
        let outputs = source.open() + ["a", "b", "c"].map { StreamSource.part($0) }
        store.apply([.renditions([StreamSource.picture()])] + outputs)
        await #expect(throws: SegmentStoreError.unknownResource) {
            try await store.resource(Self.video, named: "e1-seg0.m4s")
        }
        store.apply([.closeSegment(Self.video)])
        let segment = try await store.resource(Self.video, named: "e1-seg0.m4s")
        #expect(segment.chunks.map(\.text) == ["a", "b", "c"])
        #expect(segment.byteCount == 3)
        #expect(segment.kind == .segment)
        let part = try await store.resource(Self.video, named: "e1-part1.m4s")
        #expect(part.chunks.map(\.text) == ["b"])
        let initialization = try await store.resource(Self.video, named: "e1-init0.mp4")
        #expect(initialization.chunks.map(\.text) == ["video init"])
        #expect(Set([segment.etag, part.etag, initialization.etag]).count == 3)
        for name in [
            "e1-part4.m4s", "e1-seg1.m4s", "e1-init1.mp4", "e2-part0.m4s", "../e1-part0.m4s",
        ] {
            await #expect(throws: SegmentStoreError.unknownResource) {
                try await store.resource(Self.video, named: name)
            }
        }
        await #expect(throws: SegmentStoreError.unknownRendition) {
            try await store.resource(Rendition.ID("video2"), named: "e1-part0.m4s")
        }
    }

    @Test func directoryKeepsStoresByNameAndRemovesOnlyTheOneMeant() throws {
        let directory = StreamDirectory()
        let other = try Self.store(clock: clock)
        directory.insert(store)
        #expect(directory[store.name] === store)
        directory.insert(other)
        directory.remove(store)
        #expect(directory[store.name] === other)
        #expect(directory.all.map(\.name) == [other.name])
        directory.remove(other)
        #expect(directory.all.isEmpty)
    }
}

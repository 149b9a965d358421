import Media
import NIOCore
import Packaging
import Testing

/// Rungs are cut where the leading picture is cut, whatever the source does.
@Suite struct LadderPackagingTests {
    private static let rung = Rendition.ID("video-360p")

    /// Stands for a decoder and an encoder: pictures in the order they are shown, at the source's decode
    /// times, and a few events late.
    private struct StandIn {
        private var waiting: [PictureEvent] = []
        private var shown: [Picture] = []
        private var slots: [Picture] = []
        let lag: Int

        init(lag: Int) {
            self.lag = lag
        }

        mutating func encode(_ events: [PictureEvent], isEnd: Bool = false) -> [PictureEvent] {
            for event in events {
                switch event {
                case .begin(var format):
                    (format.width, format.height) = (640, 360)
                    waiting.append(.begin(format))
                case .picture(let picture):
                    slots.append(picture)
                    shown.append(picture)
                    shown.sort { $0.presentationTime < $1.presentationTime }
                    if shown.count > 3 { put(shown.removeFirst()) }
                case .end, .pause:
                    while !shown.isEmpty { put(shown.removeFirst()) }
                    waiting.append(.end)
                }
            }
            let ready = isEnd ? waiting.count : max(0, waiting.count - lag)
            defer { waiting.removeFirst(ready) }
            return Array(waiting.prefix(ready))
        }

        private mutating func put(_ source: Picture) {
            let slot = slots.removeFirst()
            waiting.append(
                .picture(
                    Picture(
                        decodeTime: slot.decodeTime,
                        presentationTime: source.presentationTime,
                        randomAccess: slot.boundary == nil ? .none : .closed,
                        payload: ByteBuffer(bytes: [1, 2, 3]),
                        boundary: slot.boundary
                    )
                )
            )
        }
    }

    private static func outputs(
        of events: [MediaEvent],
        lag: Int
    ) -> [PackagerOutput] {
        var packager = StreamPackager(configuration: PackagingConfiguration())
        var standIn = StandIn(lag: lag)
        var outputs = packager.offer(rungs: [rung])
        for event in events {
            outputs += packager.consume(event)
            for event in standIn.encode(packager.takePictures()) {
                outputs += packager.consume(event, of: rung)
            }
        }
        outputs += packager.finish()
        for event in standIn.encode(packager.takePictures(), isEnd: true) {
            outputs += packager.consume(event, of: rung)
        }
        return outputs
    }

    private static func expectEqualSegments(
        _ events: [MediaEvent],
        segments: Int,
        lag: Int = 5,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let outputs = outputs(of: events, lag: lag)
        let audit = OutputAudit(outputs, configuration: PackagingConfiguration())
        #expect(audit.violations == [], sourceLocation: sourceLocation)
        let (leader, rung) = (audit["video"], audit[rung.description])
        #expect(leader.count == segments, sourceLocation: sourceLocation)
        #expect(leader.map(\.start) == rung.map(\.start), sourceLocation: sourceLocation)
        #expect(leader.map(\.decodeTime) == rung.map(\.decodeTime), sourceLocation: sourceLocation)
        let parts = { (segments: [OutputAudit.Segment]) in
            segments.map { $0.parts.map(\.duration) }
        }
        #expect(parts(leader) == parts(rung), sourceLocation: sourceLocation)
        #expect(
            rung.allSatisfy { $0.parts.first?.isIndependent == true },
            sourceLocation: sourceLocation
        )
        #expect(audit.holes == 0, sourceLocation: sourceLocation)
        let offered = Dictionary(
            uniqueKeysWithValues: (audit.renditions.last ?? []).map { ($0.id, $0.partTarget) }
        )
        #expect(
            offered[Rendition.ID("video")] == offered[Self.rung],
            sourceLocation: sourceLocation
        )
    }

    @Test(arguments: [false, true])
    func segmentsAndPartsLieOnTheSameTicks(hasBFrames: Bool) {
        var source = SyntheticSource()
        source.hasBFrames = hasBFrames
        Self.expectEqualSegments(source.events, segments: 5)
    }

    @Test func irregularGroupsAreCutAlike() {
        var source = SyntheticSource()
        source.isKeyframe = { [0, 25, 70, 71, 140, 200, 260].contains($0) }
        Self.expectEqualSegments(source.events, segments: 5)
    }

    /// The source's segments begin without a keyframe then; those of the rung with one.
    @Test func aRungHasKeyframesWhereTheSourceLacksThem() {
        var source = SyntheticSource()
        source.isKeyframe = { $0 == 0 }
        source.frameCount = 600
        let outputs = Self.outputs(of: source.events, lag: 5)
        let audit = OutputAudit(outputs, configuration: PackagingConfiguration())
        #expect(audit.violations == [])
        let rung = audit[Self.rung.description]
        #expect(rung.count > 3)
        #expect(audit["video"].map(\.start) == rung.map(\.start))
        #expect(rung.allSatisfy { $0.parts.first?.isIndependent == true })
        #expect(audit["video"].dropFirst().contains { $0.parts.first?.isIndependent == false })
    }

    @Test func aReturningPublisherIsOneDiscontinuityInEveryRung() {
        var second = SyntheticSource()
        second.start = 9_000_000
        let events =
            SyntheticSource().events + [.discontinuity(.publisherChange)] + second.events
        Self.expectEqualSegments(events, segments: 10)
        let audit = OutputAudit(
            Self.outputs(of: events, lag: 5),
            configuration: PackagingConfiguration()
        )
        #expect(audit[Self.rung.description].count { $0.start.isDiscontinuity } == 1)
    }

    @Test func theSourceIsNotOfferedWhereItIsNotWanted() {
        var packager = StreamPackager(configuration: PackagingConfiguration())
        var state = SegmentStoreState(
            configuration: PackagingConfiguration(),
            epoch: "e",
            limits: SegmentStore.Limits()
        )
        var standIn = StandIn(lag: 5)
        state.apply(packager.offer(rungs: [Self.rung], besideSource: false))
        for event in SyntheticSource().events { state.apply(packager.consume(event)) }
        // There is sound, and it is not what viewers want.
        #expect(state.multivariantText == nil)
        for event in standIn.encode(packager.takePictures(), isEnd: true) {
            state.apply(packager.consume(event, of: Self.rung))
        }
        #expect(state.multivariantText?.contains("video-360p/playlist.m3u8") == true)
        #expect(state.multivariantText?.contains("video/playlist.m3u8") == false)
        let source = state.resolve(.playlist(Rendition.ID("video"), mediaSequence: nil, part: nil))
        if case .failure(.unknownRendition) = source {} else { Issue.record("\(source)") }

        // Another source, of which nothing is made: it is offered from its first segment on.
        state.apply(packager.offer(rungs: [], besideSource: false))
        state.apply(packager.consume(.discontinuity(.publisherChange)))
        var second = SyntheticSource()
        second.start = 9_000_000
        for event in second.events { state.apply(packager.consume(event)) }
        #expect(state.multivariantText?.contains("video/playlist.m3u8") == true)
    }

    /// What the store does with it: the multivariant playlist waits for the rung, but not for one that
    /// never comes.
    @Test func theMultivariantPlaylistWaitsForARung() {
        let events = SyntheticSource().events
        var packager = StreamPackager(configuration: PackagingConfiguration())
        var state = SegmentStoreState(
            configuration: PackagingConfiguration(),
            epoch: "e",
            limits: SegmentStore.Limits()
        )
        var standIn = StandIn(lag: 5)
        state.apply(packager.offer(rungs: [Self.rung]))
        for event in events.prefix(100) {
            state.apply(packager.consume(event))
            _ = packager.takePictures()
        }
        #expect(state.multivariantText == nil)
        for event in events.dropFirst(100) { state.apply(packager.consume(event)) }
        let late = state.multivariantText
        #expect(late?.contains("video/playlist.m3u8") == true)
        #expect(late?.contains("video-360p") == false)
        for event in standIn.encode(packager.takePictures(), isEnd: true) {
            state.apply(packager.consume(event, of: Self.rung))
        }
    }
}

extension SegmentStoreState {
    fileprivate var multivariantText: String? {
        guard case .playlist(let playlist) = resolve(.multivariantPlaylist) else { return nil }
        return String(buffer: playlist.plain)
    }
}

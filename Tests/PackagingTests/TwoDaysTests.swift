import Ingestion
import Media
import NIOCore
import Packaging
import Testing

/// 48 hours of a transport stream in simulated time, from its bytes to what viewers are given.
///
/// So that it takes seconds, access units are small, pictures come five a second, sound has a rate of
/// 24 kHz, parts last two seconds, and playlists are as short as they may be. What nothing may be off
/// by is a frame of 30 a second all the same, 33 ms.
@Suite struct TwoDaysTests {
    private static let frame = 1.0 / 30
    private static let hours = 48

    @Test func twoDaysKeepSoundPictureAndDatesTogetherInTheSameMemory() async throws {
        var source = LongContribution()
        var session = IngestSession()
        let configuration = PackagingConfiguration(
            partTarget: .seconds(2),
            segmentTarget: .seconds(LongAudit.segmentSeconds),
            window: .segments(6)
        )
        var packager = StreamPackager(configuration: configuration, firstMediaSequence: 1)
        packager.offer(soundFormats: ["echo"])
        let encoded = Rendition.ID("audio1-echo")
        var echo = SoundEcho()
        var audit = LongAudit()
        var encodedAudit = EncodedSoundAudit(encoded, of: Rendition.ID("audio1"))
        let now = ContinuousClock.now
        let store = SegmentStore(
            name: try #require(StreamName("days")),
            configuration: configuration,
            epoch: "e",
            now: { now }
        )
        var events: [MediaEvent] = []
        var held: [Held] = []
        for _ in 0..<Self.hours {
            for _ in 0..<3_600 * 90_000 / LongContribution.pictureTicks {
                let (bytes, arrival) = source.next()
                bytes.withUnsafeBytes {
                    session.receive($0, arrival: arrival) { events.append($0) }
                }
                for event in events {
                    if case .discontinuity(let reason) = event {
                        Issue.record("\(reason) at \(arrival)")
                    }
                    let outputs = packager.consume(event)
                    audit.read(outputs)
                    encodedAudit.read(outputs)
                    store.apply(outputs)
                    for sound in packager.takeSound().flatMap(\.events) {
                        for sound in try echo.encode(sound) {
                            let outputs = packager.consume(sound, of: encoded)
                            encodedAudit.read(outputs)
                            store.apply(outputs)
                        }
                    }
                }
                events.removeAll(keepingCapacity: true)
            }
            held.append(try await Held(session, packager, store))
        }
        check(audit)
        check(encodedAudit)
        check(session.statistics, packager.statistics, store.statistics)
        let early = try #require(held.prefix(4).reduce(held.first) { $0?.most($1) })
        let late = held.dropFirst(4).reduce(early) { $0.most($1) }
        #expect(late.isLittle(over: early), "\(late), \(early) at first")
    }

    private func check(_ audit: LongAudit) {
        #expect(audit.faults.isEmpty, "\(audit.faults.prefix(10))")
        #expect(audit.segments > Self.hours * 3_600 / LongAudit.segmentSeconds - 3)
        #expect(audit.wraps == 2)
        // A source whose sound does not run by its clock is never quite right.
        #expect(audit.lipSync > 0 && audit.lipSync < Self.frame, "\(audit.lipSync)")
        #expect(audit.alignment > 0 && audit.alignment < Self.frame, "\(audit.alignment)")
        #expect(audit.dates > 0 && audit.dates < Self.frame, "\(audit.dates)")
    }

    /// Half a frame of each, for as long as it lasts.
    private func check(_ audit: EncodedSoundAudit) {
        #expect(audit.faults.isEmpty, "\(audit.faults.prefix(10))")
        #expect(audit.segments > Self.hours * 3_600 / LongAudit.segmentSeconds - 3)
        #expect(audit.apart <= .milliseconds(52), "\(audit.apart)")
        #expect(abs(audit.lengths.source - audit.lengths.encoded) < 2.1, "\(audit.lengths)")
    }

    private func check(
        _ received: TransportStreamStatistics,
        _ packaged: PackagerStatistics,
        _ stored: SegmentStoreStatistics
    ) {
        #expect(received.discontinuities == 0)
        #expect(received.continuityErrors == 0)
        #expect(received.correctedTimestamps == 0)
        #expect(received.misplacedAccessUnits == 0)
        #expect(received.undecodableAccessUnits == 0)
        #expect(received.errors.clockDiscontinuityErrors == 0)
        #expect(packaged.discontinuities == 0)
        #expect(packaged.frameGaps == 0)
        #expect(packaged.forcedCuts == 0)
        #expect(packaged.droppedUnits == 0)
        #expect(packaged.silentFrames == 0)
        // 40 millionths of two days.
        #expect(abs(packaged.soundCorrection.seconds + 6.9) < 0.1)
        #expect(stored.rejectedParts == 0)
        #expect(stored.evictedSegments == 0)
    }
}

/// What a stream's way holds, by counts that other tests in the process do not change.
private struct Held {
    /// Values that the session and the packager are made of, their queues' elements among them.
    private var values: Int
    private var bytes: Int
    private var segments: Int
    private var parts: Int
    private var playlistBytes: Int

    init(
        _ session: IngestSession,
        _ packager: StreamPackager,
        _ store: SegmentStore
    ) async throws {
        values = Self.count(session) + Self.count(packager)
        let stored = store.statistics
        bytes = stored.bytesHeld
        segments = stored.segments
        parts = stored.parts
        playlistBytes = 0
        for rendition in stored.renditions {
            let playlist = try await store.mediaPlaylist(rendition.id, .init())
            playlistBytes += playlist.plain.readableBytes
        }
    }

    private static func count(_ value: Any) -> Int {
        Mirror(reflecting: value).children.reduce(1) { $0 + count($1.value) }
    }

    func most(_ other: Held) -> Held {
        var most = self
        most.values = max(values, other.values)
        most.bytes = max(bytes, other.bytes)
        most.segments = max(segments, other.segments)
        most.parts = max(parts, other.parts)
        most.playlistBytes = max(playlistBytes, other.playlistBytes)
        return most
    }

    /// A tenth: numbers in playlists get longer, and segments come and go.
    func isLittle(over other: Held) -> Bool {
        values * 10 <= other.values * 11 && bytes * 10 <= other.bytes * 11
            && segments * 10 <= other.segments * 11 && parts * 10 <= other.parts * 11
            && playlistBytes * 10 <= other.playlistBytes * 11
    }
}

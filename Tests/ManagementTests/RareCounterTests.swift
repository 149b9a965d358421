import HummingbirdTesting
import Ingestion
import Management
import Media
import NIOCore
import Packaging
import TestSupport
import Testing

/// Counters that nothing in ordinary use moves: what does, and then the line of the page of metrics.
@Suite(.timeLimit(.minutes(1))) struct RareCounterTests {
    private static let name = "rare"
    private static let rendition = Rendition.ID("video")

    /// The counters of the page for a stream of which these are the figures.
    private func counters(
        ingest: TransportStreamStatistics? = nil,
        packaging: PackagerStatistics? = nil,
        store: SegmentStoreStatistics = .init()
    ) async throws -> Metrics {
        var stream = try StreamSnapshot.live(Self.name)
        if let ingest {
            var statistics = IngestStatistics()
            statistics.transportStream = ingest
            stream.ingest = IngestSnapshot(statistics)
        }
        stream.packaging = packaging.map(PackagingSnapshot.init)
        let name = try #require(StreamName(Self.name))
        stream.delivery = DeliverySnapshot(stream: name, store: store, viewers: 0)
        let page = try await ManagementFixture(streams: [stream]).get("/metrics").body
        return Metrics(String(buffer: page))
    }

    // MARK: The contribution

    /// Half a minute of H.264 and AAC in which everything happens that should not.
    private struct Damage {
        private static let video = TransportStreamWriter.Stream.h264()
        private static let audio = TransportStreamWriter.Stream.aac()
        private static let frameTicks: Int64 = 3_000

        var bytes: [UInt8] = []
        private var writer = TransportStreamWriter(streams: [video, audio])
        private var time: Int64 = 90_000
        private var soundTime: Int64 = 90_000

        init() {
            bytes += writer.tables()
            // A keyframe, and none for four segments: they are cut without.
            send(pictures: 120)
            // Sound stops for half a second.
            soundTime += 45_000
            send(pictures: 60)
            // One picture stands for most of a part: the part before it ends early.
            send(pictures: 5)
            time += 21_000
            send(pictures: 60)
            // Pictures are away for longer than a part, and no keyframe is the first to return.
            time += 60_000
            soundTime = max(soundTime, time)
            send(pictures: 10, startingWithKeyframe: false)
            send(pictures: 30)
            // Sound of another hour, a packet marked as damaged, one that is scrambled.
            bytes += writer.pes(SampleStreams.aacFrame, on: Self.audio, pts: time + 900_000_000)
            var marked = writer.packet(pid: Self.audio.pid, startsUnit: false, payload: [1])
            marked[1] |= 0x80
            bytes += marked
            bytes += writer.packet(
                pid: Self.audio.pid,
                startsUnit: false,
                payload: [1],
                scrambling: 2
            )
        }

        private mutating func send(pictures: Int, startingWithKeyframe: Bool = true) {
            for picture in 0..<pictures {
                bytes += writer.pes(
                    picture == 0 && startingWithKeyframe
                        ? SampleStreams.h264Keyframe() : SampleStreams.h264Picture(),
                    on: Self.video,
                    pts: time,
                    hasClock: true
                )
                time += Self.frameTicks
                while soundTime < time {
                    bytes += writer.pes(SampleStreams.aacFrame, on: Self.audio, pts: soundTime)
                    soundTime += SampleStreams.aacFrameTicks
                }
            }
        }
    }

    @Test func whatIsWrongWithAContributionIsOnThePage() async throws {
        var session = IngestSession()
        var packager = StreamPackager(configuration: .init(segmentTarget: .seconds(1)))
        let bytes = Damage().bytes
        bytes.withUnsafeBytes { bytes in
            session.receive(bytes, arrival: .sample) { _ = packager.consume($0) }
        }
        let page = try await counters(
            ingest: session.statistics,
            packaging: packager.statistics
        )
        for counter in [
            "mirror_packaging_dropped_access_units_total", "mirror_packaging_forced_cuts_total",
            "mirror_packaging_out_of_target_parts_total", "mirror_packaging_silent_frames_total",
            "mirror_ts_misplaced_access_units_total", "mirror_ts_scrambled_packets_total",
            "mirror_ts_transport_errors_total",
        ] {
            #expect(page["\(counter){stream=\"rare\"}"] ?? 0 > 0, "\(counter)")
        }
    }

    /// TransportStreamMonitorTests see to what moves them.
    @Test func eachErrorOfATransportStreamHasItsLine() async throws {
        var statistics = TransportStreamStatistics()
        statistics.errors.syncLosses = 1
        statistics.errors.syncByteErrors = 2
        statistics.errors.associationErrors = 3
        statistics.errors.mapErrors = 4
        statistics.errors.absences = 5
        statistics.errors.checksumErrors = 6
        statistics.errors.clockRepetitionErrors = 7
        statistics.errors.clockDiscontinuityErrors = 8
        statistics.errors.timestampErrors = 9
        statistics.errors.conditionalAccessErrors = 10
        statistics.errors.clockJitterMicroseconds = 5_000
        statistics.errors.clockDriftPPM = 42.5
        let page = try await counters(ingest: statistics)
        for (name, value) in [
            ("sync_losses", 1), ("sync_byte_errors", 2), ("pat_errors", 3), ("pmt_errors", 4),
            ("pid_errors", 5), ("crc_errors", 6), ("pcr_repetition_errors", 7),
            ("pcr_discontinuity_errors", 8), ("pts_errors", 9), ("cat_errors", 10),
        ] {
            #expect(page["mirror_ts_\(name)_total{stream=\"rare\"}"] == Double(value), "\(name)")
        }
        #expect(page["mirror_ts_pcr_jitter_seconds{stream=\"rare\"}"] == 0.005)
        #expect(page["mirror_ingest_clock_drift_ppm{stream=\"rare\"}"] == 42.5)
    }

    @Test func whatAConsumerWasTooSlowForIsOnThePage() async throws {
        let live = LiveStream(name: try #require(StreamName(Self.name)))
        let limit = LiveStreamSubscription.Limit(accessUnits: 8, bytes: 1 << 20)
        let subscription = live.subscribe(as: "packager", limit: limit)
        live.send(.tracks(TrackList([.hdrVideo, .englishAudio])))
        func unit(
            _ track: Track,
            isKeyframe: Bool = false,
            isDisposable: Bool = false,
            layer: Int = 0
        ) -> MediaEvent {
            .accessUnit(
                AccessUnit(
                    track: track.id,
                    pts: .zero(timescale: 1),
                    dts: .zero(timescale: 1),
                    payload: ByteBuffer(),
                    randomAccess: isKeyframe ? .closed : .none,
                    isDisposable: isDisposable,
                    temporalLayer: layer,
                    arrival: .sample
                )
            )
        }
        live.send(unit(.hdrVideo, isKeyframe: true))
        live.send([MediaEvent](repeating: unit(.hdrVideo), count: 5))
        live.send(unit(.hdrVideo, isDisposable: true))
        live.send([MediaEvent](repeating: unit(.hdrVideo, layer: 1), count: 2))
        live.send([MediaEvent](repeating: unit(.hdrVideo), count: 4))
        live.send([MediaEvent](repeating: unit(.englishAudio), count: 5))
        var stream = try StreamSnapshot.live(Self.name)
        stream.queues = live.pressure.map(QueueSnapshot.init)
        let body = try await ManagementFixture(streams: [stream]).get("/metrics").body
        let page = Metrics(String(buffer: body))
        let labels = "{stream=\"rare\",consumer=\"packager\""
        let dropped = "mirror_queue_dropped_access_units_total\(labels),kind="
        #expect(page["\(dropped)\"disposable\"}"] == 1)
        #expect(page["\(dropped)\"upper_layer\"}"] == 2)
        #expect(page["\(dropped)\"dependent\"}"] == 3)
        #expect(page["\(dropped)\"sound\"}"] == 4)
        #expect(page["mirror_queue_fill_ratio\(labels)}"] == 1)
        var iterator = subscription.makeAsyncIterator()
        for _ in 0..<5 { _ = await iterator.next() }
        let queue = QueueSnapshot(subscription.pressure)
        #expect(queue.fill == 0.5)
        #expect(queue.highestFill == 1)
    }

    // MARK: The store

    private func store(
        memoryLimitBytes: Int = 1 << 20,
        limits: SegmentStore.Limits = .init()
    ) throws -> SegmentStore {
        SegmentStore(
            name: try #require(StreamName(Self.name)),
            configuration: PackagingConfiguration(memoryLimitBytes: memoryLimitBytes),
            epoch: "e",
            limits: limits
        )
    }

    private func part(_ id: Rendition.ID) -> PackagerOutput {
        .part(
            id,
            Part(
                slices: [ByteBuffer(repeating: 0, count: 1_000)],
                duration: MediaTime(mpegTicks: 30_000),
                isIndependent: true
            )
        )
    }

    @Test func aStoreWithoutRoomSaysSoOnThePage() async throws {
        let store = try store(memoryLimitBytes: 2_500)
        store.apply([part(Rendition.ID("unheard-of"))])
        store.apply([
            .renditions([
                Rendition(
                    id: Self.rendition,
                    track: .hdrVideo,
                    initialization: ByteBuffer(),
                    partTarget: MediaTime(mpegTicks: 30_000)
                )
            ])
        ])
        for number in 1...4 as ClosedRange<UInt64> {
            let start = SegmentStart(
                mediaSequence: number,
                programDateTime: .sample,
                isDiscontinuity: false
            )
            store.apply([
                .openSegment(Self.rendition, start), part(Self.rendition),
                .closeSegment(Self.rendition),
            ])
        }
        let page = try await counters(store: store.statistics)
        #expect(page["mirror_store_evicted_segments_total{stream=\"rare\"}"] == 2)
        #expect(page["mirror_store_rejected_parts_total{stream=\"rare\"}"] == 1)
    }

    @Test func viewersWhoWaitInVainAreOnThePage() async throws {
        var limits = SegmentStore.Limits()
        limits.waiters = 1
        let store = try store(limits: limits)
        let first = Task { try await store.multivariantPlaylist() }
        #expect(try await eventually { store.statistics.waiters == 1 })
        await #expect(throws: SegmentStoreError.tooManyWaiters) {
            try await store.multivariantPlaylist()
        }
        store.expireWaiters(now: .now.advanced(by: .seconds(3_600)))
        await #expect(throws: SegmentStoreError.timedOut) { try await first.value }
        let page = try await counters(store: store.statistics)
        #expect(page["mirror_delivery_rejected_waiters_total{stream=\"rare\"}"] == 1)
        #expect(page["mirror_delivery_timed_out_waiters_total{stream=\"rare\"}"] == 1)
    }
}

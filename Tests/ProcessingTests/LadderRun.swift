import Foundation
import Ingestion
import Media
import NIOCore
import Packaging
import Processing
import Synchronization
import TestSupport

/// A clip on its way from a transport stream to the playlists' media, with the ladder that is asked for.
struct LadderRun {
    /// What went into the ladder and came out, by rung.
    let sources: [Picture]
    let rungs: [String: [PictureEvent]]
    let outputs: [PackagerOutput]
    let statistics: LadderStatistics
    /// By one encoder at a time.
    let mostHeldPictures: Int
    /// The last, and how many there were.
    let placement: DevicePlacement
    let ladders: Int
    /// Where it was asked for.
    let quality: Result<[RungQuality], any Error>?

    /// A run of the whole file.
    ///
    /// `change` damages the events that come of the transport stream. With `release` nothing is waited
    /// for but the decoder, and then it is called: at the end, or `after` so many events.
    init(
        _ file: URL,
        _ configuration: TranscodingConfiguration,
        on scheduler: DeviceScheduler = DeviceScheduler(),
        isMeasured: Bool = false,
        change: ([MediaEvent]) -> [MediaEvent] = { $0 },
        release: (() -> Void)? = nil,
        after: Int = .max,
        now: @escaping @Sendable () -> ContinuousClock.Instant = { .now }
    ) async throws {
        var session = IngestSession()
        var events: [MediaEvent] = []
        try Data(contentsOf: file).withUnsafeBytes {
            session.receive($0, arrival: WallTime(microsecondsSinceEpoch: 0)) { events.append($0) }
        }
        session.finish { events.append($0) }
        events = change(events)
        let desk = Desk()
        var running: [Task<Void, Never>] = []
        var measuring: Task<[RungQuality], any Error>?
        var sources: [Picture] = []
        var held = 0
        for (number, event) in (events.map(Optional.init) + [nil]).enumerated() {
            if case .tracks(let list)? = event, let format = list.video?.video,
                let ladder = desk.renewLadder(
                    LadderPlan(configuration, for: format),
                    on: now,
                    place: { scheduler.place($0, of: format, configuration) }
                )
            {
                running.append(
                    Task { await ladder.run { desk.take($1, of: $0, from: ladder) } }
                )
                if isMeasured {
                    measuring = Task { try await ladder.measureQuality(within: .seconds(60)) }
                    _ = try await eventually(within: .seconds(10)) { ladder.isBeingMeasured }
                }
            }
            for case .picture(let picture) in desk.package(event) { sources.append(picture) }
            guard release == nil || number >= after else { continue }
            if number == after { try await desk.release(release) }
            // As fast as it goes, and not faster: nothing is to be lost.
            let room = release == nil ? LadderStatistics.plenty : 0
            _ = try await eventually(within: .seconds(60)) { desk.queued <= room }
            held = desk.ladder?.statistics.rungs.reduce(held) { max($0, $1.heldPictures) } ?? held
        }
        guard let ladder = desk.ladder else { throw CocoaError(.fileReadCorruptFile) }
        if after >= events.count { try await desk.release(release) }
        ladder.close()
        for task in running { await task.value }
        quality = await measuring?.result
        self.sources = sources
        mostHeldPictures = held
        placement = ladder.placement
        ladders = running.count
        (outputs, rungs) = desk.collected
        statistics = ladder.statistics
    }

    /// What the ladder's threads and the clip's own share.
    private final class Desk: Sendable {
        private struct State {
            var packager = StreamPackager(configuration: PackagingConfiguration())
            var ladder: LadderTranscoder?
            var wanted: LadderPlan?
            var outputs: [PackagerOutput] = []
            var rungs: [String: [PictureEvent]] = [:]
        }

        private let state = Mutex(State())

        var ladder: LadderTranscoder? { state.withLock { $0.ladder } }
        var queued: Int { ladder?.statistics.queued ?? 0 }

        /// - Returns: A ladder that is to be run, where the one before is not of this plan.
        func renewLadder(
            _ plan: LadderPlan,
            on now: @escaping @Sendable () -> ContinuousClock.Instant,
            place: (LadderPlan) -> DevicePlacement?
        ) -> LadderTranscoder? {
            state.withLock { state in
                guard plan != state.wanted, let placement = place(plan) else { return nil }
                state.wanted = plan
                state.ladder?.cancel()
                let ladder = LadderTranscoder(placement, now: now)
                state.ladder = ladder
                let rungs = ladder.plan.rungs.map { Rendition.ID($0.name) }
                state.outputs += state.packager.offer(rungs: rungs)
                return ladder
            }
        }

        /// When all that was sent has been decoded.
        func release(_ release: (() -> Void)?) async throws {
            guard let release, let ladder else { return }
            _ = try await eventually(within: .seconds(60)) {
                ladder.statistics.decoding.queued == 0
            }
            release()
        }

        /// - Returns: What went into the ladder; `nil` ends the stream.
        func package(_ event: MediaEvent?) -> [PictureEvent] {
            state.withLock { state in
                state.outputs +=
                    event.map { state.packager.consume($0) } ?? state.packager.finish()
                let pictures = state.packager.takePictures()
                state.ladder?.send(pictures)
                return pictures
            }
        }

        func take(_ event: PictureEvent, of rung: LadderRung, from ladder: LadderTranscoder) {
            state.withLock { state in
                guard state.ladder === ladder else { return }
                state.rungs[rung.name, default: []].append(event)
                state.outputs += state.packager.consume(event, of: Rendition.ID(rung.name))
            }
        }

        var collected: ([PackagerOutput], [String: [PictureEvent]]) {
            state.withLock { ($0.outputs, $0.rungs) }
        }
    }

    var plan: LadderPlan { placement.plan }

    func pictures(of rung: String) -> [Picture] {
        (rungs[rung] ?? []).compactMap {
            if case .picture(let picture) = $0 { picture } else { nil }
        }
    }

    func formats(of rung: String) -> [VideoFormat] {
        (rungs[rung] ?? []).compactMap { if case .begin(let format) = $0 { format } else { nil } }
    }

    /// Segments of a rendition: number, and the decode time its date stands for.
    func boundaries(of id: String) -> [SegmentStart] {
        outputs.compactMap {
            if case .openSegment(let rendition, let start) = $0, rendition.description == id {
                start
            } else {
                nil
            }
        }
    }

    /// How long the parts of a rendition are.
    func parts(of id: String) -> [MediaTime] {
        outputs.compactMap {
            if case .part(let rendition, let part) = $0, rendition.description == id {
                part.duration
            } else {
                nil
            }
        }
    }

    /// One rendition as a file that players take: since its format is what it is.
    func write(_ id: String, to file: URL) throws {
        var bytes = ByteBuffer()
        var header: ByteBuffer?
        for output in outputs {
            switch output {
            case .renditions(let list):
                for rendition in list
                where rendition.id.description == id && rendition.initialization != header {
                    header = rendition.initialization
                    bytes.clear()
                    bytes.writeImmutableBuffer(rendition.initialization)
                }
            case .part(let rendition, let part) where rendition.description == id:
                for slice in part.slices { bytes.writeImmutableBuffer(slice) }
            default: continue
            }
        }
        try Data(bytes.readableBytesView).write(to: file)
    }
}

extension LadderStatistics {
    /// If more waits, more might be lost.
    fileprivate static let plenty = 4

    /// In the longest of its queues.
    fileprivate var queued: Int { rungs.reduce(decoding.queued) { max($0, $1.queued) } }
}

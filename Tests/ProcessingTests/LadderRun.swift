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
    let plan: LadderPlan

    /// `change` damages the events that come of the transport stream.
    init(
        _ file: URL,
        _ configuration: TranscodingConfiguration,
        change: ([MediaEvent]) -> [MediaEvent] = { $0 }
    ) async throws {
        var session = IngestSession()
        var events: [MediaEvent] = []
        try Data(contentsOf: file).withUnsafeBytes {
            session.receive($0, arrival: WallTime(microsecondsSinceEpoch: 0)) { events.append($0) }
        }
        session.finish { events.append($0) }
        events = change(events)
        var format: VideoFormat?
        for case .tracks(let list) in events { format = format ?? list.video?.video }
        guard let format else { throw CocoaError(.fileReadCorruptFile) }

        let plan = LadderPlan(configuration, for: format)
        let ladder = LadderTranscoder(plan)
        let desk = Desk()
        desk.package { $0.offer(rungs: plan.rungs.map { Rendition.ID($0.name) }) }
        async let finished: Void = ladder.run { rung, event in
            desk.take(event, of: rung)
        }
        var sources: [Picture] = []
        for event in events.map(Optional.init) + [nil] {
            let pictures = desk.package { packager in
                event.map { packager.consume($0) } ?? packager.finish()
            }
            for case .picture(let picture) in pictures { sources.append(picture) }
            ladder.send(pictures)
            // As fast as it goes, and not faster: nothing is to be lost.
            _ = try await eventually(within: .seconds(60)) { !ladder.statistics.isBusy }
        }
        ladder.close()
        await finished
        self.sources = sources
        self.plan = plan
        (outputs, rungs) = desk.collected
        statistics = ladder.statistics
    }

    /// What the ladder's threads and the clip's own share.
    private final class Desk: Sendable {
        private struct State {
            var packager = StreamPackager(configuration: PackagingConfiguration())
            var outputs: [PackagerOutput] = []
            var rungs: [String: [PictureEvent]] = [:]
        }

        private let state = Mutex(State())

        /// - Returns: What is to be encoded.
        @discardableResult
        func package(
            _ body: @Sendable (inout StreamPackager) -> [PackagerOutput]
        ) -> [PictureEvent] {
            state.withLock { state in
                state.outputs += body(&state.packager)
                return state.packager.takePictures()
            }
        }

        func take(_ event: PictureEvent, of rung: LadderRung) {
            state.withLock { state in
                state.rungs[rung.name, default: []].append(event)
                state.outputs += state.packager.consume(event, of: Rendition.ID(rung.name))
            }
        }

        var collected: ([PackagerOutput], [String: [PictureEvent]]) {
            state.withLock { ($0.outputs, $0.rungs) }
        }
    }

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

    /// One rendition as a file that players take.
    func write(_ id: String, to file: URL) throws {
        var bytes = ByteBuffer()
        var header: ByteBuffer?
        for output in outputs {
            switch output {
            case .renditions(let list):
                for rendition in list
                where rendition.id.description == id && rendition.initialization != header {
                    header = rendition.initialization
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
    /// So much waits that more might be lost.
    fileprivate var isBusy: Bool {
        decoding.queued > 4 || rungs.contains { $0.queued > 8 }
    }
}

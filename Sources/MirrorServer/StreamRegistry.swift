package import Ingestion
package import Logging
package import Media
package import Packaging
import Synchronization

/// Which streams are on air, and who publishes each: admission, takeover, grace and end.
///
/// A name is *live* while it has a publisher, *interrupted* for `grace` after its publisher left,
/// then *ended* (its playlists say so) for `linger`, and then gone. A publisher that returns while the
/// name is interrupted continues the same playlists; one that comes later begins new ones.
///
/// Threads: any. Nothing here blocks or waits; time comes in through `now`.
package final class StreamRegistry: StreamAdmission, Sendable {
    package enum Phase: String, Sendable {
        case live, interrupted, ended
    }

    /// One stream as it is at this moment.
    package struct Entry: Sendable {
        package let pipeline: StreamPipeline
        package let firstPublishedAt: WallTime
        package fileprivate(set) var publication: Publication?
        package fileprivate(set) var phase = Phase.live
        package fileprivate(set) var phaseSince: WallTime
        /// Of the publication.
        fileprivate var coach = ContributionCoach()

        package var name: StreamName { pipeline.live.name }

        /// What the packager says, and what it cannot know: the access units that its queue lost
        /// before it saw them, a picture of which no keyframe ever came, which is no track yet, and
        /// what is wrong on the way to here.
        package var packaging: PackagerStatistics {
            var packaging = pipeline.packagerStatistics
            packaging.droppedUnits += UInt64(pipeline.overrunAccessUnits)
            let ingest = publication?.statistics.transportStream
            if let ingest, ingest.undecodableAccessUnits > 0, pipeline.live.tracks?.video == nil {
                packaging.advice.append(.noKeyframe)
            }
            packaging.advice += coach.advice
            return packaging
        }
    }

    private struct State {
        var entries: [StreamName: Entry] = [:]
        var rules: StreamRules
        var lastPublicationID: UInt64 = 0
        var isShuttingDown = false
    }

    private let directory: StreamDirectory
    private let packaging: PackagingConfiguration
    private let now: @Sendable () -> WallTime
    private let onStart: @Sendable (StreamPipeline) -> Void
    private let logger: Logger
    private let state: Mutex<State>

    /// A publisher that sent nothing for this long is taken to be gone: the next may have its name,
    /// whatever the policy, before SRT itself notices that the peer is dead.
    private static let silence = Duration.seconds(1)
    /// How long a publisher has to show what it sends before it is judged: it may have come in the
    /// middle of a group of pictures.
    private static let patience = Duration.seconds(3)
    /// How long an ended stream can still be watched to its end.
    private static let linger = Duration.seconds(60)

    /// `onStart` is called once for each pipeline, which it must run.
    package init(
        rules: StreamRules,
        packaging: PackagingConfiguration,
        directory: StreamDirectory,
        logger: Logger,
        now: @escaping @Sendable () -> WallTime,
        onStart: @escaping @Sendable (StreamPipeline) -> Void
    ) {
        self.packaging = packaging
        self.directory = directory
        self.now = now
        self.onStart = onStart
        self.logger = logger
        state = Mutex(State(rules: rules))
    }

    /// Every stream, by name.
    package var entries: [Entry] {
        state.withLock { $0.entries.values.sorted { $0.name < $1.name } }
    }

    package subscript(name: StreamName) -> Entry? {
        state.withLock { $0.entries[name] }
    }

    /// Of names that no rule has, as the rules are now.
    package var isPassphraseRequired: Bool {
        state.withLock { $0.rules.isPassphraseRequired }
    }

    /// New rules hold for publishers that come from now on; nobody on air is dropped.
    package func update(rules: StreamRules) {
        state.withLock { $0.rules = rules }
    }

    package func admit(_ request: PublishRequest) throws(PublishRefusal) -> PublishTerms {
        let now = now()
        return try state.withLock { state throws(PublishRefusal) in
            try Self.check(request, in: state, now: now)
            let terms = state.rules.terms(for: request.name)
            return PublishTerms(
                passphrase: terms.passphrase?.reveal(),
                maxBitrateBitsPerSecond: terms.maxBitrateBitsPerSecond
            )
        }
    }

    package func publish(
        _ request: PublishRequest,
        disconnect: @escaping @Sendable () -> Void
    ) throws(PublishRefusal) -> Publication {
        let now = now()
        let (publication, previous, entry, isNew) = try state.withLock {
            state throws(PublishRefusal) in
            try Self.check(request, in: state, now: now)
            let known = state.entries[request.name].flatMap { $0.phase == .ended ? nil : $0 }
            var entry = known ?? makeEntry(request.name, now: now)
            let previous = entry.publication
            state.lastPublicationID += 1
            let publication = Publication(
                id: state.lastPublicationID,
                request: request,
                stream: entry.pipeline.live,
                startedAt: now,
                disconnect: disconnect,
                onEnd: { [weak self] publication, reason in self?.release(publication, reason) }
            )
            entry.publication = publication
            entry.coach = ContributionCoach()
            entry.phase = .live
            entry.phaseSince = now
            state.entries[request.name] = entry
            return (publication, previous, entry, known == nil)
        }
        previous?.revoke(.takenOver)
        if isNew {
            directory.insert(entry.pipeline.store)
            onStart(entry.pipeline)
        } else {
            entry.pipeline.live.send(.discontinuity(.publisherChange))
        }
        logger.info(
            isNew ? "stream started" : "publisher returned",
            metadata: Self.metadata(of: request)
        )
        return publication
    }

    /// Ends what has been without a publisher for too long, and forgets what ended long ago.
    ///
    /// To be called about twice a second.
    package func expire() {
        let now = now()
        let (closed, removed) = state.withLock { state in
            var closed: [Entry] = []
            var removed: [Entry] = []
            for (name, entry) in state.entries {
                let age = now.duration(since: entry.phaseSince)
                switch entry.phase {
                case .live:
                    break
                // Where nothing could be watched yet there is nothing to keep.
                case .interrupted
                where entry.pipeline.firstPartAt == nil
                    || age >= state.rules.terms(for: name).grace:
                    state.entries[name]?.phase = .ended
                    state.entries[name]?.phaseSince = now
                    closed.append(entry)
                case .ended where age >= Self.linger:
                    state.entries[name] = nil
                    removed.append(entry)
                case .interrupted, .ended:
                    break
                }
            }
            return (closed, removed)
        }
        for entry in closed {
            entry.pipeline.live.close()
            logger.info("stream ended", metadata: ["stream": "\(entry.name)"])
        }
        for entry in removed { directory.remove(entry.pipeline.store) }
    }

    /// Looks at how contributions come in, and writes to the log what should change, once for each
    /// stream and kind of advice.
    ///
    /// To be called about twice a second.
    package func advise() {
        let now = now()
        state.withLock { state in
            for (name, entry) in state.entries {
                guard let statistics = entry.publication?.statistics else { continue }
                state.entries[name]?.coach.look(at: statistics, now: now)
            }
        }
        for entry in entries
        where entry.phase == .live && now.duration(since: entry.phaseSince) >= Self.patience {
            entry.pipeline.log(entry.packaging.advice)
        }
    }

    /// Turns every publisher away, those on air included.
    ///
    /// The playlists are left without an end, so that players come back when the server does.
    package func shutDown() {
        let publications = state.withLock { state in
            state.isShuttingDown = true
            return state.entries.values.compactMap(\.publication)
        }
        for publication in publications { publication.revoke(.shutdown) }
    }

    private func makeEntry(_ name: StreamName, now: WallTime) -> Entry {
        let pipeline = StreamPipeline(
            name: name,
            configuration: packaging,
            epoch: String(now.microsecondsSinceEpoch / 1_000, radix: 36),
            logger: logger
        )
        return Entry(pipeline: pipeline, firstPublishedAt: now, phaseSince: now)
    }

    private func release(_ publication: Publication, _ reason: EndReason) {
        let now = now()
        state.withLock { state in
            let name = publication.request.name
            guard state.entries[name]?.publication === publication else { return }
            state.entries[name]?.publication = nil
            state.entries[name]?.coach = ContributionCoach()
            state.entries[name]?.phase = .interrupted
            state.entries[name]?.phaseSince = now
        }
        var metadata = Self.metadata(of: publication.request)
        metadata["reason"] = "\(reason.rawValue)"
        logger.info("publisher left", metadata: metadata)
    }

    private static func check(
        _ request: PublishRequest,
        in state: State,
        now: WallTime
    ) throws(PublishRefusal) {
        guard !state.isShuttingDown else { throw .shuttingDown }
        let terms = state.rules.terms(for: request.name)
        guard terms.allows(source: request.sourceAddress) else { throw .sourceNotAllowed }
        guard let entry = state.entries[request.name], entry.phase != .ended else {
            let onAir = state.entries.values.count { $0.phase != .ended }
            guard onAir < state.rules.maxStreams else { throw .full }
            return
        }
        guard let publication = entry.publication, terms.onSecondPublisher == .refuse else {
            return
        }
        guard now.duration(since: publication.lastArrival) >= silence else { throw .nameTaken }
    }

    private static func metadata(of request: PublishRequest) -> Logger.Metadata {
        [
            "stream": "\(request.name)",
            "transport": "\(request.transport.rawValue)",
            "source": "\(request.sourceAddress)",
        ]
    }
}

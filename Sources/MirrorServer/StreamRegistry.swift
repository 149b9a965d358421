package import Ingestion
package import Logging
package import Media
package import Packaging
package import Processing
import Synchronization

/// Which streams are on air, and who publishes each: admission, takeover, grace and end.
///
/// A name is *live* while it has a publisher, *interrupted* for `grace` after its publisher left,
/// or for as long as a slate is shown in its place and `grace` after,
/// then *ended* (its playlists say so) for `linger`, and then gone. A publisher that returns while the
/// name is interrupted continues the same playlists; one that comes later begins new ones.
///
/// A stream has one input, its own name, or those that its rule lists: names that publishers publish
/// to, each with one publisher at a time. It is live while any of them has one.
///
/// Threads: any. Nothing here blocks or waits; time comes in through `now`.
package final class StreamRegistry: StreamAdmission, Sendable {
    package enum Phase: String, Sendable {
        case live, interrupted, ended
    }

    /// One publisher, and what it should change.
    package struct Contribution: Sendable {
        package let publication: Publication
        fileprivate var coach = ContributionCoach()

        package var advice: [Advice] { coach.advice }
    }

    /// One stream as it is at this moment.
    package struct Entry: Sendable {
        package let pipeline: StreamPipeline
        package let inputs: InputGroup
        package let slate: SlateGate
        package let thumbnail: StreamThumbnail
        /// Where the inputs are the legs of one feed.
        package let feed: MergedFeed?
        package let mode: StreamInputs.Mode
        package let firstPublishedAt: WallTime
        /// By the input that they publish to.
        package fileprivate(set) var contributions: [StreamName: Contribution] = [:]
        package fileprivate(set) var phase = Phase.live
        package fileprivate(set) var phaseSince: WallTime

        package var name: StreamName { pipeline.live.name }

        /// The one on air, or the leg that leads; while none is, of those that came the first by name.
        package var contribution: Contribution? {
            (feed == nil ? inputs.onAir : feed?.leading).flatMap { contributions[$0] }
                ?? contributions.min { $0.key < $1.key }?.value
        }

        package var publication: Publication? { contribution?.publication }

        package func inputStatus(now: WallTime) -> InputSwitch.Status {
            inputs.status(claimed: Set(contributions.keys), now: now)
        }

        /// What the packager says, and what it cannot know: the access units that its queue lost
        /// before it saw them, a picture of which no keyframe ever came, which is no track yet, and
        /// what is wrong on the way to here.
        package var packaging: PackagerStatistics {
            var packaging = pipeline.packagerStatistics
            packaging.droppedUnits &+= pipeline.overrunAccessUnits
            let contribution = contribution
            let ingest = contribution?.publication.statistics.transportStream
            if let ingest, ingest.undecodableAccessUnits > 0, pipeline.live.tracks?.video == nil {
                packaging.advice.append(.noKeyframe)
            }
            packaging.advice += contribution?.advice ?? []
            if let (input, media, onAir) = inputs.difference {
                packaging.advice.append(.inputsDiffer("\(input)", media, onAir: onAir))
            }
            packaging.advice += legAdvice
            if let ladder = pipeline.ladder {
                packaging.advice += Advice.about(ladder.plan, ladder.statistics)
            }
            return packaging
        }

        /// Of legs that cannot be merged.
        private var legAdvice: [Advice] {
            guard let feed else { return [] }
            return zip(feed.names, feed.legs).compactMap { name, leg in
                if leg.isSetAside { return .legCarriesOtherMedia("\(name)") }
                return leg.state == .stray ? .legDiffers("\(name)") : nil
            }
        }
    }

    struct State {
        var entries: [StreamName: Entry] = [:]
        var rules: StreamRules
        var lastPublicationID: UInt64 = 0
        var isShuttingDown = false
    }

    private let directory: StreamDirectory
    let packaging: PackagingConfiguration
    let now: @Sendable () -> WallTime
    private let onStart: @Sendable (StreamPipeline) -> Void
    let makeSlate: @Sendable (SlateLibrary.Job) -> Void
    private let thumbnails: StreamThumbnail.Workshop
    private let devices: DeviceScheduler
    private let logger: Logger
    let state: Mutex<State>

    /// A publisher that sent nothing for this long is taken to be gone: the next may have its name,
    /// whatever the policy, before SRT itself notices that the peer is dead.
    private static let silence = Duration.seconds(1)
    /// The same where the next calls over SRT from where the first did: it is the first, started again.
    ///
    /// It need not have been silent for longer then than redundant inputs may be.
    private static let restartSilence = Duration.milliseconds(500)
    /// How long a publisher has to show what it sends before it is judged: it may have come in the
    /// middle of a group of pictures.
    static let patience = Duration.seconds(3)
    /// How long an ended stream can still be watched to its end.
    private static let linger = Duration.seconds(60)

    /// `onStart` is called once for each pipeline, which it must run; `makeSlate` has a slate made, and
    /// must not block.
    package init(
        rules: StreamRules,
        packaging: PackagingConfiguration,
        directory: StreamDirectory,
        logger: Logger,
        now: @escaping @Sendable () -> WallTime,
        onStart: @escaping @Sendable (StreamPipeline) -> Void,
        makeSlate: @escaping @Sendable (SlateLibrary.Job) -> Void = { $0.deliver(nil) },
        thumbnails: StreamThumbnail.Workshop = .closed,
        devices: DeviceScheduler = DeviceScheduler()
    ) {
        self.packaging = packaging
        self.directory = directory
        self.now = now
        self.onStart = onStart
        self.makeSlate = makeSlate
        self.thumbnails = thumbnails
        self.devices = devices
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
        state.withLock { state in
            state.rules = rules
            for entry in state.entries.values {
                Self.renewInputs(of: entry, rules)
                entry.slate.renew()
            }
        }
    }

    /// Prefers an input of a stream, or again the first where `input` is `nil`.
    ///
    /// - Throws: Why that cannot be.
    package func select(
        _ input: StreamName?,
        of stream: StreamName
    ) throws(InputSelectionError) {
        guard let entry = self[stream], entry.phase != .ended else { throw .noSuchStream }
        if let input {
            guard entry.inputs.contains(input) else { throw .noSuchInput }
            guard entry.contributions[input] != nil else { throw .nobodyPublishes }
        }
        _ = entry.inputs.select(input)
    }

    package func admit(_ request: PublishRequest) throws(PublishRefusal) -> PublishTerms {
        let now = now()
        return try state.withLock { state throws(PublishRefusal) in
            _ = try Self.check(request, in: state, now: now)
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
            let stream = try Self.check(request, in: state, now: now)
            let known = state.entries[stream].flatMap { $0.phase == .ended ? nil : $0 }
            var entry = known ?? makeEntry(stream, by: state.rules, now: now)
            let leg = entry.feed?.join(request.name)
            // Inputs that were added while the feed is on air are legs of the next.
            guard entry.feed == nil || leg != nil else { throw .hasInputs }
            let previous = entry.contributions[request.name]?.publication
            state.lastPublicationID += 1
            let publication = Publication(
                id: state.lastPublicationID,
                request: request,
                startedAt: now,
                leg: leg,
                deliver: { [inputs = entry.inputs, input = request.name] events in
                    inputs.send(events, from: input)
                },
                disconnect: disconnect,
                onEnd: { [weak self] publication, reason in
                    self?.release(publication, of: stream, reason)
                }
            )
            entry.contributions[request.name] = Contribution(publication: publication)
            if entry.contributions.count == 1 {
                entry.phase = .live
                entry.phaseSince = now
            }
            state.entries[stream] = entry
            return (publication, previous, entry, known == nil)
        }
        previous?.revoke(.takenOver)
        if isNew {
            directory.insert(entry.pipeline.store)
            onStart(entry.pipeline)
        }
        let metadata = Self.metadata(of: request, stream: entry.name)
        if isNew || request.name == entry.name {
            logger.info(isNew ? "stream started" : "publisher returned", metadata: metadata)
        } else {
            logger.info("input came", metadata: metadata)
        }
        return publication
    }

    /// Ends what has been without a publisher for too long, and forgets what ended long ago.
    ///
    /// To be called about twice a second.
    package func expire() {
        let now = now()
        for entry in entries {
            entry.feed?.advance(to: now)
            entry.thumbnail.expireWaiters(now: now)
        }
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
                    || (age >= state.rules.terms(for: name).grace
                        && !Self.goesOn(entry, state.rules)):
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
                var losses: [StreamName: UInt64] = [:]
                for (input, contribution) in entry.contributions {
                    let statistics = contribution.publication.statistics
                    state.entries[name]?.contributions[input]?.coach.look(
                        at: statistics,
                        droppedAccessUnits: entry.pipeline.overrunAccessUnits,
                        now: now
                    )
                    losses[input] = statistics.losses
                }
                entry.inputs.look(at: losses, now: now)
            }
        }
        for entry in entries
        where entry.phase == .live && now.duration(since: entry.phaseSince) >= Self.patience
            && entry.slate.condition != .onAir
        {
            entry.pipeline.log(entry.packaging.advice)
        }
    }

    /// Turns every publisher away, those on air included.
    ///
    /// The playlists are left without an end, so that players come back when the server does.
    package func shutDown() {
        let publications = state.withLock { state in
            state.isShuttingDown = true
            return state.entries.values.flatMap(\.contributions.values).map(\.publication)
        }
        for publication in publications { publication.revoke(.shutdown) }
    }

    private func makeEntry(
        _ name: StreamName,
        by rules: StreamRules,
        now: WallTime
    ) -> Entry {
        let inputs = rules.inputs(of: name)
        let pipeline = StreamPipeline(
            name: name,
            configuration: packaging,
            transcoding: rules.terms(for: name).transcoding,
            devices: devices,
            epoch: String(now.microsecondsSinceEpoch / 1_000, radix: 36),
            logger: logger
        )
        let slate = SlateGate(pipeline.live, logger: logger)
        // The legs of one feed are one input to what comes behind.
        let isMerged = inputs.mode == .hitless
        let group = InputGroup(
            isMerged ? .init(names: [name]) : inputs.switching,
            of: name,
            logger: logger
        ) { slate.send($0) }
        let feed =
            isMerged
            ? MergedFeed(
                legs: inputs.names,
                configuration: .init(maximumSkew: inputs.maxSkew),
                deliver: { events in group.send(events, from: name) }
            ) : nil
        return Entry(
            pipeline: pipeline,
            inputs: group,
            slate: slate,
            thumbnail: StreamThumbnail(of: pipeline.live, workshop: thumbnails, now: self.now),
            feed: feed,
            mode: inputs.mode,
            firstPublishedAt: now,
            phaseSince: now
        )
    }

    private func release(
        _ publication: Publication,
        of stream: StreamName,
        _ reason: EndReason
    ) {
        let now = now()
        let input = publication.request.name
        state.withLock { state in
            guard var entry = state.entries[stream],
                entry.contributions[input]?.publication === publication
            else { return }
            entry.contributions[input] = nil
            if entry.contributions.isEmpty {
                entry.phase = .interrupted
                entry.phaseSince = now
            }
            state.entries[stream] = entry
            Self.renewInputs(of: entry, state.rules)
        }
        var metadata = Self.metadata(of: publication.request, stream: stream)
        metadata["reason"] = "\(reason.rawValue)"
        logger.info("publisher left", metadata: metadata)
    }

    /// A stream without a publisher waits for one from here on.
    func beginGrace(of entry: Entry, at now: WallTime) {
        state.withLock { state in
            guard let known = state.entries[entry.name], known.pipeline === entry.pipeline,
                known.phase == .interrupted
            else { return }
            state.entries[entry.name]?.phaseSince = now
        }
    }

    /// Has a stream go on with the inputs that its rule has now, and those that still publish.
    private static func renewInputs(of entry: Entry, _ rules: StreamRules) {
        guard entry.phase != .ended, entry.feed == nil else { return }
        entry.inputs.reconfigure(
            rules.inputs(of: entry.name).switching,
            keeping: Set(entry.contributions.keys)
        )
    }

    /// - Returns: The stream that the request feeds.
    private static func check(
        _ request: PublishRequest,
        in state: State,
        now: WallTime
    ) throws(PublishRefusal) -> StreamName {
        guard !state.isShuttingDown else { throw .shuttingDown }
        let terms = state.rules.terms(for: request.name)
        guard terms.allows(source: request.sourceAddress) else { throw .sourceNotAllowed }
        guard let stream = state.rules.stream(fedBy: request.name) else { throw .hasInputs }
        guard let entry = state.entries[stream], entry.phase != .ended else {
            let onAir = state.entries.values.count { $0.phase != .ended }
            guard onAir < state.rules.maxStreams else { throw .full }
            return stream
        }
        guard let publication = entry.contributions[request.name]?.publication,
            terms.onSecondPublisher == .refuse
        else { return stream }
        let isRestart = [request, publication.request].allSatisfy {
            $0.transport == .srtListener && $0.sourceAddress == request.sourceAddress
        }
        let isSilent =
            now.duration(since: publication.lastArrival) >= (isRestart ? restartSilence : silence)
        guard isSilent else { throw .nameTaken }
        return stream
    }

    private static func metadata(
        of request: PublishRequest,
        stream: StreamName
    ) -> Logger.Metadata {
        var metadata: Logger.Metadata = [
            "stream": "\(stream)",
            "transport": "\(request.transport.rawValue)",
            "source": "\(request.sourceAddress)",
        ]
        if request.name != stream { metadata["input"] = "\(request.name)" }
        return metadata
    }
}

/// Why an input cannot be put on air.
package enum InputSelectionError: Error, Sendable {
    case noSuchStream
    case noSuchInput
    case nobodyPublishes
}

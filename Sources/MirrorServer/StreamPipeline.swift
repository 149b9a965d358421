package import Logging
package import Media
package import Packaging
package import Processing
import Synchronization

/// One stream's way through Mirror, from the publisher's events to what viewers wait on.
///
/// ```
/// transport thread ──MediaEvent──▶ live ──▶ sound encoder ──▶ packager ──PackagerOutput──▶ store ──▶ viewers
///                                                              │    ▲
///                                                     pictures ▼    │ pictures of each rung
///                                                              ladder, sound of the ladder
/// ```
///
/// It lives as long as the stream has a name on air: publishers may leave and return, the packager
/// and the store go on, and so do the viewers' playlists.
package final class StreamPipeline: Sendable {
    package let live: LiveStream
    package let store: SegmentStore

    private let configuration: PackagingConfiguration
    private let transcoding: TranscodingConfiguration
    private let devices: DeviceScheduler
    private let events: LiveStreamSubscription
    private let stage: Mutex<Stage>
    private let packaging: Mutex<PackagerStatistics>
    private let firstPart = Mutex<WallTime?>(nil)
    private let loggedAdvice = Mutex<Set<Advice.Code>>([])
    private let logger: Logger

    /// What events and the ladder's threads change, one at a time.
    private struct Stage {
        var packager: StreamPackager
        /// What encodes the picture again; the last one stays when its source has gone.
        var ladder: LadderTranscoder?
        /// What is to be encoded of which picture; devices may have no room for all of it.
        var wanted = LadderPlan()
        var source: Track?
        /// What encodes sound again, where that is asked for.
        let sound: SoundTranscoder?

        /// Has encoded again what is to be.
        mutating func passOn() {
            ladder?.send(packager.takePictures())
            for (source, events) in packager.takeSound() {
                sound?.send(events, of: source.description)
            }
        }
    }

    /// What may wait between the transport's thread and the packager: about two seconds of a 200
    /// Mbit/s stream.
    ///
    /// The packager takes microseconds, so it fills only when the machine stalls. What was held until
    /// the tracks were known comes at once, 2,000 units at most: half of it.
    private static let queueLimit = LiveStreamSubscription.Limit(
        accessUnits: 4_000,
        bytes: 64 << 20
    )

    /// hls.js takes the number 0 for "no low-latency reload" and then polls.
    private static let firstMediaSequence: UInt64 = 1

    package init(
        name: StreamName,
        configuration: PackagingConfiguration,
        transcoding: TranscodingConfiguration,
        devices: DeviceScheduler,
        epoch: String,
        logger: Logger
    ) {
        live = LiveStream(name: name)
        store = SegmentStore(name: name, configuration: configuration, epoch: epoch)
        self.configuration = configuration
        self.transcoding = transcoding
        self.devices = devices
        events = live.subscribe(as: "packager", limit: Self.queueLimit)
        var packager = StreamPackager(
            configuration: configuration,
            firstMediaSequence: Self.firstMediaSequence
        )
        let isWanted = transcoding.isEnabled && !transcoding.audio.isEmpty
        let sound = isWanted ? SoundTranscoder(transcoding.audio) : nil
        packager.offer(soundFormats: sound?.formats.map(\.name) ?? [])
        packaging = Mutex(packager.measurements)
        stage = Mutex(Stage(packager: packager, sound: sound))
        var logger = logger
        logger[metadataKey: "stream"] = "\(name)"
        self.logger = logger
    }

    /// Packages the stream until `live` is closed, then ends its playlists.
    package func run() async {
        await withDiscardingTaskGroup { group in
            if let transcoder = self.sound {
                group.addTask { [self] in await transcoder.run { self.publish($0) } }
            }
            var sound = SoundEncoder()
            for await event in events {
                for event in sound.encode(event) {
                    if let ladder = renewLadder(for: event) {
                        group.addTask { [self] in
                            await ladder.run { self.publish($1, of: $0, from: ladder) }
                        }
                    }
                    package(event)
                }
            }
            stage.withLock { stage in
                store.apply(stage.packager.finish())
                stage.passOn()
                stage.ladder?.close()
                stage.sound?.close()
            }
        }
        store.finish()
    }

    private func package(_ event: MediaEvent) {
        if case .tracks(let tracks) = event { log(tracks) }
        let measurements = stage.withLock { stage -> PackagerStatistics? in
            let outputs = stage.packager.consume(event)
            stage.passOn()
            // Tracks that are not packaged and keyframes that do not come show in no output.
            var isNews = !outputs.isEmpty || stage.packager.isWaitingForKeyframe
            if case .tracks = event { isNews = true }
            guard isNews else { return nil }
            store.apply(outputs)
            return stage.packager.measurements
        }
        guard let measurements else { return }
        packaging.withLock { $0 = measurements }
        if measurements.parts > 0 { firstPart.withLock { $0 = $0 ?? .now } }
    }

    // MARK: Ladder

    /// Has the picture encoded as its format asks, from these tracks on; what devices had no room for, or
    /// gave up, from a keyframe on.
    ///
    /// - Returns: A ladder that is to be run.
    private func renewLadder(for event: MediaEvent) -> LadderTranscoder? {
        switch event {
        case .tracks(let tracks):
            let plan = tracks.video?.video.map { LadderPlan(transcoding, for: $0) } ?? LadderPlan()
            return stage.withLock { stage in
                stage.source = tracks.video
                guard plan != stage.wanted else { return nil }
                stage.wanted = plan
                stage.ladder?.placement.seat.leave()
                return renewLadder(&stage, after: nil)
            }
        case .accessUnit(let unit) where unit.isKeyframe:
            return stage.withLock { stage in
                guard unit.track == stage.source?.id, let placement = stage.ladder?.placement,
                    !placement.isFinal || placement.seat.isLost
                else { return nil }
                return renewLadder(&stage, after: placement)
            }
        default:
            return nil
        }
    }

    private func renewLadder(
        _ stage: inout Stage,
        after previous: DevicePlacement?
    ) -> LadderTranscoder? {
        let placement = devices.place(
            stage.wanted,
            of: stage.source?.video,
            transcoding,
            after: previous
        )
        guard let placement else { return nil }
        stage.ladder?.cancel()
        let ladder = LadderTranscoder(placement)
        stage.ladder = ladder
        let rungs = placement.plan.rungs.map { Rendition.ID($0.name) }
        let offered = stage.packager.offer(rungs: rungs, besideSource: placement.plan.keepsSource)
        store.apply(offered)
        log(placement.plan)
        return rungs.isEmpty ? nil : ladder
    }

    /// On the thread of a rung.
    private func publish(
        _ event: PictureEvent,
        of rung: LadderRung,
        from ladder: LadderTranscoder
    ) {
        stage.withLock { stage in
            // The picture under way when another ladder took its place is of a timeline that is over.
            guard stage.ladder === ladder else { return }
            store.apply(stage.packager.consume(event, of: Rendition.ID(rung.name)))
        }
    }

    /// On the thread that encodes sound.
    private func publish(_ output: SoundTranscoder.Output) {
        let id = Rendition.ID("\(output.source)-\(output.format.name)")
        stage.withLock { store.apply($0.packager.consume(output.event, of: id)) }
    }

    /// What encodes sound in other formats; `nil` where that is not wanted.
    package var sound: SoundTranscoder? {
        stage.withLock { $0.sound }
    }

    /// What encodes the picture in other sizes; `nil` where that is not wanted.
    package var ladder: LadderTranscoder? {
        stage.withLock { $0.ladder }
    }

    private func log(_ plan: LadderPlan) {
        for rung in plan.rungs {
            logger.info(
                "rung",
                metadata: [
                    "name": "\(rung.name)", "codec": "\(rung.codec.rawValue)",
                    "size": "\(rung.width)x\(rung.height)", "bitrate": "\(rung.bitsPerSecond)",
                ]
            )
        }
    }

    /// When viewers had something to play for the first time.
    package var firstPartAt: WallTime? {
        firstPart.withLock { $0 }
    }

    package var packagerStatistics: PackagerStatistics {
        packaging.withLock { $0 }.advised(segmentTarget: configuration.segmentTarget)
    }

    /// Access units lost because the packager was too slow.
    package var overrunAccessUnits: UInt64 { events.pressure.losses.total }

    /// Writes each kind of advice to the log once, however often it is given.
    func log(_ advice: [Advice]) {
        for item in advice where loggedAdvice.withLock({ $0.insert(item.code).inserted }) {
            logger.warning(
                "encoder advice",
                metadata: ["code": "\(item.code.rawValue)", "advice": "\(item.text)"]
            )
        }
    }

    private func log(_ tracks: TrackList) {
        for track in tracks.tracks {
            switch track.format {
            case .video(let video):
                logger.info(
                    "video track",
                    metadata: [
                        "codec": "\(video.codec.rawValue)", "codecs": "\(video.codecString)",
                        "profile": "\(video.profile)", "level": "\(video.level)",
                        "size": "\(video.width)x\(video.height)",
                        "range": "\(video.dynamicRange.rawValue)",
                    ]
                )
            case .audio(let audio):
                logger.info(
                    "audio track",
                    metadata: [
                        "codec": "\(audio.codec.rawValue)", "codecs": "\(audio.codecString)",
                        "rate": "\(audio.sampleRate)", "layout": "\(audio.channelLayout)",
                        "language": "\(track.language ?? "und")",
                    ]
                )
            case .data(let data):
                logger.info("data track, not carried", metadata: ["kind": "\(data.kind.rawValue)"])
            }
        }
    }
}

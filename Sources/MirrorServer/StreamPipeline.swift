package import Logging
package import Media
package import Packaging
import Processing
import Synchronization

/// One stream's way through Mirror, from the publisher's events to what viewers wait on.
///
/// ```
/// transport thread ──MediaEvent──▶ live ──▶ sound encoder ──▶ packager ──PackagerOutput──▶ store ──▶ viewers
/// ```
///
/// It lives as long as the stream has a name on air: publishers may leave and return, the packager
/// and the store go on, and so do the viewers' playlists.
package final class StreamPipeline: Sendable {
    package let live: LiveStream
    package let store: SegmentStore

    private let configuration: PackagingConfiguration
    private let events: LiveStreamSubscription
    private let packaging: Mutex<PackagerStatistics>
    private let firstPart = Mutex<WallTime?>(nil)
    private let loggedAdvice = Mutex<Set<Advice.Code>>([])
    private let logger: Logger

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
        epoch: String,
        logger: Logger
    ) {
        live = LiveStream(name: name)
        store = SegmentStore(name: name, configuration: configuration, epoch: epoch)
        self.configuration = configuration
        events = live.subscribe(as: "packager", limit: Self.queueLimit)
        packaging = Mutex(StreamPackager(configuration: configuration).measurements)
        var logger = logger
        logger[metadataKey: "stream"] = "\(name)"
        self.logger = logger
    }

    /// Packages the stream until `live` is closed, then ends its playlists.
    package func run() async {
        var packager = StreamPackager(
            configuration: configuration,
            firstMediaSequence: Self.firstMediaSequence
        )
        var sound = SoundEncoder()
        for await event in events {
            for event in sound.encode(event) { package(event, with: &packager) }
        }
        store.apply(packager.finish())
        store.finish()
    }

    private func package(_ event: MediaEvent, with packager: inout StreamPackager) {
        let outputs = packager.consume(event)
        // Tracks that are not packaged and keyframes that do not come show in no output.
        var isNews = !outputs.isEmpty || packager.isWaitingForKeyframe
        if case .tracks(let tracks) = event {
            log(tracks)
            isNews = true
        }
        guard isNews else { return }
        store.apply(outputs)
        let measurements = packager.measurements
        packaging.withLock { $0 = measurements }
        if measurements.parts > 0 { firstPart.withLock { $0 = $0 ?? .now } }
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

import Distribution
import Ingestion
import Management
import Media
import Packaging

/// What the stages say of themselves, put together for the management plane.
extension ManagementSource {
    init(
        registry: StreamRegistry,
        contributions: Contributions,
        traffic: DistributionStatistics,
        readiness: Readiness
    ) {
        let startedAt = Timestamp(.now)
        self.init(
            streams: { registry.entries.map { StreamSnapshot($0, traffic: traffic) } },
            stream: { name in registry[name].map { StreamSnapshot($0, traffic: traffic) } },
            health: { readiness.health },
            server: {
                ServerSnapshot(
                    version: MirrorVersion.number,
                    startedAt: startedAt,
                    publish: ServerSnapshot.PublishAddress(
                        srtPort: readiness.port(of: "srt"),
                        isPassphraseRequired: registry.isPassphraseRequired
                    ),
                    refusals: contributions.refusals,
                    http: HTTPSnapshot(traffic.snapshot)
                )
            }
        )
    }
}

extension StreamSnapshot {
    init(_ entry: StreamRegistry.Entry, traffic: DistributionStatistics) {
        let pipeline = entry.pipeline
        let store = pipeline.store.statistics
        let tracks = pipeline.live.tracks?.tracks ?? []
        let state: State =
            switch entry.phase {
            case .live: store.parts == 0 ? .waiting : .live
            case .interrupted: .interrupted
            case .ended: .ended
            }
        self.init(
            name: "\(entry.name)",
            state: state,
            since: Timestamp(entry.phaseSince),
            publisher: entry.publication.map(PublisherSnapshot.init),
            tracks: tracks.map(TrackSnapshot.init),
            ingest: entry.publication.map { IngestSnapshot($0.statistics) },
            packaging: PackagingSnapshot(entry.packaging),
            delivery: DeliverySnapshot(
                stream: entry.name,
                store: store,
                viewers: traffic.viewers(of: entry.name),
                firstPartAfter: pipeline.firstPartAt?.duration(since: entry.firstPublishedAt)
            )
        )
    }
}

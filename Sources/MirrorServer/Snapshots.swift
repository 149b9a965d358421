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
            streams: {
                let onAir = registry.entries.map { StreamSnapshot($0, traffic: traffic) }
                return onAir.joined(by: contributions.detections)
            },
            stream: { name in
                let onAir = registry[name].map { StreamSnapshot($0, traffic: traffic) }
                return [onAir].compactMap(\.self)
                    .joined(by: contributions.detections.filter { $0.name == name }).first
            },
            health: { readiness.health },
            server: {
                ServerSnapshot(
                    version: MirrorVersion.number,
                    startedAt: startedAt,
                    publish: ServerSnapshot.PublishAddress(
                        srtPort: readiness.port(of: "srt"),
                        rtpPort: readiness.port(of: "rtp"),
                        isPassphraseRequired: registry.isPassphraseRequired
                    ),
                    refusals: contributions.refusals,
                    http: HTTPSnapshot(traffic.snapshot),
                    rtp: contributions.rtpStatistics
                )
            },
            descriptions: contributions.descriptions
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

extension [StreamSnapshot] {
    /// With senders that are looked at: as streams of their own, or said of the stream that waits for
    /// one of them.
    fileprivate func joined(by detections: [RTPDetection]) -> [StreamSnapshot] {
        guard !detections.isEmpty else { return self }
        var all = self
        for detection in detections {
            guard let index = all.firstIndex(where: { $0.name == "\(detection.name)" }) else {
                all.append(StreamSnapshot(detection))
                continue
            }
            guard all[index].publisher == nil, all[index].detection == nil else { continue }
            all[index].detection = DetectionSnapshot(detection)
        }
        return all.sorted { $0.name < $1.name }
    }
}

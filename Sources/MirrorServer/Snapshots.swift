import Distribution
import Ingestion
import Management
import Media
import Packaging
import Processing

/// What the stages say of themselves, put together for the management plane.
extension ManagementSource {
    init(
        registry: StreamRegistry,
        contributions: Contributions,
        traffic: DistributionStatistics,
        readiness: Readiness,
        devices: DeviceScheduler
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
                    .joined(by: contributions.detections).first { $0.name == "\(name)" }
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
                    rtp: contributions.rtpStatistics,
                    devices: devices.statistics
                )
            },
            descriptions: contributions.descriptions,
            thumbnail: { name, format in
                guard let entry = registry[name] else { throw ProblemDetails.nobodyPublishes(name) }
                do throws(ThumbnailError) {
                    let file = try await entry.thumbnail.file(as: format)
                    return (file, entry.thumbnail.interval ?? .zero)
                } catch {
                    throw ProblemDetails(error, of: name)
                }
            },
            quality: { name in
                guard let entry = registry[name] else { throw ProblemDetails.nobodyPublishes(name) }
                guard let ladder = entry.pipeline.ladder, !ladder.plan.rungs.isEmpty else {
                    throw ProblemDetails.noLadder(name)
                }
                do throws(QualityError) {
                    return QualitySnapshot(try await ladder.measureQuality())
                } catch {
                    throw ProblemDetails(error, of: name)
                }
            },
            selectInput: { stream, input in
                do throws(InputSelectionError) {
                    try registry.select(input, of: stream)
                } catch {
                    throw ProblemDetails(error, input: input ?? stream, of: stream)
                }
            }
        )
    }
}

extension ProblemDetails {
    fileprivate init(_ error: InputSelectionError, input: StreamName, of stream: StreamName) {
        self =
            switch error {
            case .noSuchStream: .nobodyPublishes(stream)
            case .noSuchInput: .noSuchInput(input, of: stream)
            case .nobodyPublishes: .nobodyFeeds(input, of: stream)
            }
    }
}

extension InputsSnapshot {
    /// - Returns: `nil` for a stream that is published to by its own name.
    fileprivate init?(_ entry: StreamRegistry.Entry) {
        if let feed = entry.feed {
            self.init(
                mode: entry.mode.rawValue,
                legs: zip(feed.names, feed.legs).map { name, statistics in
                    let contribution = entry.contributions[name]
                    return Member(
                        leg: name,
                        statistics,
                        publication: contribution?.publication,
                        advice: contribution?.advice ?? []
                    )
                }
            )
            return
        }
        let status = entry.inputStatus(now: .now)
        guard status.inputs.map(\.name) != [entry.name] else { return nil }
        self.init(
            mode: entry.mode.rawValue,
            status: status,
            members: status.inputs.map { input in
                let contribution = entry.contributions[input.name]
                return Member(
                    input,
                    publication: contribution?.publication,
                    advice: contribution?.advice ?? []
                )
            }
        )
    }
}

extension SlateSnapshot {
    /// - Returns: `nil` for a stream that none was asked for.
    fileprivate init?(_ slate: SlateGate) {
        guard slate.isWanted else { return nil }
        self.init(state: slate.condition.rawValue, shown: slate.timesShown)
    }
}

extension ThumbnailSnapshot {
    /// - Returns: `nil` for a stream that never has one.
    fileprivate init?(_ thumbnail: StreamThumbnail, of stream: StreamName) {
        guard let condition = thumbnail.condition, let interval = thumbnail.interval else {
            return nil
        }
        let statistics = thumbnail.statistics
        self.init(
            of: stream,
            state: condition.rawValue,
            interval: interval,
            decodes: statistics.decodes,
            failures: statistics.failures,
            cpuTime: statistics.cpuTime
        )
    }
}

extension StreamSnapshot {
    init(_ entry: StreamRegistry.Entry, traffic: DistributionStatistics) {
        let pipeline = entry.pipeline
        let store = pipeline.store.statistics
        let tracks = pipeline.live.tracks?.tracks ?? []
        let isSlate = entry.slate.condition == .onAir
        let state: State =
            switch entry.phase {
            case .live where isSlate, .interrupted where isSlate: .slate
            case .live: store.parts == 0 ? .waiting : .live
            case .interrupted: .interrupted
            case .ended: .ended
            }
        self.init(
            name: "\(entry.name)",
            state: state,
            since: Timestamp(entry.slate.shownSince ?? entry.phaseSince),
            publisher: entry.publication.map(PublisherSnapshot.init),
            inputs: InputsSnapshot(entry),
            slate: SlateSnapshot(entry.slate),
            thumbnail: ThumbnailSnapshot(entry.thumbnail, of: entry.name),
            tracks: tracks.map(TrackSnapshot.init),
            ingest: entry.publication.map { IngestSnapshot($0.statistics) },
            queues: pipeline.live.pressure.map(QueueSnapshot.init),
            transcoding: TranscodingSnapshot(of: pipeline),
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

extension TranscodingSnapshot {
    /// - Returns: `nil` where nothing is encoded.
    fileprivate init?(of pipeline: StreamPipeline) {
        let sound = pipeline.sound?.statistics
        guard let ladder = pipeline.ladder ?? sound.map({ _ in LadderTranscoder(LadderPlan()) })
        else { return nil }
        self.init(ladder.plan, ladder.statistics, sound)
    }
}

extension [StreamSnapshot] {
    /// With senders that are looked at: as streams of their own, or said of the stream or the input
    /// that waits for one of them.
    fileprivate func joined(by detections: [RTPDetection]) -> [StreamSnapshot] {
        guard !detections.isEmpty else { return self }
        var all = self
        for detection in detections {
            if all.contains(where: { $0.inputs?[input: "\(detection.name)"] != nil }) {
                for index in all.indices { all[index].inputs?.note(detection) }
                continue
            }
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

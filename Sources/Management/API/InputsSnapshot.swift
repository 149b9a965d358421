package import Ingestion
package import Media
package import Packaging

/// What feeds a stream that has inputs of its own, and what became of them.
package struct InputsSnapshot: Codable, Sendable, Equatable {
    /// What one input brings to a feed that is merged of several.
    package struct Leg: Codable, Sendable, Equatable {
        package var packets: UInt64
        package var usedPackets: UInt64
        package var missingPackets: UInt64
        package var unusedPackets: UInt64
        package var gaps: UInt64
        package var skewMilliseconds: Double
        package var greatestSkewMilliseconds: Double

        init(_ statistics: LegStatistics) {
            packets = statistics.packets
            usedPackets = statistics.usedPackets
            missingPackets = statistics.missingPackets
            unusedPackets = statistics.unusedPackets
            gaps = statistics.gaps
            skewMilliseconds = (statistics.skew / .milliseconds(1)).roundedForDisplay
            greatestSkewMilliseconds =
                (statistics.greatestSkew / .milliseconds(1)).roundedForDisplay
        }
    }

    package struct Member: Codable, Sendable, Equatable {
        package var name: String
        /// `on_air`, `standby`, `waiting`, `lossy`, `silent`, `missing`; of a leg `leading`, `following`,
        /// `aligning`, `stray`, `missing`.
        package var state: String
        /// `nil` while nobody publishes it.
        package var publisher: PublisherSnapshot?
        package var ingest: IngestSnapshot?
        /// Of a sender that is looked at, and may become its publisher.
        package var detection: DetectionSnapshot?
        package var tracks: [TrackSnapshot]
        /// What its encoder, or the line it comes over, should change.
        package var advice: [PackagingSnapshot.Advice]
        /// Of a stream that is merged of its inputs.
        package var leg: Leg?

        package init(
            leg name: StreamName,
            _ statistics: LegStatistics,
            publication: Publication?,
            advice: [Advice]
        ) {
            self.name = "\(name)"
            let isMissing = publication == nil || statistics.state == .absent
            state = isMissing ? InputSwitch.State.missing.rawValue : statistics.state.rawValue
            publisher = publication.map(PublisherSnapshot.init)
            ingest = publication.map { IngestSnapshot($0.statistics) }
            tracks = []
            self.advice = advice.map(PackagingSnapshot.Advice.init)
            leg = Leg(statistics)
        }

        package init(
            _ status: InputSwitch.Status.Input,
            publication: Publication?,
            advice: [Advice]
        ) {
            name = "\(status.name)"
            state = status.state.rawValue
            publisher = publication.map(PublisherSnapshot.init)
            ingest = publication.map { IngestSnapshot($0.statistics) }
            tracks = status.tracks?.tracks.map(TrackSnapshot.init) ?? []
            self.advice = advice.map(PackagingSnapshot.Advice.init)
        }
    }

    package struct Change: Codable, Sendable, Equatable {
        package var at: Timestamp
        package var from: String
        package var to: String
        /// `silence`, `loss`, `ended`, `returned`, `selected`.
        package var reason: String
    }

    /// `failover`, `hitless`.
    package var mode: String
    /// What an operator prefers; `nil`: the first.
    package var selected: String?
    /// Changes of input since the stream began, by reason; one that never happened is left out.
    package var switches: [String: UInt64]
    package var lastSwitch: Change?
    /// In the order of preference.
    package var members: [Member]

    package subscript(input name: String) -> Member? {
        members.first { $0.name == name }
    }

    /// All of them are legs of one feed, between which nothing switches.
    var isMerged: Bool { members.contains { $0.leg != nil } }

    /// Says of the input that waits for it what a sender lacks.
    package mutating func note(_ detection: RTPDetection) {
        for index in members.indices
        where members[index].name == "\(detection.name)" && members[index].publisher == nil {
            members[index].detection = DetectionSnapshot(detection)
        }
    }

    /// Of a stream that is merged of its inputs.
    package init(mode: String, legs: [Member]) {
        self.mode = mode
        switches = [:]
        members = legs
    }

    package init(mode: String, status: InputSwitch.Status, members: [Member]) {
        self.mode = mode
        selected = status.selected.map { "\($0)" }
        switches = Dictionary(
            status.counts.map { ($0.key.rawValue, $0.value) },
            uniquingKeysWith: { $1 }
        )
        lastSwitch = status.latestChange.map { change in
            Change(
                at: Timestamp(change.at),
                from: "\(change.from)",
                to: "\(change.to)",
                reason: change.reason.rawValue
            )
        }
        self.members = members
    }
}

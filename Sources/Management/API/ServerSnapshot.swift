package import Ingestion
package import Processing

/// What the API and the metrics say of the server as a whole.
///
/// Counts are since its start.
package struct ServerSnapshot: Codable, Sendable, Equatable {
    /// Where an encoder sends to, as the console tells it to a newcomer.
    package struct PublishAddress: Codable, Sendable, Equatable {
        /// UDP port; `nil` while SRT is off.
        package var srtPort: Int?
        /// UDP port; `nil` while RTP is off.
        package var rtpPort: Int?
        /// Of names that no rule of `streams` has.
        package var isPassphraseRequired: Bool

        package init(srtPort: Int?, rtpPort: Int? = nil, isPassphraseRequired: Bool) {
            self.srtPort = srtPort
            self.rtpPort = rtpPort
            self.isPassphraseRequired = isPassphraseRequired
        }
    }

    package var version: String
    package var startedAt: Timestamp
    package var publish: PublishAddress
    /// Publishers turned away, by `PublishRefusal`; a reason that never happened may be missing.
    package var refusals: [String: UInt64]
    package var http: HTTPSnapshot
    /// `nil` while RTP is off.
    package var rtp: RTPListenerSnapshot?
    package var transcoding: DevicesSnapshot

    package init(
        version: String,
        startedAt: Timestamp,
        publish: PublishAddress,
        refusals: [PublishRefusal: UInt64] = [:],
        http: HTTPSnapshot,
        rtp: RTPListenerStatistics? = nil,
        devices: DeviceStatistics = DeviceScheduler().statistics
    ) {
        self.version = version
        self.startedAt = startedAt
        self.publish = publish
        self.refusals = Dictionary(
            uniqueKeysWithValues: refusals.map { ($0.key.rawValue, $0.value) }
        )
        self.http = http
        self.rtp = rtp.map(RTPListenerSnapshot.init)
        transcoding = DevicesSnapshot(devices)
    }
}

/// What came to the ports of RTP.
package struct RTPListenerSnapshot: Codable, Sendable, Equatable {
    package var sessions: Int
    package var acceptedSessions: UInt64
    /// Senders that are looked at.
    package var detecting: Int
    package var datagrams: UInt64
    /// Neither RTP nor RTCP, or of nobody on air.
    package var ignoredDatagrams: UInt64
    /// Of senders that were not looked at: too many came at once.
    package var droppedNewcomers: UInt64

    init(_ statistics: RTPListenerStatistics) {
        sessions = statistics.sessions
        acceptedSessions = statistics.acceptedSessions
        detecting = statistics.detections.count
        datagrams = statistics.datagrams
        ignoredDatagrams = statistics.ignoredDatagrams
        droppedNewcomers = statistics.droppedNewcomers
    }
}

package import Ingestion

/// What the API and the metrics say of the server as a whole. Counts are since its start.
package struct ServerSnapshot: Codable, Sendable, Equatable {
    /// Where an encoder sends to, as the console tells it to a newcomer.
    package struct PublishAddress: Codable, Sendable, Equatable {
        /// UDP port; `nil` while SRT is off.
        package var srtPort: Int?
        package var isPassphraseRequired: Bool

        package init(srtPort: Int?, isPassphraseRequired: Bool) {
            self.srtPort = srtPort
            self.isPassphraseRequired = isPassphraseRequired
        }
    }

    /// The traffic of one version of HTTP.
    package struct HTTPTraffic: Codable, Sendable, Equatable {
        /// `http/1.1`, `h2`: the ALPN name.
        package var protocolName: String
        package var openConnections: Int
        package var connections: UInt64
        package var sentBytes: UInt64
        /// Requests answered, by class of status: `2xx`, `4xx`.
        package var requestsByStatus: [String: UInt64]

        package init(
            protocolName: String,
            openConnections: Int,
            connections: UInt64,
            sentBytes: UInt64,
            requestsByStatus: [String: UInt64]
        ) {
            self.protocolName = protocolName
            self.openConnections = openConnections
            self.connections = connections
            self.sentBytes = sentBytes
            self.requestsByStatus = requestsByStatus
        }
    }

    package var version: String
    package var startedAt: Timestamp
    package var publish: PublishAddress
    /// Publishers turned away, by `PublishRefusal`; a reason that never happened may be missing.
    package var refusals: [String: UInt64]
    package var http: [HTTPTraffic]

    package init(
        version: String,
        startedAt: Timestamp,
        publish: PublishAddress,
        refusals: [PublishRefusal: UInt64] = [:],
        http: [HTTPTraffic] = []
    ) {
        self.version = version
        self.startedAt = startedAt
        self.publish = publish
        self.refusals = Dictionary(
            uniqueKeysWithValues: refusals.map { ($0.key.rawValue, $0.value) }
        )
        self.http = http
    }
}

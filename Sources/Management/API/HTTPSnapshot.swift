package import Distribution

/// What the HTTP doors did since the start of the server.
package struct HTTPSnapshot: Codable, Sendable, Equatable {
    /// The connections of one version of HTTP.
    package struct Connections: Codable, Sendable, Equatable {
        /// `http/1.1`, `h2`, `h3`: the ALPN name.
        package var transport: String
        package var open: Int
        package var total: UInt64
        /// Requests answered over them.
        package var requests: UInt64
    }

    /// The requests for one kind of thing.
    package struct Requests: Codable, Sendable, Equatable {
        /// `media_playlist`, `part`, `api`.
        package var route: String
        /// Answered, by class of status: `2xx`, `4xx`.
        package var byStatus: [String: UInt64]
        package var sentBytes: UInt64
        /// Given up by the viewer before their answer, or before its end.
        package var abandoned: UInt64
    }

    /// How long playlists that were waited for took, from publication to the last byte written.
    package struct Release: Codable, Sendable, Equatable {
        package struct Bucket: Codable, Sendable, Equatable {
            package var atMostSeconds: Double
            /// Of all that took no longer.
            package var count: UInt64
        }

        package var buckets: [Bucket]
        package var count: UInt64
        package var seconds: Double

        init(_ histogram: LatencyHistogram) {
            var count: UInt64 = 0
            buckets = zip(LatencyHistogram.limits, histogram.counts).map { limit, own in
                count += own
                return Bucket(atMostSeconds: limit / .seconds(1), count: count)
            }
            self.count = histogram.counts.reduce(0, +)
            seconds = histogram.sum / .seconds(1)
        }
    }

    package var connections: [Connections]
    package var http3: QUICSnapshot
    package var requests: [Requests]
    package var requestsInProgress: Int
    package var refusedConnections: UInt64
    package var failedHandshakes: UInt64
    /// Viewers cut off because they took nothing of an answer for too long.
    package var stalledViewers: UInt64
    package var silentConnections: UInt64
    /// Over HTTP/1.1: no requests, or ones with a header that is too large.
    package var unreadableRequests: UInt64
    package var playlistRelease: Release

    package init(_ statistics: DistributionStatistics.Snapshot) {
        connections = DistributionStatistics.Transport.allCases.map { transport in
            let count = statistics.connections[transport]
            return Connections(
                transport: transport.rawValue,
                open: count?.open ?? 0,
                total: count?.total ?? 0,
                requests: statistics.requestsByTransport[transport] ?? 0
            )
        }
        http3 = QUICSnapshot(statistics.http3)
        requests = RouteClass.allCases.map { route in
            let count = statistics.requests[route]
            let byStatus = DistributionStatistics.StatusClass.allCases.map { status in
                (status.rawValue, count?.byStatus[status] ?? 0)
            }
            return Requests(
                route: route.rawValue,
                byStatus: Dictionary(uniqueKeysWithValues: byStatus),
                sentBytes: count?.bytesSent ?? 0,
                abandoned: count?.abandoned ?? 0
            )
        }
        requestsInProgress = statistics.requestsInProgress
        refusedConnections = statistics.refusedConnections
        failedHandshakes = statistics.failedHandshakes
        stalledViewers = statistics.stalledViewers
        silentConnections = statistics.silentConnections
        unreadableRequests = statistics.unreadableRequests
        playlistRelease = Release(statistics.playlistRelease)
    }
}

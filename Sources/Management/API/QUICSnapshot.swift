package import Distribution

/// What the HTTP/3 door did since the start of the server, below HTTP.
package struct QUICSnapshot: Codable, Sendable, Equatable {
    package var handshakes: UInt64
    package var failedHandshakes: UInt64
    /// Newcomers asked to prove their address first.
    package var retries: UInt64
    package var statelessResets: UInt64
    package var versionNegotiations: UInt64
    /// Changes of a viewer's address.
    package var migrations: UInt64
    /// Connections whose longer packets were found to vanish.
    package var narrowedPaths: UInt64
    /// Of the sockets: another took the place of one that could not send.
    package var reopenedSockets: UInt64
    package var receivedPackets: UInt64
    package var sentPackets: UInt64
    package var lostPackets: UInt64
    package var droppedPackets: UInt64
    /// Sent ones that a router may mark rather than drop, and received ones with such a mark.
    package var markablePackets: UInt64
    package var congestionMarks: UInt64
    package var receivedBytes: UInt64
    package var sentBytes: UInt64
    package var requests: UInt64
    package var abandonedRequests: UInt64
    /// Connections closed because the peer broke a rule or a limit.
    package var protocolErrors: UInt64
    /// The round trip, at the end of each request.
    package var roundTrip: HTTPSnapshot.Release

    package init(_ statistics: HTTP3Statistics) {
        handshakes = statistics.handshakes
        failedHandshakes = statistics.failedHandshakes
        retries = statistics.retries
        statelessResets = statistics.statelessResets
        versionNegotiations = statistics.versionNegotiations
        migrations = statistics.migrations
        narrowedPaths = statistics.narrowedPaths
        reopenedSockets = statistics.reopenedSockets
        receivedPackets = statistics.packetsReceived
        sentPackets = statistics.packetsSent
        lostPackets = statistics.packetsLost
        droppedPackets = statistics.dropped
        markablePackets = statistics.markablePacketsSent
        congestionMarks = statistics.congestionMarks
        receivedBytes = statistics.bytesReceived
        sentBytes = statistics.bytesSent
        requests = statistics.streams
        abandonedRequests = statistics.abandonedStreams
        protocolErrors = statistics.protocolErrors
        roundTrip = HTTPSnapshot.Release(statistics.roundTrip)
    }
}

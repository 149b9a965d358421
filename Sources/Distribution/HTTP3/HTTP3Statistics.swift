/// What the HTTP/3 door has done, beside what all doors count.
package struct HTTP3Statistics: Sendable, Equatable {
    package var handshakes: UInt64 = 0
    package var failedHandshakes: UInt64 = 0
    /// Newcomers that were asked to prove their address first.
    package var retries: UInt64 = 0
    /// Packets that were answered with a reset, as their connection is not known (any more).
    package var statelessResets: UInt64 = 0
    package var versionNegotiations: UInt64 = 0
    /// Changes of address that were validated.
    package var migrations: UInt64 = 0
    package var packetsReceived: UInt64 = 0
    package var packetsSent: UInt64 = 0
    /// Packets with bytes of answers that were declared lost, of requests that have ended.
    package var packetsLost: UInt64 = 0
    package var bytesReceived: UInt64 = 0
    package var bytesSent: UInt64 = 0
    /// Packets sent that a router may mark rather than drop, and packets that arrived with such a mark.
    package var markablePacketsSent: UInt64 = 0
    package var congestionMarks: UInt64 = 0
    /// Connections whose longer packets were found to vanish.
    package var narrowedPaths: UInt64 = 0
    /// Sockets opened in the place of one that could not send.
    package var reopenedSockets: UInt64 = 0
    /// Datagrams that another event loop's connection was due.
    package var handedOver: UInt64 = 0
    /// Datagrams that nothing could be done with.
    package var dropped: UInt64 = 0
    /// Requests begun, and those that the peer gave up, or left under way.
    package var streams: UInt64 = 0
    package var abandonedStreams: UInt64 = 0
    /// Connections closed because the peer broke the protocol or a limit.
    package var protocolErrors: UInt64 = 0
    /// The smoothed round trip at the end of each request.
    package var roundTrip = LatencyHistogram()

    package init() {}

    static func += (sum: inout Self, other: Self) {
        sum.handshakes += other.handshakes
        sum.failedHandshakes += other.failedHandshakes
        sum.retries += other.retries
        sum.statelessResets += other.statelessResets
        sum.versionNegotiations += other.versionNegotiations
        sum.migrations += other.migrations
        sum.packetsReceived += other.packetsReceived
        sum.packetsSent += other.packetsSent
        sum.packetsLost += other.packetsLost
        sum.bytesReceived += other.bytesReceived
        sum.bytesSent += other.bytesSent
        sum.markablePacketsSent += other.markablePacketsSent
        sum.congestionMarks += other.congestionMarks
        sum.narrowedPaths += other.narrowedPaths
        sum.reopenedSockets += other.reopenedSockets
        sum.handedOver += other.handedOver
        sum.dropped += other.dropped
        sum.streams += other.streams
        sum.abandonedStreams += other.abandonedStreams
        sum.protocolErrors += other.protocolErrors
        sum.roundTrip += other.roundTrip
    }
}

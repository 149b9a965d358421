/// What one connection over QUIC, and all of them together, may take beside `RequestLimits`.
package struct HTTP3Limits: Sendable, Equatable {
    /// Connections of one event loop that are in their handshake: from here on a newcomer has to prove
    /// its address first (Retry), which costs it a round trip and this server nothing.
    package var halfOpenConnectionsBeforeRetry = 128
    /// Beyond this, a newcomer is not answered at all.
    package var halfOpenConnections = 1024
    /// Requests under way on one connection.
    package var concurrentRequests = 100
    /// Bytes of a request that nobody has read yet; the flow-control window of a stream.
    package var streamWindow = 64 * 1024
    /// The same for all requests of a connection together.
    package var connectionWindow = 512 * 1024
    /// Bytes of an answer that have been handed over and not been acknowledged.
    ///
    /// Whoever writes the body waits from there on. Enough for 50 Mbit/s with a round trip of 150 ms.
    package var unacknowledgedBytes = 1024 * 1024
    /// Requests that a peer may give up within `rateWindow`.
    package var abandonedRequests = 200
    /// Bytes on control and QPACK streams within `rateWindow`.
    package var controlBytes = 1024 * 1024
    package var rateWindow: Duration = .seconds(30)
    /// Bytes of the QPACK dynamic table, in either direction, and requests that may wait for it.
    package var qpackTableBytes = 4096
    package var qpackBlockedStreams = 16
    /// Answers a second of one event loop to packets of no connection: resets, version negotiation,
    /// refusals.
    package var statelessAnswersPerSecond = 200

    package init() {}
}

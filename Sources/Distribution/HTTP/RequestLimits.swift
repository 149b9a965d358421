/// What one viewer, and all of them together, may take.
///
/// Each limit has a counter in `DistributionStatistics` for when it bites.
/// Streams of one HTTP/2 connection (100) and its rates of resets, errors and control frames (200 in
/// 30 seconds each) are bounded by the HTTP/2 layer itself.
package struct RequestLimits: Sendable, Equatable {
    /// Open connections of all doors that share statistics; one more is closed at once.
    package var maxConnections: Int
    /// Bytes of the path with its query; a longer one is answered 414.
    package var maxPathBytes: Int
    /// Bytes of one HTTP/1.1 header field, and of all of a request's; HTTP/2 allows 16 KiB for all.
    package var maxHeaderBytes: Int
    package var maxHeaderFields: Int
    /// From accepting a connection to the end of its TLS handshake.
    package var handshakeTimeout: Duration
    /// A connection with no request on it, or with one that does not become whole, lives this long;
    /// one on which no byte moves in either direction, whatever it waits for, twice as long.
    package var idleTimeout: Duration
    /// A viewer that does not take one write of a response (see `MediaBody`) within this is cut off.
    package var stallTimeout: Duration

    package init(
        maxConnections: Int = 20_000,
        maxPathBytes: Int = 2048,
        maxHeaderBytes: Int = 16 * 1024,
        maxHeaderFields: Int = 100,
        handshakeTimeout: Duration = .seconds(10),
        idleTimeout: Duration = .seconds(60),
        stallTimeout: Duration = .seconds(20)
    ) {
        self.maxConnections = maxConnections
        self.maxPathBytes = maxPathBytes
        self.maxHeaderBytes = maxHeaderBytes
        self.maxHeaderFields = maxHeaderFields
        self.handshakeTimeout = handshakeTimeout
        self.idleTimeout = idleTimeout
        self.stallTimeout = stallTimeout
    }
}

import HTTPTypes

/// An answer that was handed over, and is yet to be counted: when the last of it has left, or when it
/// never will.
///
/// Exactly one of `ended` and `abandoned` is to be called, once.
struct Delivery: Sendable {
    let route: RouteClass
    let transport: DistributionStatistics.Transport
    let status: HTTPResponse.Status
    let byteCount: Int
    /// When what the viewer was kept waiting for was published, if it was.
    let publishedAt: ContinuousClock.Instant?
    let statistics: DistributionStatistics

    /// The whole answer is with the socket.
    func ended() {
        if let publishedAt { statistics.playlistReleased(after: publishedAt.duration(to: .now)) }
        statistics.requestFinished(route, over: transport, status: status, bytes: byteCount)
    }

    /// The viewer has left before that.
    func abandoned() { statistics.requestAbandoned(route) }
}

import HTTPTypes
package import Media
import Synchronization

/// What the doors have done, for management to read.
///
/// Threads: any. One short lock for each connection and each finished request, and one a second for each
/// event loop of HTTP/3; nothing on the way of bytes.
package final class DistributionStatistics: Sendable {
    package enum Transport: String, Sendable, CaseIterable {
        case http1 = "http/1.1"
        case http2 = "h2"
        case http3 = "h3"
    }

    package enum StatusClass: String, Sendable, CaseIterable {
        case success = "2xx"
        case redirection = "3xx"
        case clientError = "4xx"
        case serverError = "5xx"

        init(_ status: HTTPResponse.Status) {
            self =
                switch status.code {
                case ..<300: .success
                case ..<400: .redirection
                case ..<500: .clientError
                default: .serverError
                }
        }
    }

    package struct Connections: Sendable, Equatable {
        package var open: Int
        package var total: UInt64

        package init(open: Int = 0, total: UInt64 = 0) {
            self.open = open
            self.total = total
        }
    }

    package struct Requests: Sendable, Equatable {
        package var byStatus: [StatusClass: UInt64] = [:]
        /// Of bodies that were sent whole.
        package var bytesSent: UInt64 = 0
        /// The viewer left before the answer, or before the end of it.
        package var abandoned: UInt64 = 0

        package init() {}
    }

    package struct Snapshot: Sendable, Equatable {
        package var connections: [Transport: Connections] = [:]
        /// Accepted and not closed, those in their handshake too: what `maxConnections` bounds.
        package var openConnections = 0
        package var refusedConnections: UInt64 = 0
        /// TLS handshakes that failed or took too long.
        package var failedHandshakes: UInt64 = 0
        /// Viewers cut off because they took nothing of a response for too long.
        package var stalledViewers: UInt64 = 0
        /// Connections closed because nothing moved on them.
        package var silentConnections: UInt64 = 0
        /// What came over HTTP/1.1 and was no request, or one with a header that is too large.
        package var unreadableRequests: UInt64 = 0
        package var requestsInProgress = 0
        package var requests: [RouteClass: Requests] = [:]
        /// Answered, whatever the answer.
        package var requestsByTransport: [Transport: UInt64] = [:]
        package var http3 = HTTP3Statistics()
        /// From the publication of media until a playlist that waited for it was written.
        package var playlistRelease = LatencyHistogram()

        package init() {}
    }

    private let state = Mutex(Snapshot())
    private let viewers = Mutex(ViewerCensus())

    package init() {}

    package var snapshot: Snapshot { state.withLock { $0 } }

    /// Connections that asked for a media playlist of the stream within the last 10 to 20 seconds: its
    /// viewers, where no cache stands between.
    package func viewers(of stream: StreamName) -> Int {
        viewers.withLock { $0.count(of: stream, now: .now) }
    }

    func playlistRequested(of stream: StreamName, by viewer: Int) {
        viewers.withLock { $0.insert(viewer, of: stream, now: .now) }
    }

    /// - Returns: False when there are `limit` open connections already; nothing is to be closed then.
    func admitConnection(limit: Int) -> Bool {
        state.withLock { state in
            guard state.openConnections < limit else {
                state.refusedConnections += 1
                return false
            }
            state.openConnections += 1
            return true
        }
    }

    func connectionClosed() {
        state.withLock { $0.openConnections -= 1 }
    }

    func connectionNegotiated(_ transport: Transport) {
        state.withLock {
            $0.connections[transport, default: Connections()].open += 1
            $0.connections[transport, default: Connections()].total += 1
        }
    }

    func connectionClosed(_ transport: Transport) {
        state.withLock { $0.connections[transport, default: Connections()].open -= 1 }
    }

    func handshakeFailed() {
        state.withLock { $0.failedHandshakes += 1 }
    }

    func add(_ http3: HTTP3Statistics) {
        state.withLock { $0.http3 += http3 }
    }

    func viewerStalled() {
        state.withLock { $0.stalledViewers += 1 }
    }

    func connectionSilent() {
        state.withLock { $0.silentConnections += 1 }
    }

    func requestUnreadable() {
        state.withLock { $0.unreadableRequests += 1 }
    }

    func requestBegan() {
        state.withLock { $0.requestsInProgress += 1 }
    }

    func requestFinished(
        _ route: RouteClass,
        over transport: Transport,
        status: HTTPResponse.Status,
        bytes: Int
    ) {
        state.withLock {
            $0.requestsInProgress -= 1
            $0.requestsByTransport[transport, default: 0] += 1
            $0.requests[route, default: Requests()].byStatus[StatusClass(status), default: 0] += 1
            $0.requests[route, default: Requests()].bytesSent += UInt64(bytes)
        }
    }

    func playlistReleased(after duration: Duration) {
        state.withLock { $0.playlistRelease.record(duration) }
    }

    func requestAbandoned(_ route: RouteClass) {
        state.withLock {
            $0.requestsInProgress -= 1
            $0.requests[route, default: Requests()].abandoned += 1
        }
    }
}

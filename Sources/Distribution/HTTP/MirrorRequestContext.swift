package import Hummingbird
import Logging
package import NIOCore
import Synchronization

/// What travels with one request: who asks, over which door, and under which identifier.
package struct MirrorRequestContext: RequestContext {
    package enum Door: Sendable {
        case secure
        case plain
    }

    package var coreContext: CoreRequestContextStorage
    /// The connection (HTTP/1.1), the stream of a connection (HTTP/2) or the socket (HTTP/3) that the
    /// request came on.
    package let channel: any Channel
    /// `nil` when no front door is involved, as when a router is asked directly.
    package internal(set) var door: Door?
    /// `nil` when there is no door.
    var viewer: Viewer?
    /// Set by whoever answers with what the viewer was kept waiting for.
    let release = Release()
    /// Appears in the response, in problem documents and in log lines.
    package let requestID: String

    package init(source: ApplicationRequestContextSource) {
        coreContext = CoreRequestContextStorage(source: source)
        channel = source.channel
        requestID = source.logger[metadataKey: Self.requestIDKey]?.description ?? "none"
    }

    /// When what a request waited for was published; `nil` for one that waited for nothing.
    final class Release: Sendable {
        private let instant = Mutex<ContinuousClock.Instant?>(nil)

        var publishedAt: ContinuousClock.Instant? {
            get { instant.withLock { $0 } }
            set { instant.withLock { $0 = newValue } }
        }
    }

    /// Address of the peer, without its port; `nil` when there is no peer.
    package var peerAddress: String? { (viewer?.address ?? channel.remoteAddress)?.ipAddress }

    package var isSecure: Bool { door == .secure }

    /// The logger's metadata key under which Hummingbird keeps the identifier.
    static let requestIDKey = "hb.request.id"
}

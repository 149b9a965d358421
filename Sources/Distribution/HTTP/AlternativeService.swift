import Synchronization

/// Where the same is served over HTTP/3, for the other doors to tell.
///
/// Source: RFC 7838, 3 (Alt-Svc); RFC 9114, 3.1.1.
package final class AlternativeService: Sendable {
    private let value = Mutex<String?>(nil)

    package init() {}

    /// `h3=":8443"; ma=86400`; `nil` until that door is open.
    package var headerValue: String? { value.withLock { $0 } }

    /// The door listens on this UDP port of the same host.
    package func opened(port: Int) {
        value.withLock { $0 = "h3=\":\(port)\"; ma=86400" }
    }
}

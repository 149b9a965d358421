import NIOCore

/// What a peer may do only so often: give requests up (each costs us an answer), and write on its
/// control and QPACK streams (nothing that a viewer needs much of).
///
/// Source: RFC 9114, 10.5 (H3_EXCESSIVE_LOAD).
struct HTTP3Rates {
    private let limits: HTTP3Limits
    private var windowEnd = NIODeadline.now()
    private var abandonedRequests = 0
    private var controlBytes = 0

    init(_ limits: HTTP3Limits) {
        self.limits = limits
    }

    /// - Returns: Whether that is still within the limit.
    mutating func requestAbandoned() -> Bool {
        turn()
        abandonedRequests += 1
        return abandonedRequests <= limits.abandonedRequests
    }

    /// - Returns: Whether that is still within the limit.
    mutating func controlStreamBytes(_ count: Int) -> Bool {
        turn()
        controlBytes += count
        return controlBytes <= limits.controlBytes
    }

    private mutating func turn() {
        let now = NIODeadline.now()
        guard now >= windowEnd else { return }
        windowEnd = now + TimeAmount(limits.rateWindow)
        abandonedRequests = 0
        controlBytes = 0
    }
}

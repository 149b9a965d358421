import Synchronization

/// A snapshot of a listener's callers; counts are since it was made.
package struct SRTListenerStatistics: Sendable, Equatable {
    /// Publishers connected now.
    package var connections = 0
    package var acceptedConnections: UInt64 = 0
    /// Attempts that were turned away; callers repeat one whose answer is late.
    package var refusals: [PublishRefusal: UInt64] = [:]

    package init() {}
}

/// The figures of one listener, counted by all its threads.
final class SRTListenerCounters: Sendable {
    private let counts = Mutex(SRTListenerStatistics())

    var snapshot: SRTListenerStatistics { counts.withLock { $0 } }

    var connections: Int { counts.withLock { $0.connections } }

    func refused(_ refusal: PublishRefusal) {
        counts.withLock { $0.refusals[refusal, default: 0] += 1 }
    }

    func connected() {
        counts.withLock { counts in
            counts.connections += 1
            counts.acceptedConnections += 1
        }
    }

    func disconnected() {
        counts.withLock { $0.connections -= 1 }
    }
}

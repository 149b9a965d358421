package import Media
import Synchronization

/// A sender that has proved to be one, and is not on air yet.
package struct RTPDetection: Sendable, Equatable {
    /// The name it will have.
    package var name: StreamName
    package var peer: RTPPeer
    package var ssrc: UInt32
    package var payloadType: UInt8
    package var since: WallTime
    package var packets: UInt64
    /// What is missing, and what to do about it.
    package var hint: String

    package init(
        name: StreamName,
        peer: RTPPeer,
        ssrc: UInt32,
        payloadType: UInt8,
        since: WallTime,
        packets: UInt64,
        hint: String
    ) {
        self.name = name
        self.peer = peer
        self.ssrc = ssrc
        self.payloadType = payloadType
        self.since = since
        self.packets = packets
        self.hint = hint
    }
}

/// A snapshot of what came to the ports of RTP; counts are since the listener was made.
package struct RTPListenerStatistics: Sendable, Equatable {
    /// Contributions on air now.
    package var sessions = 0
    package var acceptedSessions: UInt64 = 0
    package var datagrams: UInt64 = 0
    /// Neither RTP nor RTCP, cut off, or of nobody.
    package var ignoredDatagrams: UInt64 = 0
    /// Senders that were not looked at: too many came at once.
    package var droppedNewcomers: UInt64 = 0
    package var refusals: [PublishRefusal: UInt64] = [:]
    /// Senders that are being looked at, at most `RTPSourceTable.Limits.newcomers` a port.
    package var detections: [RTPDetection] = []

    package init() {}
}

/// The figures of one listener, counted on all its event loops.
final class RTPListenerCounters: Sendable {
    private struct State {
        var counts = RTPListenerStatistics()
        /// By the port that they came to.
        var detections: [Int: [RTPDetection]] = [:]
    }

    private let state = Mutex(State())

    var snapshot: RTPListenerStatistics {
        state.withLock { state in
            var counts = state.counts
            counts.detections = state.detections.sorted { $0.key < $1.key }.flatMap(\.value)
            return counts
        }
    }

    var sessions: Int { state.withLock { $0.counts.sessions } }

    func refused(_ refusal: PublishRefusal) {
        state.withLock { $0.counts.refusals[refusal, default: 0] += 1 }
    }

    func opened() {
        state.withLock { state in
            state.counts.sessions += 1
            state.counts.acceptedSessions += 1
        }
    }

    func closed() {
        state.withLock { $0.counts.sessions -= 1 }
    }

    /// Adds what one port counted since the last time, and replaces what it is looking at.
    func add(_ tally: RTPTally, detections: [RTPDetection], port: Int) {
        state.withLock { state in
            state.counts.datagrams &+= tally.datagrams
            state.counts.ignoredDatagrams &+= tally.ignoredDatagrams
            state.counts.droppedNewcomers &+= tally.droppedNewcomers
            state.detections[port] = detections
        }
    }
}

/// What one port counts for itself, between two visits to the counters that all share.
struct RTPTally {
    var datagrams: UInt64 = 0
    var ignoredDatagrams: UInt64 = 0
    var droppedNewcomers: UInt64 = 0
}

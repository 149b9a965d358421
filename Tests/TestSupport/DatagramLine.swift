import Foundation
import NIOCore
import Synchronization

/// A UDP line from one client to a server on this machine, with all that may happen on the way.
///
/// Order:  as it was sent; all take the same time.
/// Bound:  none; what is under way is what the client and the server send in `delay`.
/// Thread: one of its own, until `stop`.
package final class DatagramLine: Sendable {
    package enum Direction: Sendable {
        case toServer
        case toClient
    }

    /// What becomes of a datagram; `nil` when it does not arrive.
    package typealias Fate = @Sendable (Direction, [UInt8]) -> [UInt8]?

    /// Where the client sends to.
    package let port: Int
    private let delay: Duration
    private let fate: Fate
    private let isOver = Mutex(false)
    private let lostCount = Mutex(0)

    /// `delay` is that of one way.
    package init(to server: Int, delay: Duration = .zero, fate: @escaping Fate) throws {
        self.delay = delay
        self.fate = fate
        let near = try LoopbackSocket()
        let far = try LoopbackSocket()
        port = near.port
        Thread.detachNewThread { [self] in carry(near, far, to: .loopback(server)) }
    }

    /// Loses datagrams by chance, of both directions alike, the same in each run as far as the same is sent.
    package convenience init(
        to server: Int,
        roundTrip: Duration,
        lossPercent: Double,
        seed: UInt64 = 1
    ) throws {
        let chance = Mutex(SeededRandom(seed: seed))
        try self.init(to: server, delay: roundTrip / 2) { _, bytes in
            let isLost = chance.withLock { Double.random(in: 0..<100, using: &$0) } < lossPercent
            return isLost ? nil : bytes
        }
    }

    /// Datagrams that did not arrive so far.
    package var lost: Int { lostCount.withLock { $0 } }

    package func stop() {
        isOver.withLock { $0 = true }
    }

    // MARK: The thread

    private struct UnderWay {
        let due: ContinuousClock.Instant
        let bytes: [UInt8]
        let direction: Direction
    }

    private func carry(_ near: LoopbackSocket, _ far: LoopbackSocket, to server: sockaddr_in) {
        var client = sockaddr_in.loopback(0)
        var underWay = CircularBuffer<UnderWay>()
        while !isOver.withLock({ $0 }) {
            let pause = underWay.first.map { ContinuousClock.now.duration(to: $0.due) }
            let ready = LoopbackSocket.wait(
                for: near,
                far,
                atMost: min(pause ?? .seconds(1), Self.pause)
            )
            if ready.first, let (bytes, sender) = near.receive() {
                client = sender
                send(bytes, .toServer, &underWay)
            }
            if ready.second, let (bytes, _) = far.receive() { send(bytes, .toClient, &underWay) }
            let now = ContinuousClock.now
            while let next = underWay.first, next.due <= now {
                underWay.removeFirst()
                switch next.direction {
                case .toServer: far.send(next.bytes, to: server)
                case .toClient: near.send(next.bytes, to: client)
                }
            }
        }
        near.close()
        far.close()
    }

    /// How soon a word to stop is heard.
    private static let pause = Duration.milliseconds(100)

    private func send(
        _ bytes: [UInt8],
        _ direction: Direction,
        _ underWay: inout CircularBuffer<UnderWay>
    ) {
        guard let bytes = fate(direction, bytes) else { return lostCount.withLock { $0 += 1 } }
        underWay.append(UnderWay(due: .now + delay, bytes: bytes, direction: direction))
    }
}

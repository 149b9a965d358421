import Glibc
import Media

/// The connections of one thread: waits for data, takes it out, hands it on.
///
/// With connections to serve, the thread rests for `drainInterval` and then takes out all that is due,
/// much of a picture. libsrt would wake it for each packet of every connection: it waits for libsrt
/// only while there is no connection, or with no interval to rest.
/// Bound: a revoked connection is closed within `waitMilliseconds`.
final class SRTReceiver {
    private static let waitMilliseconds: Int64 = 50
    private static let bufferBytes = 64 << 10

    private let poll: SRTPoll
    private let buffer: UnsafeMutableRawBufferPointer
    private let drainInterval: Duration
    private let onEnd: (SRTConnection, SRTConnection.Ending) -> Void
    private var connections: [Int32: SRTConnection] = [:]
    private var ready: [Int32] = []
    private var nextVerdicts = ContinuousClock.now
    private var nextStatistics = ContinuousClock.now

    /// Serves at most `capacity` connections in one turn; calls `onEnd` after a connection is closed
    /// and its name is free.
    init(
        capacity: Int,
        drainInterval: Duration,
        onEnd: @escaping (SRTConnection, SRTConnection.Ending) -> Void
    ) throws(SRTError) {
        poll = try SRTPoll(capacity: capacity)
        buffer = .allocate(byteCount: Self.bufferBytes, alignment: 64)
        self.drainInterval = drainInterval
        self.onEnd = onEnd
    }

    deinit { buffer.deallocate() }

    var isEmpty: Bool { connections.isEmpty }

    /// Has `turn` report this listening socket when callers come; those that wait already are not
    /// reported.
    func watch(_ listening: SRTSocket) throws(SRTError) {
        try poll.add(listening, .readable)
    }

    /// Serves a connection from now on, until it ends.
    func add(_ connection: SRTConnection) {
        connections[connection.socket.id] = connection
        do throws(SRTError) {
            try poll.add(connection.socket, [.readable, .failed])
        } catch {
            end(connection, .peerGone)
            return
        }
        // One that broke before the epoll knew it would never be reported.
        if !connection.drain(into: buffer, arrival: .now) { end(connection, .peerGone) }
    }

    /// Waits for something to do and does it.
    ///
    /// Calls `accept` when a watched socket has callers waiting.
    func turn(accept: () -> Void = {}) {
        let rests = !connections.isEmpty && drainInterval > .zero
        if rests { NamedThread.rest(drainInterval) }
        ready.removeAll(keepingCapacity: true)
        poll.wait(milliseconds: rests ? 0 : Self.waitMilliseconds) { socket, _ in
            ready.append(socket)
        }
        if !ready.isEmpty { serve(accept: accept) }
        judge()
    }

    private func serve(accept: () -> Void) {
        let arrival = WallTime.now
        for socket in ready {
            guard let connection = connections[socket] else {
                accept()
                continue
            }
            if !connection.drain(into: buffer, arrival: arrival) { end(connection, .peerGone) }
        }
    }

    private func judge() {
        let now = ContinuousClock.now
        guard now >= nextVerdicts else { return }
        nextVerdicts = now + .milliseconds(Self.waitMilliseconds)
        let isStatisticsDue = now >= nextStatistics
        if isStatisticsDue { nextStatistics = now + .seconds(1) }
        for connection in connections.values {
            if isStatisticsDue { connection.updateStatistics(now: now) }
            if let ending = connection.verdict(now: now) { end(connection, ending) }
        }
    }

    private func end(_ connection: SRTConnection, _ ending: SRTConnection.Ending) {
        connections[connection.socket.id] = nil
        poll.remove(connection.socket)
        connection.end(ending)
        onEnd(connection, ending)
    }

    func endAll(_ ending: SRTConnection.Ending) {
        for connection in connections.values { end(connection, ending) }
    }
}

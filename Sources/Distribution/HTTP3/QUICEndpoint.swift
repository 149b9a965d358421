import CNgtcp2
import NIOCore
import NIOPosix

/// The connections over QUIC of one event loop, and the sockets of that loop.
///
/// Every loop has sockets of its own on the same port (SO_REUSEPORT), and the kernel picks one by the
/// peer's address. A connection stays on the loop where it began: when its peer moves, and the kernel
/// picks another socket, the connection ID tells whose it is, and the datagram is handed over.
///
/// Datagrams of one burst of reads are all taken in before anything is sent: `dirty` holds who has
/// something to send, and `flush` sends it, in turn, in as few writes as can be.
/// Bound: `HTTP3Limits`, `RequestLimits.maxConnections`.
/// Threads: its event loop.
final class QUICEndpoint: NIOScheduledCallbackHandler {
    let eventLoop: any EventLoop
    /// The first byte of every connection ID given out here.
    let index: UInt8
    let door: HTTP3Door
    let executor: EventLoopTaskExecutor
    let scratch = QUICScratch()
    let burst = DatagramBurst()
    var statistics = HTTP3Statistics()
    var sockets: [QUICSocket] = []
    /// Those of all loops, this among them, by index.
    var siblings: [NIOLoopBound<QUICEndpoint>] = []
    var connections: [ConnectionID: QUICConnection] = [:]
    /// Every connection once.
    var all: [ObjectIdentifier: QUICConnection] = [:]
    var halfOpenCount = 0
    var aliveCount = 0
    var isStopping = false
    private(set) var isClosed = false
    var statelessAnswers = StatelessAnswers()
    private var generator = SystemRandomNumberGenerator()
    private var dirty: [QUICConnection] = []
    /// Whose last datagram is in the burst.
    private var written: [HTTP3Stream] = []
    private var isReading = false
    private var isFlushScheduled = false
    private var timers = QUICTimers()
    /// For the first of `timers`, or for one that was the first.
    private var alarm: (deadline: NIODeadline, callback: NIOScheduledCallback)?
    private var sweep: Scheduled<Void>?
    private var whenDrained: EventLoopPromise<Void>?

    init(eventLoop: any EventLoop, index: UInt8, door: HTTP3Door) {
        self.eventLoop = eventLoop
        self.index = index
        self.door = door
        executor = .on(eventLoop)
        statelessAnswers = StatelessAnswers(perSecond: door.http3.statelessAnswersPerSecond)
        scheduleSweep()
    }

    /// Every second, or more often where a viewer may stall for less than four.
    private func scheduleSweep() {
        let pause = min(.seconds(1), TimeAmount(door.limits.stallTimeout / 4))
        sweep = eventLoop.assumeIsolated().scheduleTask(in: pause) {
            self.sweepConnections()
            self.scheduleSweep()
        }
    }

    /// Nanoseconds, on the clock of the event loop.
    func clock() -> UInt64 { NIODeadline.now().uptimeNanoseconds }

    // MARK: Connections

    func makeConnectionID() -> ConnectionID {
        while true {
            let fresh = ConnectionID(loop: index, using: &generator)
            if connections[fresh] == nil { return fresh }
        }
    }

    func register(_ identifier: ConnectionID, for connection: QUICConnection) {
        connections[identifier] = connection
        connection.ids.insert(identifier)
    }

    func unregister(_ identifier: ConnectionID, of connection: QUICConnection) {
        connections[identifier] = nil
        connection.ids.remove(identifier)
    }

    func handshakeCompleted(by connection: QUICConnection) {
        guard case .handshake = connection.phase else { return }
        connection.phase = .open
        connection.idleSince = .now()
        halfOpenCount -= 1
        statistics.handshakes += 1
        door.statistics.connectionNegotiated(.http3)
        giveToken(to: connection)
        if isStopping { eventLoop.assumeIsolated().execute { connection.drain() } }
    }

    /// Called before a connection changes to a phase in which it is no longer alive.
    func ended(_ connection: QUICConnection) {
        guard connection.isAlive else { return }
        aliveCount -= 1
        if aliveCount == 0 { whenDrained?.succeed() }
        switch connection.phase {
        case .handshake:
            halfOpenCount -= 1
            statistics.failedHandshakes += 1
            door.statistics.handshakeFailed()
            door.statistics.connectionClosed()
        case .open, .draining:
            door.statistics.connectionClosed(.http3)
            door.statistics.connectionClosed()
        case .closing, .left, .gone: break
        }
    }

    /// Forgets a connection.
    func remove(_ connection: QUICConnection) {
        connection.forget()
        for identifier in connection.ids { connections[identifier] = nil }
        connection.ids.removeAll()
        all[ObjectIdentifier(connection)] = nil
    }

    private func sweepConnections() {
        let now = NIODeadline.now()
        for connection in all.values { connection.sweep(now: now, limits: door.limits) }
        publishStatistics()
    }

    // MARK: Time

    /// Sees to it that `connection` looks at the time at `deadline`, and not before; never, in the
    /// distant future.
    func wake(_ connection: QUICConnection, at deadline: NIODeadline) {
        timers.set(connection, deadline)
        setAlarm()
    }

    /// No alarm rings sooner than this: pacing and the detection of losses need no finer time, and each alarm
    /// wakes the thread.
    ///
    /// Source: RFC 9002, 6.1.2 (kGranularity).
    static let timerGranularity = TimeAmount.milliseconds(1)

    /// One that is set for an earlier time stays: it finds nothing due and sets the next.
    private func setAlarm() {
        let standing = alarm?.deadline ?? .distantFuture
        guard let first = timers.first, first < standing else { return }
        let deadline = max(first, .now() + Self.timerGranularity)
        guard deadline < standing else { return }
        alarm?.callback.cancel()
        // Only a loop that has ended takes none.
        let callback = try? eventLoop.assumeIsolated().scheduleCallback(at: deadline, handler: self)
        alarm = callback.map { (deadline, $0) }
    }

    func handleScheduledCallback(eventLoop: some EventLoop) {
        alarm = nil
        for connection in timers.takeAll(until: .now()) { connection.timerFired() }
        setAlarm()
    }

    // MARK: Sending

    func hasSomethingToSend(_ connection: QUICConnection) {
        if !connection.isDirty {
            connection.isDirty = true
            dirty.append(connection)
        }
        scheduleFlush()
    }

    /// A packet that belongs to no burst of a connection.
    func send(_ packet: [UInt8], to address: SocketAddress) {
        guard !burst.isFull else { return }
        burst.aim(at: address)
        let count = burst.withSpace { space, capacity in
            let count = min(packet.count, capacity)
            space.update(from: packet, count: count)
            return count
        }
        burst.append(count, congestion: UInt32(NGTCP2_ECN_NOT_ECT))
        statistics.packetsSent += 1
        statistics.bytesSent += UInt64(packet.count)
        scheduleFlush()
    }

    private func scheduleFlush() {
        guard !isReading, !isFlushScheduled else { return }
        isFlushScheduled = true
        eventLoop.assumeIsolated().execute {
            self.isFlushScheduled = false
            self.flush()
        }
    }

    func readBegan() { isReading = true }

    func readEnded() {
        isReading = false
        flush()
    }

    /// Lets every connection that has something to send write its share, in turn.
    ///
    /// What a socket cannot take waits until `writabilityChanged`.
    func flush() {
        while !dirty.isEmpty, isWritable {
            let turn = dirty
            dirty.removeAll(keepingCapacity: true)
            for connection in turn {
                connection.isDirty = false
                while connection.write(into: burst, scratch: scratch) { sendBurst() }
                connection.closeIfDone()
            }
            sendBurst()
        }
        sendBurst()
    }

    private func sendBurst() {
        burst.send(on: sockets)
        for stream in written { stream.sent() }
        written.removeAll(keepingCapacity: true)
    }

    /// The last of an answer is in the burst.
    func wrote(_ stream: HTTP3Stream) { written.append(stream) }

    func writabilityChanged() {
        if isWritable { flush() }
    }

    /// What waits in a socket that NIO has closed is lost, as on any line.
    func lost(_ socket: QUICSocket) {
        sockets.removeAll { $0 === socket }
        if !isClosed { scheduleFlush() }
    }

    private var isWritable: Bool { sockets.allSatisfy { $0.channel.isWritable } }

    /// Once a second, and at the end.
    private func publishStatistics() {
        door.statistics.add(statistics)
        statistics = HTTP3Statistics()
    }

    // MARK: Shutting down

    /// Lets what is under way end.
    ///
    /// - Returns: Done when the last connection is closed; who has missed that gets a reset, from the
    ///   next process.
    func drain() -> EventLoopFuture<Void> {
        isStopping = true
        guard aliveCount > 0 else { return eventLoop.makeSucceededVoidFuture() }
        let promise = eventLoop.makePromise(of: Void.self)
        whenDrained = promise
        for connection in all.values { connection.drain() }
        return promise.futureResult
    }

    /// Ends everything now.
    func stop() {
        sweep?.cancel()
        alarm?.callback.cancel()
        for connection in all.values {
            connection.close(.application(0x100))
            remove(connection)
        }
        burst.send(on: sockets)
        publishStatistics()
        siblings.removeAll()
    }

    /// Ends everything, with the sockets.
    func close() -> EventLoopFuture<Void> {
        stop()
        isClosed = true
        return .andAllComplete(sockets.map { $0.channel.close() }, on: eventLoop)
    }
}

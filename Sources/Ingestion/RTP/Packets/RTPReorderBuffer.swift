import DequeModule
package import Media
package import NIOCore

/// Puts the packets of one source in order, and gives up on what does not come in time.
///
/// In:     packets that `RTPReception` accepted, and those that were recovered, in any order.
/// Out:    each packet once, by ascending number, and how many are missing between two of them. In
///         order they are handed on at once and not copied.
/// Wait:   a packet is missing since one behind it came. It is given up `latency` later: that rises
///         at once to one and a half times any delay seen, and falls by a thousandth of the time
///         that passes, within the bounds. Where packets come on several ways, `setPassed` tells which
///         may come yet on one that is behind: these are waited for up to `maximumLatency`.
/// Bounds: `packetLimit` packets and `byteLimit` bytes are held, as copies; above, what is missing
///         longest is given up early.
/// Errors: none. What comes after it was given up, or twice, is counted and left out.
package struct RTPReorderBuffer: Sendable {
    package struct Configuration: Sendable, Equatable {
        package var minimumLatency: Duration
        package var maximumLatency: Duration
        package var packetLimit: Int
        package var byteLimit: Int

        package init(
            minimumLatency: Duration = .milliseconds(5),
            maximumLatency: Duration = .milliseconds(200),
            packetLimit: Int = 4_096,
            byteLimit: Int = 8 << 20
        ) {
            self.minimumLatency = minimumLatency
            self.maximumLatency = maximumLatency
            self.packetLimit = packetLimit
            self.byteLimit = byteLimit
        }
    }

    package enum Output: Sendable, Equatable {
        /// With the datagram that it lies in.
        case packet(RTPPacket, ByteBuffer)
        /// This many packets do not come any more; the next output is behind them.
        case lost(Int)
    }

    package struct Statistics: Sendable, Equatable {
        /// Packets that were given up.
        package var lost: UInt64 = 0
        /// Packets that came after they had been given up.
        package var late: UInt64 = 0
        /// Packets that were here already.
        package var duplicates: UInt64 = 0
        /// Times that a bound on what is held cut the wait short.
        package var overflows: UInt64 = 0
        package var heldPackets = 0
        package var heldBytes = 0
        /// How long a missing packet is waited for.
        package var latency = Duration.zero

        package init() {}
    }

    private struct Held {
        let number: Int64
        /// Since when the packets in front of it are known to be missing.
        let since: WallTime
        let packet: RTPPacket
        let datagram: ByteBuffer
    }

    /// At most this many are asked for again at a time.
    private static let missingLimit = 256

    private let configuration: Configuration
    /// The number that is handed on next; `nil` before the first packet.
    private var next: Int64?
    /// By ascending number; all above `next`.
    private var held: Deque<Held> = []
    private var latency: Duration
    /// When the latency was last looked at.
    private var latencyAt: WallTime?
    /// Every way is past this number, since then past `next`; `nil` where there is one way.
    private var passed: (number: Int64, at: WallTime)?
    /// What was given up last, and since when it had been missing.
    private var abandoned: (numbers: Range<Int64>, since: WallTime)?
    private var counts = Statistics()

    package init(configuration: Configuration = .init()) {
        self.configuration = configuration
        latency = configuration.minimumLatency
    }

    package var statistics: Statistics {
        var statistics = counts
        statistics.heldPackets = held.count
        statistics.latency = latency
        return statistics
    }

    /// When `advance` has something to do; `nil` while nothing is missing.
    package var deadline: WallTime? {
        held.first.map { $0.since.advanced(by: latency) }
    }

    /// The numbers that are missing, lowest first, but for those that may come on another way; bounded.
    package var missing: [UInt16] {
        var missing: [UInt16] = []
        guard var expected = next else { return missing }
        let last = passed?.number ?? .max
        for packet in held {
            while expected < packet.number {
                guard expected <= last, missing.count < Self.missingLimit else { return missing }
                missing.append(UInt16(truncatingIfNeeded: expected))
                expected &+= 1
            }
            expected = packet.number &+ 1
        }
        return missing
    }

    /// Takes a packet.
    ///
    /// - Parameters:
    ///   - packet: A packet.
    ///   - extendedSequence: Its number, as `RTPReception` counts.
    ///   - datagram: The datagram that it lies in; copied only if the packet has to wait.
    ///   - arrival: When it came; never before that of the packet before it.
    ///   - emit: Called in order, within this call.
    @inline(__always)
    package mutating func receive(
        _ packet: RTPPacket,
        extendedSequence: Int64,
        datagram: ByteBuffer,
        arrival: WallTime,
        emit: (Output) -> Void
    ) {
        if extendedSequence == next, held.isEmpty {
            next = extendedSequence &+ 1
            emit(.packet(packet, datagram))
        } else {
            sort(packet, extendedSequence, datagram, arrival: arrival, emit: emit)
        }
    }

    /// What is missing may come as late as this: it is waited for as if it had been seen to.
    package mutating func expect(_ delay: Duration, arrival: WallTime) {
        raiseLatency(over: min(delay, configuration.maximumLatency), arrival: arrival)
    }

    /// Every way on which packets come is past this number.
    package mutating func setPassed(_ number: Int64, at now: WallTime) {
        let isPastNext = next.map { $0 <= number } ?? true
        let wasPastNext = next.map { $0 <= passed?.number ?? .min } ?? true
        passed = (number, isPastNext && wasPastNext ? passed?.at ?? now : now)
    }

    /// Gives up on what is overdue.
    package mutating func advance(to now: WallTime, emit: (Output) -> Void) {
        while let first = held.first, isOverdue(first, at: now) {
            giveUp(emit: emit)
        }
    }

    /// Hands on all that is held: the sequence ends here, and a new one may begin anywhere.
    package mutating func flush(emit: (Output) -> Void) {
        while !held.isEmpty { giveUp(emit: emit) }
        next = nil
        passed = nil
        abandoned = nil
    }

    /// `receive` for all that is not simply next.
    private mutating func sort(
        _ packet: RTPPacket,
        _ number: Int64,
        _ datagram: ByteBuffer,
        arrival: WallTime,
        emit: (Output) -> Void
    ) {
        let expected = next ?? number
        guard number >= expected else { return takeLate(number, arrival: arrival) }
        guard number > expected else {
            next = number &+ 1
            noteDelay(of: held.first, arrival: arrival)
            emit(.packet(packet, datagram))
            return release(emit: emit)
        }
        hold(packet, number, datagram, arrival: arrival)
        while held.count > configuration.packetLimit || counts.heldBytes > configuration.byteLimit {
            counts.overflows &+= 1
            giveUp(emit: emit)
        }
        advance(to: arrival, emit: emit)
    }

    private mutating func hold(
        _ packet: RTPPacket,
        _ number: Int64,
        _ datagram: ByteBuffer,
        arrival: WallTime
    ) {
        if held.isEmpty { lowerLatency(to: arrival) }
        // Nearly always the newest, so that the search begins at the end.
        var place = held.count
        while place > 0, held[place - 1].number >= number {
            place -= 1
            if held[place].number == number {
                counts.duplicates &+= 1
                return
            }
        }
        var since = arrival
        if place < held.count {
            since = min(since, held[place].since)
            noteDelay(of: held[place], arrival: arrival)
        }
        let copy = ByteBuffer(bytes: datagram.readableBytesView)
        counts.heldBytes += copy.readableBytes
        let new = Held(number: number, since: since, packet: packet, datagram: copy)
        held.insert(new, at: place)
    }

    /// What came after its successors were handed on shows how long to wait for the next.
    private mutating func takeLate(_ number: Int64, arrival: WallTime) {
        guard let abandoned, abandoned.numbers.contains(number) else {
            counts.duplicates &+= 1
            return
        }
        counts.late &+= 1
        raiseLatency(over: arrival.duration(since: abandoned.since), arrival: arrival)
    }

    /// Gives up on the packets in front of the first that is held, and hands that on.
    private mutating func giveUp(emit: (Output) -> Void) {
        guard let first = held.first, let next else { return }
        let count = first.number &- next
        if count > 0 {
            abandoned = (next..<first.number, first.since)
            counts.lost &+= UInt64(count)
            emit(.lost(Int(count)))
        }
        self.next = first.number
        release(emit: emit)
    }

    /// Hands on what is held up to the next gap.
    private mutating func release(emit: (Output) -> Void) {
        while let first = held.first, first.number == next {
            held.removeFirst()
            counts.heldBytes -= first.datagram.readableBytes
            next = first.number &+ 1
            emit(.packet(first.packet, first.datagram))
        }
    }

    private func isOverdue(_ held: Held, at now: WallTime) -> Bool {
        let waited = now.duration(since: held.since)
        // Less than nothing: the machine's clock was set back.
        guard waited >= .zero else { return true }
        guard let next, let passed, waited < configuration.maximumLatency else {
            return waited >= latency
        }
        return next <= passed.number && now.duration(since: max(held.since, passed.at)) >= latency
    }
}

// MARK: - How long to wait

extension RTPReorderBuffer {
    /// A packet came in front of `successor`, which had been here before.
    private mutating func noteDelay(of successor: Held?, arrival: WallTime) {
        guard let successor else { return }
        raiseLatency(over: arrival.duration(since: successor.since), arrival: arrival)
    }

    private mutating func raiseLatency(over delay: Duration, arrival: WallTime) {
        // What takes longer than the longest wait is not worth waiting for.
        guard .zero...configuration.maximumLatency ~= delay else { return }
        let needed = min(delay + delay / 2, configuration.maximumLatency)
        guard needed > latency else { return }
        latency = needed
        latencyAt = arrival
    }

    private mutating func lowerLatency(to now: WallTime) {
        let passed = latencyAt.map { max(.zero, now.duration(since: $0)) } ?? .zero
        latency = max(configuration.minimumLatency, latency - passed / 1_000)
        latency = min(latency, configuration.maximumLatency)
        latencyAt = now
    }
}

package import Media
package import NIOCore

/// Recovers media packets that were lost, from the column and row FEC of their stream.
///
/// In:     the media packets, and what comes on the ports two (columns) and four (rows) above theirs.
/// Out:    the datagrams of packets that were missing, each once; the packet itself may still come.
///         What lies ahead of the newest packet is not missing yet: FEC takes another way, and may be
///         faster.
/// Bounds: nothing is kept before the first FEC packet; then copies of the newest `historyLimit`
///         media packets and of `pendingLimit` FEC packets that wait for some of theirs. Datagrams above
///         `datagramLimit` are not protected.
/// Errors: none. What cannot be used is counted.
///
/// Source: SMPTE ST 2022-1; RFC 2733, 7 and 8.
package struct RTPForwardErrorCorrection: Sendable {
    package struct Statistics: Sendable, Equatable {
        package var received: UInt64 = 0
        /// Media packets that came back.
        package var recovered: UInt64 = 0
        /// FEC packets that say what nobody may say.
        package var invalid: UInt64 = 0
        /// FEC packets that more was missing of than they could give back.
        package var insufficient: UInt64 = 0

        package init() {}
    }

    private struct Media {
        var number = Int64.min
        var datagram = ByteBuffer()
        /// `nil` of one that was recovered.
        var arrival: WallTime?
    }

    /// A FEC packet that waits for media packets.
    private struct Pending {
        let packet: RTPForwardErrorCorrectionPacket
        /// The first number that it protects.
        let base: Int64
        let datagram: ByteBuffer
        /// It protects packets ahead of the newest.
        var isEarly = false

        var numbers: StrideTo<Int64> {
            stride(from: base, to: end, by: packet.offset)
        }

        var end: Int64 { base &+ Int64(packet.offset * packet.count) }
    }

    /// A power of two, and twice what one matrix spans.
    private static let historyLimit = 1_024
    private static let pendingLimit = 64
    private static let datagramLimit = 2_048

    /// The newest media packets, each at its number modulo the limit; empty until there is FEC.
    private var history: [Media] = []
    private var newest: Int64?
    private var ssrc: UInt32 = 0
    private var pending: [Pending] = []
    package private(set) var statistics = Statistics()
    /// How long after the first packet that it protects the newest FEC packet came, of those that show it.
    ///
    /// For so long the reorder buffer has to wait, or what is recovered comes too late.
    package private(set) var delay: Duration?

    package init() {}

    /// Takes a media packet.
    ///
    /// - Parameters:
    ///   - packet: A packet that was received, not one that was recovered.
    ///   - extendedSequence: Its number, as `RTPReception` counts.
    ///   - datagram: All of its bytes; copied.
    ///   - arrival: When it came.
    /// - Returns: What can be recovered now.
    package mutating func media(
        _ packet: RTPPacket,
        extendedSequence: Int64,
        datagram: ByteBuffer,
        arrival: WallTime
    ) -> [ByteBuffer] {
        ssrc = packet.ssrc
        newest = max(newest ?? extendedSequence, extendedSequence)
        guard !history.isEmpty else { return [] }
        keep(datagram, as: extendedSequence, arrival: arrival)
        // Nearly always it lies behind all that something is missing of.
        let concerns = pending.contains {
            extendedSequence < $0.end || $0.isEarly || isOutdated($0)
        }
        return concerns ? recover() : []
    }

    /// Takes a FEC packet of either kind.
    ///
    /// - Returns: What can be recovered now.
    package mutating func fec(_ datagram: ByteBuffer, arrival: WallTime) -> [ByteBuffer] {
        guard datagram.readableBytes <= Self.datagramLimit,
            let packet = RTPForwardErrorCorrectionPacket(datagram.readableBytesUInt8Span)
        else {
            statistics.invalid &+= 1
            return []
        }
        statistics.received &+= 1
        if history.isEmpty { history = Array(repeating: Media(), count: Self.historyLimit) }
        guard let newest else { return [] }
        let step = Int16(bitPattern: packet.base &- UInt16(truncatingIfNeeded: newest))
        let base = newest &+ Int64(step)
        let first = history[Self.slot(base)]
        if first.number == base, let since = first.arrival {
            delay = arrival.duration(since: since)
        }
        // Most packets find all that they protect, and are never copied.
        let new = Pending(packet: packet, base: base, datagram: datagram)
        guard base > newest &- Int64(Self.historyLimit), missing(of: new).count > 0 else {
            return []
        }
        pending.append(
            Pending(
                packet: packet,
                base: base,
                datagram: ByteBuffer(bytes: datagram.readableBytesView)
            )
        )
        if pending.count > Self.pendingLimit { giveUp(at: 0) }
        return recover()
    }

    private mutating func keep(_ datagram: ByteBuffer, as number: Int64, arrival: WallTime?) {
        guard datagram.readableBytes <= Self.datagramLimit,
            datagram.readableBytes >= RTPPacket.headerByteCount
        else { return }
        let slot = Self.slot(number)
        guard history[slot].number < number else { return }
        history[slot].number = number
        history[slot].arrival = arrival
        history[slot].datagram.clear()
        history[slot].datagram.writeImmutableBuffer(datagram)
    }

    /// Recovers until nothing more can be: what a row gave back may complete a column.
    private mutating func recover() -> [ByteBuffer] {
        guard let newest else { return [] }
        var recovered: [ByteBuffer] = []
        var index = 0
        while index < pending.count {
            let missing = missing(of: pending[index])
            if missing.count == 0 {
                pending.remove(at: index)
            } else if isOutdated(pending[index]) {
                giveUp(at: index)
            } else if missing.count == 1, missing.last < newest {
                let packet = rebuild(missing.last, from: pending.remove(at: index))
                guard let packet else {
                    statistics.invalid &+= 1
                    continue
                }
                keep(packet, as: missing.last, arrival: nil)
                statistics.recovered &+= 1
                recovered.append(packet)
                index = 0
            } else {
                pending[index].isEarly = missing.last > newest
                index += 1
            }
        }
        return recovered
    }

    private mutating func giveUp(at index: Int) {
        pending.remove(at: index)
        statistics.insufficient &+= 1
    }

    /// How many of the protected packets are not here, and the last of them.
    private func missing(of pending: Pending) -> (count: Int, last: Int64) {
        var count = 0
        var last = pending.base
        for number in pending.numbers where history[Self.slot(number)].number != number {
            count += 1
            last = number
        }
        return (count, last)
    }

    /// Its media packets are about to leave the history.
    private func isOutdated(_ pending: Pending) -> Bool {
        guard let newest else { return true }
        return pending.end &+ Int64(Self.historyLimit / 2) < newest
    }

    /// The packet whose parity with all the others is what the FEC packet says.
    ///
    /// - Returns: `nil` when the parity is none of these packets.
    private func rebuild(_ number: Int64, from pending: Pending) -> ByteBuffer? {
        let fec = pending.packet
        var flags = fec.flags
        var timestamp = fec.timestamp
        var length = fec.length
        var payload = pending.datagram.getSlice(
            at: pending.datagram.readerIndex + RTPForwardErrorCorrectionPacket.headerByteCount,
            length: pending.datagram.readableBytes
                - RTPForwardErrorCorrectionPacket.headerByteCount
        )
        for other in pending.numbers where other != number {
            let datagram = history[Self.slot(other)].datagram
            let bytes = datagram.readableBytesUInt8Span
            flags ^= UInt16(truncatingIfNeeded: bytes.bigEndian(at: 0, byteCount: 2)) & 0x3FFF
            timestamp ^= bytes.bigEndian(at: 4, byteCount: 4)
            length ^= UInt16(truncatingIfNeeded: bytes.count - RTPPacket.headerByteCount)
            payload?.formParity(with: datagram, droppingFirst: RTPPacket.headerByteCount)
        }
        guard let body = payload?.readSlice(length: Int(length)) else { return nil }
        var packet = ByteBuffer()
        packet.reserveCapacity(RTPPacket.headerByteCount + Int(length))
        packet.writeMultipleIntegers(
            0x8000 | flags,
            UInt16(truncatingIfNeeded: number),
            timestamp,
            ssrc
        )
        packet.writeImmutableBuffer(body)
        return packet
    }

    private static func slot(_ number: Int64) -> Int { Int(number) & (historyLimit - 1) }
}

extension ByteBuffer {
    /// Puts the parity of the readable bytes and those of `other` in their place, as far as both go.
    fileprivate mutating func formParity(with other: ByteBuffer, droppingFirst skipped: Int) {
        withUnsafeMutableReadableBytes { bytes in
            other.withUnsafeReadableBytes { others in
                for index in 0..<max(0, min(bytes.count, others.count - skipped)) {
                    bytes[index] ^= others[skipped + index]
                }
            }
        }
    }
}

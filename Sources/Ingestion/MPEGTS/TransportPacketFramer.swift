/// Finds the packets in bytes that may start, break off or be damaged anywhere.
///
/// Shape:  a packet is 188 bytes and begins with 0x47. In 192-byte packets (a timestamp in front,
///         as in M2TS files) and 204-byte packets (16 bytes of Reed-Solomon parity behind) the sync
///         bytes are farther apart; what is between the packets is skipped.
/// Lock:   the packet size is the first of 188, 192 and 204 at which there are five sync bytes in a
///         row. A packet that does not begin with 0x47 ends the lock.
/// Copies: a packet that lies whole in the caller's bytes is not copied. Kept over calls: less than
///         one packet, or, while searching, less than `windowByteCount`.
///
/// The packets found do not depend on how the bytes are split.
///
/// Source: ISO/IEC 13818-1, 2.4.3.2; five sync bytes to lock, two wrong ones for a loss, as in ETSI
/// TR 101 290, 5.2.1.
package struct TransportPacketFramer: Sendable {
    /// Where a packet's 188 bytes lie.
    package enum Found: Equatable {
        case input(Range<Int>)
        /// In `carry`, until the next call.
        case carried(Range<Int>)
    }

    private static let syncByte: UInt8 = 0x47
    private static let packetSizes = [188, 192, 204]
    private static let syncCount = 5
    /// More than `syncCount` of the largest packets, so that a search can always be decided.
    private static let windowByteCount = 2_048

    /// Bytes that were not handed out yet, from `carryStart` on.
    package private(set) var carry: [UInt8] = []
    private var carryStart = 0
    /// The distance of sync bytes; `nil` while searching.
    package private(set) var packetSize: Int?
    /// What is left of the bytes between the last packet and the next.
    private var gap = 0
    /// Bytes in which no packet was found.
    package private(set) var skippedBytes: UInt64 = 0
    /// Packets that did not begin with 0x47 where one was due.
    package private(set) var syncByteErrors: UInt64 = 0
    /// Times that no packet was found where the next two were due, or packets lay elsewhere.
    package private(set) var syncLosses: UInt64 = 0
    /// While it is not known whether one sync byte was wrong or the lock is lost: how far apart
    /// packets were, and how many bytes had been skipped by then.
    private var doubt: (packetSize: Int, skippedBytes: UInt64)?

    package init() {
        carry.reserveCapacity(Self.windowByteCount)
    }

    /// The next packet in what is carried and `input[position...]`.
    ///
    /// - Returns: `nil` when all input is taken; `position` then is its end.
    @inline(__always)
    package mutating func next(in input: Span<UInt8>, from position: inout Int) -> Found? {
        // Nearly all packets: in the input, where they are expected.
        if let packetSize, carryStart == carry.count {
            let start = position + gap
            let end = start + TransportPacket.byteCount
            if end <= input.count, input[start] == Self.syncByte {
                gap = packetSize - TransportPacket.byteCount
                position = end
                return .input(start..<end)
            }
        }
        return find(in: input, from: &position)
    }

    /// Where whole packets of 188 bytes may follow each other in the input, with nothing between them.
    ///
    /// Their sync bytes are not looked at yet. Who takes some of them moves its position past them.
    @inline(__always)
    package func expectedPackets(in input: Span<UInt8>, from position: Int) -> Range<Int> {
        guard packetSize == TransportPacket.byteCount, gap == 0, carryStart == carry.count else {
            return position..<position
        }
        let count = (input.count - position) / TransportPacket.byteCount
        return position..<(position + count * TransportPacket.byteCount)
    }

    /// `next` for every state.
    private mutating func find(in input: Span<UInt8>, from position: inout Int) -> Found? {
        while true {
            guard let packetSize else {
                takeIntoCarry(Self.windowByteCount, of: input, from: &position)
                if search() { continue }
                // The window is larger than any search needs: an undecided one used up the input.
                if position >= input.count { return nil }
                continue
            }
            if gap > 0, !skipGap(in: input, from: &position) { return nil }
            if let found = nextPacket(in: input, from: &position) {
                gap = packetSize - TransportPacket.byteCount
                return found
            }
            if self.packetSize != nil { return nil }
        }
    }

    private mutating func nextPacket(
        in input: Span<UInt8>,
        from position: inout Int
    ) -> Found? {
        let byteCount = TransportPacket.byteCount
        if carryStart == carry.count {
            guard position < input.count else {
                carry.removeAll(keepingCapacity: true)
                carryStart = 0
                return nil
            }
            guard input[position] == Self.syncByte else {
                unlock()
                return nil
            }
            if input.count - position >= byteCount {
                defer { position += byteCount }
                return .input(position..<(position + byteCount))
            }
        }
        takeIntoCarry(byteCount, of: input, from: &position)
        guard carry[carryStart] == Self.syncByte else {
            unlock()
            return nil
        }
        guard carry.count - carryStart >= byteCount else { return nil }
        defer { carryStart += byteCount }
        return .carried(carryStart..<(carryStart + byteCount))
    }

    /// - Returns: Whether the whole gap is behind us.
    private mutating func skipGap(in input: Span<UInt8>, from position: inout Int) -> Bool {
        let carried = min(gap, carry.count - carryStart)
        carryStart += carried
        gap -= carried
        let skipped = min(gap, input.count - position)
        position += skipped
        gap -= skipped
        return gap == 0
    }

    /// Fills the carry from the input until it holds `byteCount` unread bytes or the input ends.
    private mutating func takeIntoCarry(
        _ byteCount: Int,
        of input: Span<UInt8>,
        from position: inout Int
    ) {
        if carryStart > 0 {
            carry.removeFirst(carryStart)
            carryStart = 0
        }
        let taken = min(byteCount - carry.count, input.count - position)
        guard taken > 0 else { return }
        input.extracting(position..<(position + taken)).withUnsafeBufferPointer {
            carry.append(contentsOf: $0)
        }
        position += taken
    }

    /// Drops carried bytes up to the first place where packets begin, or may begin.
    ///
    /// - Returns: Whether the packet size is known now.
    private mutating func search() -> Bool {
        let start = carryStart
        defer {
            skippedBytes &+= UInt64(carryStart - start)
            judgeLoss()
        }
        while carryStart < carry.count {
            guard carry[carryStart] == Self.syncByte else {
                carryStart += 1
                continue
            }
            for size in Self.packetSizes {
                switch hasSyncBytes(every: size) {
                case .some(true):
                    packetSize = size
                    gap = 0
                    return true
                case .some(false):
                    continue
                case .none:
                    return false
                }
            }
            carryStart += 1
        }
        return false
    }

    private mutating func unlock() {
        if let packetSize { doubt = (packetSize, skippedBytes) }
        packetSize = nil
        syncByteErrors &+= 1
    }

    /// Tells a wrong sync byte, behind which packets go on in step, from a loss.
    private mutating func judgeLoss() {
        guard let doubt else { return }
        let skipped = skippedBytes &- doubt.skippedBytes
        guard packetSize != nil || skipped > doubt.packetSize else { return }
        if packetSize != doubt.packetSize || skipped != doubt.packetSize { syncLosses &+= 1 }
        self.doubt = nil
    }

    /// - Returns: `nil` when more bytes must come to tell.
    private func hasSyncBytes(every size: Int) -> Bool? {
        for index in 1..<Self.syncCount {
            let offset = carryStart + index * size
            guard offset < carry.count else { return nil }
            guard carry[offset] == Self.syncByte else { return false }
        }
        return true
    }
}

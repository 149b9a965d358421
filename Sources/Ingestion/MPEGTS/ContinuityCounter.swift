/// Follows the continuity counter of one PID.
///
/// Source: ISO/IEC 13818-1, 2.4.3.3 (continuity_counter) and 2.4.3.5 (discontinuity_indicator).
struct ContinuityCounter {
    enum Verdict {
        case inOrder
        /// The counter of the packet before, once: a packet may be sent twice.
        ///
        /// The same is seen when fifteen packets are lost, so the caller must compare the bytes.
        case maybeRepeated
        case lost
        /// The source said that the count breaks here.
        case restarted
    }

    private var last: UInt8?
    private var hasRepeated = false

    /// What the next packet should have; `nil` before the first.
    var expected: UInt8? {
        last.map { ($0 + 1) & 0x0F }
    }

    /// As many packets came as expected.
    mutating func advance(by count: Int) {
        guard count > 0, let last else { return }
        self.last = UInt8(truncatingIfNeeded: Int(last) &+ count) & 0x0F
        hasRepeated = false
    }

    /// Takes the next packet that has a payload; the counter stands still in all others.
    mutating func follow(_ packet: TransportPacket) -> Verdict {
        let counter = packet.continuityCounter
        guard let last else {
            self.last = counter
            return .inOrder
        }
        if counter == (last + 1) & 0x0F {
            self.last = counter
            hasRepeated = false
            return .inOrder
        }
        if packet.isDiscontinuous {
            self.last = counter
            hasRepeated = false
            return .restarted
        }
        if counter == last, !hasRepeated {
            hasRepeated = true
            return .maybeRepeated
        }
        self.last = counter
        hasRepeated = false
        return .lost
    }
}

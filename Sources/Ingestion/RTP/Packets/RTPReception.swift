package import Media

/// Follows the sequence numbers of one source: what is valid, what is new, what is missing.
///
/// Probation: a source is believed when `minimumSequential` packets in a row have come; of those,
///            the last is the first one accepted.
/// Window:    a number up to `maximumDropout` ahead is loss, one up to `maximumMisorder` behind came
///            late or twice. The RFC's figures are for 50 packets a second; these, for thousands.
/// Restarts:  a number outside the window is left out, and with its successor the sequence begins
///            anew. So it does when, for `restartTime`, packets came from behind only: a sender that
///            starts anew may do so inside the window.
/// Extended:  numbers never go back over a restart; each run lies above all before it.
/// Cost:      a packet in order takes a few branches and no memory.
///
/// Source: RFC 3550, 6.4.1, A.1, A.3 and A.8.
package struct RTPReception: Sendable {
    package enum Verdict: Sendable, Equatable {
        /// Not believed yet.
        case probation
        /// New, in order or not.
        case accepted(extendedSequence: Int64)
        case duplicate
        /// New, and the first of a sequence that has nothing to do with the one before.
        case restarted(extendedSequence: Int64)
        case invalid
    }

    private enum Phase {
        case probation(left: Int)
        case receiving
    }

    private static let maximumDropout: Int64 = 16_384
    private static let maximumMisorder = Int64(SequenceWindow.reach)
    private static let restartTime = Duration.seconds(1)
    /// More between two packets is a jump of a clock, which is not jitter.
    private static let jitterLimitSeconds: Int64 = 10

    private let minimumSequential: Int
    /// Ticks a second of the source's timestamps.
    package private(set) var clockRate: Int64
    private var phase: Phase
    private var ssrc: UInt32 = 0

    /// The highest number of the run; its low 16 bits are the packet's.
    private var highest: Int64 = 0
    /// The first number of the run.
    private var base: Int64 = 0
    /// The numbers of the run that are here.
    private var window = SequenceWindow()
    /// What would confirm that the sequence has begun anew.
    private var suspect: UInt16?
    /// Since when packets came from behind only.
    private var behindSince: WallTime?

    private var counts = RTPReceptionStatistics()
    /// New packets of the run, and duplicates of it.
    private var runReceived: Int64 = 0
    private var runDuplicates: Int64 = 0
    private var lostBefore: UInt64 = 0
    /// What had been expected and received when the last report was made.
    private var reported: (expected: Int64, received: Int64) = (0, 0)

    private var previous: (timestamp: UInt32, arrival: WallTime)?
    /// In ticks, times 16.
    private var jitter: Int64 = 0
    private var senderReport: (middle: UInt32, arrival: WallTime)?

    /// Reception of one source.
    ///
    /// - Parameters:
    ///   - clockRate: Ticks a second of its timestamps; taken within 1 to 1,000,000.
    ///   - minimumSequential: How many packets in a row end probation; 1 for a source that is known.
    package init(clockRate: Int, minimumSequential: Int = 2) {
        self.clockRate = Self.bounded(clockRate)
        self.minimumSequential = max(1, minimumSequential)
        phase = .probation(left: self.minimumSequential)
    }

    package var hasPassedProbation: Bool {
        if case .receiving = phase { true } else { false }
    }

    /// Takes the next packet as it comes in.
    @inline(__always)
    package mutating func receive(_ packet: RTPPacket, arrival: WallTime) -> Verdict {
        let step = Int64(
            packet.sequenceNumber &- UInt16(truncatingIfNeeded: highest)
        )
        guard case .receiving = phase, 1...Self.maximumDropout ~= step else {
            return judge(packet, arrival: arrival)
        }
        highest &+= step
        window.insert(highest, over: step)
        runReceived &+= 1
        suspect = nil
        behindSince = nil
        measureJitter(packet.timestamp, arrival: arrival)
        return .accepted(extendedSequence: highest)
    }

    /// The extended number of a packet that did not come by the network but was recovered.
    package func extendedSequence(of number: UInt16) -> Int64 {
        let step = Int16(bitPattern: number &- UInt16(truncatingIfNeeded: highest))
        return highest &+ Int64(step)
    }

    /// The clock's rate becomes known with the payload.
    package mutating func setClockRate(_ rate: Int) {
        guard clockRate != Self.bounded(rate) else { return }
        clockRate = Self.bounded(rate)
        jitter = 0
        previous = nil
    }

    /// Everything but a step forward.
    private mutating func judge(_ packet: RTPPacket, arrival: WallTime) -> Verdict {
        let number = packet.sequenceNumber
        if case .probation(let left) = phase { return probe(packet, left: left, arrival: arrival) }
        let behind = Int64(UInt16(truncatingIfNeeded: highest) &- number)
        guard behind <= Self.maximumMisorder else {
            return restartIfConfirmed(packet, arrival: arrival)
        }
        let isBehindForLong =
            behindSince.map { arrival.duration(since: $0) >= Self.restartTime } ?? false
        if isBehindForLong, behind > 0, suspect == number {
            return restart(packet, arrival: arrival)
        }
        if behindSince == nil, behind > 0 { behindSince = arrival }
        suspect = number &+ 1
        let extended = highest &- behind
        guard extended >= base else {
            // Older than the run's first packet: it was never expected.
            counts.invalid &+= 1
            return .invalid
        }
        guard !window.contains(extended) else {
            runDuplicates &+= 1
            counts.duplicates &+= 1
            return .duplicate
        }
        window.insertBehind(extended)
        runReceived &+= 1
        counts.reordered &+= 1
        measureJitter(packet.timestamp, arrival: arrival)
        return .accepted(extendedSequence: extended)
    }

    private mutating func probe(
        _ packet: RTPPacket,
        left: Int,
        arrival: WallTime
    ) -> Verdict {
        let follows =
            left < minimumSequential
            && packet.sequenceNumber == UInt16(truncatingIfNeeded: highest) &+ 1
        let stillLeft = (follows ? left : minimumSequential) - 1
        guard stillLeft <= 0 else {
            highest = Int64(packet.sequenceNumber)
            phase = .probation(left: stillLeft)
            return .probation
        }
        phase = .receiving
        begin(at: Int64(packet.sequenceNumber), packet, arrival: arrival)
        return .accepted(extendedSequence: highest)
    }

    private mutating func restartIfConfirmed(
        _ packet: RTPPacket,
        arrival: WallTime
    ) -> Verdict {
        guard suspect == packet.sequenceNumber else {
            suspect = packet.sequenceNumber &+ 1
            counts.invalid &+= 1
            return .invalid
        }
        return restart(packet, arrival: arrival)
    }

    private mutating func restart(_ packet: RTPPacket, arrival: WallTime) -> Verdict {
        lostBefore &+= lostOfRun
        counts.restarts &+= 1
        counts.received &+= UInt64(clamping: runReceived)
        // Two cycles up: numbers just below the first of the run must not reach the old ones.
        let cycle = (highest >> 16) &+ 2
        begin(at: cycle << 16 | Int64(packet.sequenceNumber), packet, arrival: arrival)
        return .restarted(extendedSequence: highest)
    }

    private mutating func begin(at extended: Int64, _ packet: RTPPacket, arrival: WallTime) {
        ssrc = packet.ssrc
        highest = extended
        base = extended
        window = SequenceWindow()
        window.insert(extended, over: 1)
        suspect = nil
        behindSince = nil
        runReceived = 1
        runDuplicates = 0
        reported = (0, 0)
        previous = nil
        measureJitter(packet.timestamp, arrival: arrival)
    }

    private static func bounded(_ clockRate: Int) -> Int64 {
        Int64(min(max(clockRate, 1), 1_000_000))
    }
}

// MARK: - What it says

extension RTPReception {
    private var expectedOfRun: Int64 { hasPassedProbation ? highest &- base &+ 1 : 0 }

    private var lostOfRun: UInt64 { UInt64(clamping: expectedOfRun &- runReceived) }

    package var statistics: RTPReceptionStatistics {
        var statistics = counts
        statistics.received = counts.received &+ UInt64(clamping: runReceived)
        statistics.lost = lostBefore &+ lostOfRun
        statistics.jitter = .microseconds((jitter >> 4) * 1_000_000 / clockRate)
        return statistics
    }

    /// Takes the source's own report, which the next blocks answer.
    package mutating func receive(_ report: RTCPSenderReport, arrival: WallTime) {
        senderReport = (report.middle, arrival)
    }

    /// The block about this source for the next report.
    ///
    /// Fractions are since the block before. Counts are those of the run, duplicates included, as the
    /// RFC has it.
    package mutating func makeReportBlock(now: WallTime) -> RTCPReceptionReport {
        var block = RTCPReceptionReport(ssrc: ssrc)
        let received = runReceived &+ runDuplicates
        let expected = expectedOfRun
        let newlyExpected = expected &- reported.expected
        let newlyLost = newlyExpected &- (received &- reported.received)
        reported = (expected, received)
        if newlyExpected > 0, newlyLost > 0 {
            block.fractionLost = UInt8(clamping: (newlyLost << 8) / newlyExpected)
        }
        block.cumulativeLost = Int32(min(max(expected &- received, -0x80_0000), 0x7F_FFFF))
        block.extendedHighestSequence = UInt32(
            truncatingIfNeeded: highest &- (base & ~0xFFFF)
        )
        block.jitter = UInt32(clamping: jitter >> 4)
        if let senderReport {
            let passed = now.duration(since: senderReport.arrival).components
            let fraction = passed.attoseconds / (1_000_000_000_000_000_000 >> 16)
            block.lastSenderReport = senderReport.middle
            block.delaySinceLastSenderReport = UInt32(
                clamping: min(max(passed.seconds, 0), 0xFFFF) << 16 | max(fraction, 0)
            )
        }
        return block
    }

    /// Each packet moves the estimate by a sixteenth of how much its spacing has changed.
    @inline(__always)
    fileprivate mutating func measureJitter(_ timestamp: UInt32, arrival: WallTime) {
        defer { previous = (timestamp, arrival) }
        guard let previous else { return }
        let limit = Self.jitterLimitSeconds * 1_000_000
        let passed =
            arrival.microsecondsSinceEpoch &- previous.arrival.microsecondsSinceEpoch
        guard -limit...limit ~= passed else { return }
        let sent = Int64(Int32(bitPattern: timestamp &- previous.timestamp))
        let change = abs(passed * clockRate / 1_000_000 - sent)
        guard change <= Self.jitterLimitSeconds * clockRate else { return }
        jitter += change - ((jitter + 8) >> 4)
    }
}

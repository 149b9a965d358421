package import Ingestion
package import Media
package import Packaging

/// Tells what should change on the way to here, from a publisher's figures over time.
///
/// In:         the figures, and what was lost behind it, looked at once a second at most; counts that
///             only rise.
/// Hysteresis: an advice is given once its trouble showed in three looks, none more than 30 s after
///             the one before, and withdrawn 60 s after the last. So one lost packet is no advice, and
///             a line that is bad every few seconds has the same one all the time. While it is given
///             the figures in its words only grow.
/// Bound:      six kinds of advice, one of each.
package struct ContributionCoach: Sendable {
    /// Trouble of one kind over time.
    private struct Persistence: Sendable {
        static let looksToRaise = 3
        static let memory = Duration.seconds(30)
        static let calmToWithdraw = Duration.seconds(60)

        private var looks = 0
        private var last: WallTime?
        private(set) var isRaised = false

        mutating func note(_ isTroubled: Bool, at now: WallTime) {
            let calm = last.map { now.duration(since: $0) } ?? .zero
            if isTroubled {
                looks = calm > Self.memory ? 1 : min(looks + 1, Self.looksToRaise)
                last = now
                isRaised = isRaised || looks >= Self.looksToRaise
            } else if calm >= Self.calmToWithdraw {
                self = Persistence()
            }
        }
    }

    private static let interval = Duration.seconds(1)
    /// What SRT needs to ask for a lost packet again, and once more when that is lost too.
    private static let roundTripsOfLatency = 4.0
    /// A kernel's buffer that holds less of the stream may overflow in one burst: a keyframe is many
    /// times the mean picture.
    private static let bufferedSeconds = 0.25
    /// A crystal of any encoder is better; ISO/IEC 13818-1, 2.4.2.1, wants 30.
    private static let driftLimitPPM = 100.0
    /// How long after SRT gave up packets they may be found missing in the stream.
    private static let dropEcho = Duration.seconds(3)

    private var lookedAt: WallTime?
    private var before: IngestStatistics?
    private var droppedBefore: UInt64 = 0
    private var droppedAt: WallTime?
    private var shortLatency = Persistence()
    private var loss = Persistence()
    private var smallBuffer = Persistence()
    private var damage = Persistence()
    private var drift = Persistence()
    private var overload = Persistence()
    private var neededLatencyMilliseconds = 0
    private var lossInPercent = 0.0
    private var kernelBufferBytes = 0
    private var driftPPM = 0.0
    private var droppedAccessUnits: UInt64 = 0

    package init() {}

    /// What the publisher's operator should change now.
    package var advice: [Advice] {
        var advice: [Advice] = []
        if shortLatency.isRaised {
            advice.append(.latencyTooShort(neededMilliseconds: neededLatencyMilliseconds))
        }
        if loss.isRaised { advice.append(.lossNotRepaired(percent: lossInPercent)) }
        if smallBuffer.isRaised {
            advice.append(
                .kernelBufferTooSmall(
                    bytes: kernelBufferBytes,
                    wantedBytes: Int(SRTBufferSizes.udpReceiveBufferBytes)
                )
            )
        }
        if damage.isRaised { advice.append(.damagedBeforeArrival) }
        if drift.isRaised { advice.append(.clockDrift(ppm: driftPPM)) }
        if overload.isRaised {
            advice.append(.serverTooSlow(droppedAccessUnits: droppedAccessUnits))
        }
        return advice
    }

    /// Takes the publisher's figures as they are now, and how many access units the stream's consumers
    /// were too slow for; calls within a second of the last do nothing.
    package mutating func look(
        at statistics: IngestStatistics,
        droppedAccessUnits dropped: UInt64 = 0,
        now: WallTime
    ) {
        if let lookedAt, (.zero..<Self.interval).contains(now.duration(since: lookedAt)) { return }
        lookedAt = now
        defer {
            before = statistics
            droppedBefore = dropped
        }
        guard let before else { return }
        judgeConsumers(dropped: dropped, now)
        judgeClock(statistics.clockDriftPPM ?? 0, now)
        if judgeLine(statistics.srt, before.srt, now) { droppedAt = now }
        let missing = statistics.transportStream.continuityErrors
        // Whatever SRT gave up is missing in the stream too, and that is told already.
        let isTold = droppedAt.map { now.duration(since: $0) <= Self.dropEcho } ?? false
        damage.note(missing > before.transportStream.continuityErrors && !isTold, at: now)
        if let srt = statistics.srt {
            judgeBuffer(srt, bitsPerSecond: statistics.bitrateBitsPerSecond, now)
        }
    }

    /// - Returns: Whether SRT has given up packets since the last look.
    private mutating func judgeLine(
        _ srt: SRTStatistics?,
        _ before: SRTStatistics?,
        _ now: WallTime
    ) -> Bool {
        guard let srt, let before else { return false }
        let hasDropped = srt.droppedPackets > before.droppedPackets
        let hasLost = srt.lostPackets > before.lostPackets
        let needed = srt.roundTripMilliseconds * Self.roundTripsOfLatency
        let isShort = Double(srt.latencyMilliseconds) < needed
        let needsLatency = isShort && (hasLost || hasDropped)
        shortLatency.note(needsLatency, at: now)
        if needsLatency {
            // In tens, and no more than anybody can wait for.
            let tens = Int((min(needed, 60_000) / 10).rounded(.up))
            neededLatencyMilliseconds = max(neededLatencyMilliseconds, tens * 10)
        } else if !shortLatency.isRaised {
            neededLatencyMilliseconds = 0
        }
        loss.note(hasDropped, at: now)
        if hasDropped {
            let dropped = Double(srt.droppedPackets - before.droppedPackets)
            let received = Double(srt.receivedPackets) - Double(before.receivedPackets)
            lossInPercent = max(lossInPercent, dropped / (dropped + max(received, 0)) * 100)
        } else if !loss.isRaised {
            lossInPercent = 0
        }
        return hasDropped
    }

    private mutating func judgeClock(_ ppm: Double, _ now: WallTime) {
        drift.note(ppm.magnitude > Self.driftLimitPPM, at: now)
        if !drift.isRaised {
            driftPPM = 0
        } else if ppm.magnitude > driftPPM.magnitude {
            driftPPM = ppm
        }
    }

    private mutating func judgeConsumers(dropped: UInt64, _ now: WallTime) {
        let missed = dropped > droppedBefore ? dropped - droppedBefore : 0
        overload.note(missed > 0, at: now)
        droppedAccessUnits = missed > 0 || overload.isRaised ? droppedAccessUnits + missed : 0
    }

    private mutating func judgeBuffer(
        _ srt: SRTStatistics,
        bitsPerSecond: Double,
        _ now: WallTime
    ) {
        guard let bytes = srt.kernelBufferBytes else { return }
        let isSmall = bytes < Int(SRTBufferSizes.udpReceiveBufferBytes)
        smallBuffer.note(
            isSmall && Double(bytes) * 8 < bitsPerSecond * Self.bufferedSeconds,
            at: now
        )
        kernelBufferBytes = bytes
    }
}

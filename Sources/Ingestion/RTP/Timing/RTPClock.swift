import Media

/// The clock of one RTP stream: its timestamps against this machine's clock and the sender's, and
/// where they are on the timeline.
///
/// Units: ticks of the 90 kHz clock, unwrapped: they go through wraps of 2^32 (13 hours at 90 kHz, a
///        day at 48 kHz). Offsets between clocks are in microseconds.
/// Bound: `reportLimit` reports, and an `ArrivalEnvelope`.
struct RTPClock: Sendable {
    /// How a unit's time goes on from that of the one before.
    enum Step: Equatable {
        case first
        /// The same time again, as for each packet of a picture.
        case same
        case onward
        /// After a silence.
        case resumed
        case jumped
    }

    private static let backLimit: Int64 = 45_000
    private static let forwardLimit: Int64 = 5 * 90_000
    private static let pauseLimit: Int64 = 10 * 90_000
    private static let silenceLimit = Duration.seconds(3)
    private static let reportLimit = 5
    /// After this long without a report the clocks may have drifted.
    private static let reportLifetime = Duration.seconds(30)
    /// A report that is further from what arrives is of another clock.
    private static let plausibleDistance: Int64 = 10_000_000

    let clockRate: UInt32
    let isAudio: Bool
    var cname: String?

    private var unwrapper = TimestampUnwrapper(bits: 32)
    private var lastTimestamp: UInt32?
    /// Of the last unit, and of the one that is shown last.
    private(set) var ticks: Int64 = 0
    private(set) var newest: Int64 = 0
    private(set) var lastArrival = WallTime(microsecondsSinceEpoch: 0)

    private(set) var arrivals = ArrivalEnvelope()
    /// Sender's clock minus the stream's of each report, newest last.
    private var reports: [Int64] = []
    /// The median of `reports`, which one that was written late does not move.
    private var reported: Int64?
    private var lastReport = WallTime(microsecondsSinceEpoch: 0)
    private var waitingReport: RTCPSenderReport?
    private(set) var jumps: UInt64 = 0

    /// Timeline minus the stream's clock; `nil` until the first unit has its place.
    var offset: Int64?
    var firstOffset: Int64?
    /// What `offset` is moved to.
    var target: Int64 = 0
    var source = RTPTimeline.ClockSource.arrival
    /// What reports say beyond what arrival says: kept for when there are none for a while.
    var reportBias: Int64 = 0

    init(clockRate: Int, isAudio: Bool) {
        self.clockRate = UInt32(clamping: max(1, clockRate))
        self.isAudio = isAudio
    }

    /// Takes the time of the next unit, in decoding order.
    mutating func advance(to timestamp: UInt32, arrival: WallTime) -> Step {
        guard timestamp != lastTimestamp else { return .same }
        let isFirst = lastTimestamp == nil
        lastTimestamp = timestamp
        ticks = unwrapped(timestamp, with: &unwrapper)
        let step = isFirst ? Step.first : step(arrival: arrival)
        if step == .jumped {
            jumps &+= 1
            arrivals = ArrivalEnvelope()
            reports = []
            reported = nil
        }
        newest = isFirst || step == .jumped ? ticks : max(newest, ticks)
        lastArrival = arrival
        arrivals.add(delay: delay(of: ticks, arrival: arrival), at: arrival)
        if let report = waitingReport {
            waitingReport = nil
            receive(report, arrival: arrival)
        }
        return step
    }

    private func step(arrival: WallTime) -> Step {
        let since = arrival.duration(since: lastArrival)
        let passed = RTPTimeline.ticks(
            arrival.microsecondsSinceEpoch &- lastArrival.microsecondsSinceEpoch
        )
        let ahead = (ticks &- newest) &- passed
        let isJump =
            ticks &- newest < -Self.backLimit || ahead > Self.forwardLimit
            || ahead < -Self.pauseLimit
        return isJump ? .jumped : since > Self.silenceLimit ? .resumed : .onward
    }

    /// Units still come.
    func isActive(at now: WallTime) -> Bool {
        offset != nil && now.duration(since: lastArrival) <= Self.silenceLimit
    }

    /// Notes what the sender says of its clocks; what is said of another clock, or by a sender that
    /// has none, is passed over.
    mutating func receive(_ report: RTCPSenderReport, arrival: WallTime) {
        guard report.ntp != 0 else { return }
        guard lastTimestamp != nil else {
            waitingReport = report
            return
        }
        var unwrapper = unwrapper
        let ticks = unwrapped(report.rtpTimestamp, with: &unwrapper)
        let distance = delay(of: ticks, arrival: arrival) &- arrivals.delay(at: arrival)
        guard (-Self.plausibleDistance...Self.plausibleDistance).contains(distance) else { return }
        if reports.count == Self.reportLimit { reports.removeFirst() }
        reports.append(report.senderMicroseconds &- RTPTimeline.microseconds(ticks))
        reported = reports.sorted()[reports.count / 2]
        lastReport = arrival
    }

    /// Sender's clock minus the stream's.
    ///
    /// - Returns: `nil` when no report, or none of late, has told.
    func senderOffset(at now: WallTime) -> Int64? {
        now.duration(since: lastReport) <= Self.reportLifetime ? reported : nil
    }

    /// The place of a time that the sender told, on the stream's own clock.
    func ticks(of timestamp: UInt32) -> Int64? {
        guard lastTimestamp != nil else { return nil }
        var unwrapper = unwrapper
        return unwrapped(timestamp, with: &unwrapper)
    }

    private func unwrapped(
        _ timestamp: UInt32,
        with unwrapper: inout TimestampUnwrapper
    ) -> Int64 {
        let own = MediaTime(ticks: unwrapper.unwrap(Int64(timestamp)), timescale: clockRate)
        return own.converted(to: MediaTime.mpegTimescale).ticks
    }

    private func delay(of ticks: Int64, arrival: WallTime) -> Int64 {
        arrival.microsecondsSinceEpoch &- RTPTimeline.microseconds(ticks)
    }
}

extension RTCPSenderReport {
    /// Since 1900, of an era of NTP that is not known: only differences count.
    fileprivate var senderMicroseconds: Int64 {
        Int64(ntp >> 32) * 1_000_000 + Int64(((ntp & 0xFFFF_FFFF) * 1_000_000) >> 32)
    }
}

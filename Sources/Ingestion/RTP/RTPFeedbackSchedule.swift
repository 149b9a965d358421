import Media
import NIOCore

/// When a receiver reports, and when it asks for what is missing.
///
/// Reports: the first after half of `interval`, the others after an interval, each at random between
///          half and one and a half of it, so that receivers do not fall into step.
/// Asked:   packets at most every 20 ms, keyframes at most every 500 ms, together with a report.
///
/// Source: RFC 3550, 6.2 and 6.3.1; RFC 4585, 3.5.
struct RTPFeedbackSchedule {
    private static let interval: Int64 = 5_000_000
    /// The timer's mean is below the interval by this (RFC 3550, 6.3.1).
    private static let compensation = 1.21828
    private static let packetInterval: Int64 = 20_000
    private static let keyframeInterval: Int64 = 500_000
    private static let blockLimit = 31

    private let cname: String
    private var composer: RTCPComposer
    private var random: UInt64
    private var nextReport: WallTime?
    private var hasReported = false
    private var nextPacketRequest: WallTime?
    private var nextKeyframeRequest: WallTime?
    private var commandSequence: UInt8 = 0
    private(set) var packetsRequested: UInt64 = 0
    private(set) var keyframesRequested: UInt64 = 0

    init(ssrc: UInt32, cname: String) {
        self.cname = cname
        composer = RTCPComposer(ssrc: ssrc, cname: cname)
        random = UInt64(ssrc) | 1
    }

    var ssrc: UInt32 { composer.ssrc }

    /// A sender has the receiver's SSRC: the receiver takes another (RFC 3550, 8.2).
    mutating func changeSSRC() {
        composer = RTCPComposer(ssrc: UInt32(truncatingIfNeeded: nextRandom()), cname: cname)
    }

    /// When there is something to send; `nil` before anything is carried.
    func deadline(_ streams: [RTPStream], _ plan: RTPTrackPlan) -> WallTime? {
        guard streams.contains(where: \.isCarried) else { return nil }
        let missesPackets = streams.contains { stream in
            stream.deadline != nil && plan.description(of: stream.medium)?.hasNACK == true
        }
        let report = nextReport ?? WallTime(microsecondsSinceEpoch: 0)
        guard missesPackets else { return report }
        return min(report, nextPacketRequest ?? report)
    }

    mutating func take(
        _ streams: inout [RTPStream],
        _ plan: RTPTrackPlan,
        now: WallTime
    ) -> ByteBuffer? {
        let carried = streams.indices.filter { streams[$0].isCarried }
        guard !carried.isEmpty else { return nil }
        // Beyond any interval: this machine's clock was set back.
        let isFirst = nextReport.map { now.advanced(by: .seconds(10)) < $0 } ?? true
        if isFirst { schedule(after: now, Self.interval / 2) }
        let requests = requests(streams, carried, plan, now: now)
        let isDue = nextReport.map { $0 <= now } ?? false
        guard isDue || !requests.isEmpty else { return nil }
        if isDue { schedule(after: now, Self.interval) }
        hasReported = true
        let blocks = carried.prefix(Self.blockLimit).map { index in
            streams[index].makeReportBlock(now: now)
        }
        return composer.report(on: blocks, feedback: requests)
    }

    /// What is missing of the streams whose senders take such requests.
    private mutating func requests(
        _ streams: [RTPStream],
        _ carried: [Int],
        _ plan: RTPTrackPlan,
        now: WallTime
    ) -> [RTCPFeedback] {
        var requests: [RTCPFeedback] = []
        let mayAskForPackets = nextPacketRequest.map { $0 <= now } ?? true
        let mayAskForKeyframes = nextKeyframeRequest.map { $0 <= now } ?? true
        for index in carried {
            guard let medium = plan.description(of: streams[index].medium) else { continue }
            let ssrc = streams[index].ssrc
            let missing = medium.hasNACK && mayAskForPackets ? streams[index].missing : []
            if !missing.isEmpty {
                requests.append(.negativeAcknowledgement(media: ssrc, lost: missing))
                packetsRequested &+= UInt64(missing.count)
                nextPacketRequest = now.advanced(by: .microseconds(Self.packetInterval))
            }
            guard mayAskForKeyframes, streams[index].needsKeyframe else { continue }
            if medium.hasPLI {
                requests.append(.pictureLoss(media: ssrc))
            } else if medium.hasFIR {
                let sequence = commandSequence
                commandSequence &+= 1
                requests.append(
                    .fullIntraRequest(media: ssrc, commandSequence: sequence)
                )
            } else {
                continue
            }
            keyframesRequested &+= 1
            nextKeyframeRequest = now.advanced(by: .microseconds(Self.keyframeInterval))
        }
        return requests
    }

    private mutating func schedule(after now: WallTime, _ interval: Int64) {
        let share = 0.5 + Double(nextRandom()) / Double(UInt32.max)
        let wait = Double(interval) * share / Self.compensation
        nextReport = now.advanced(by: .microseconds(wait.rounded()))
    }

    mutating func goodbye() -> ByteBuffer? {
        hasReported ? composer.goodbye() : nil
    }

    /// A linear congruential generator, of which the upper bits are used: enough to spread timers.
    private mutating func nextRandom() -> UInt64 {
        random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return random >> 32
    }
}

import Ingestion
import Media
import TestSupport

/// A transport stream, and the legs that it comes on, in simulated time.
///
/// The feed has what makes packets look alike: tables that come again and again, sound that never
/// changes, filler, runs of null packets, packets that are sent twice.
struct RedundantFeed {
    static let packetSize = 188
    /// 1,000 packets a second.
    static let microsecondsPerPacket = 1_000

    /// How the feed comes on one leg; times are microseconds from its beginning.
    struct Leg {
        var delay = 0
        /// Nobody is connected.
        var cuts: [Range<Int>] = []
        /// Messages that are lost on the way, by the index of their first packet.
        var lostMessages: Set<Int> = []
        /// The transport tells of losses.
        var hasHints = true
        /// How many packets go before the first message.
        var phase = 0
        var messagePackets = 7
        /// In place of the feed.
        var content: [UInt8]?
    }

    let bytes: [UInt8]

    var packetCount: Int { bytes.count / Self.packetSize }

    init(bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// A feed that is the same for the same seed.
    init(packets: Int, seed: UInt64, hasLookalikes: Bool = true) {
        var random = SeededRandom(seed: seed)
        let streams: [TransportStreamWriter.Stream] = [.h264(), .aac()]
        var writer = TransportStreamWriter(streams: streams)
        var bytes: [UInt8] = []
        var pictures: Int64 = 0
        while bytes.count < packets * Self.packetSize {
            if pictures % 4 == 0 { bytes += writer.tables() }
            let pts = Int64(seed) * 1_000_000 + pictures * 3_600
            var picture = random.bytes(Int.random(in: 200...6_000, using: &random))
            if hasLookalikes, pictures % 7 == 3 {
                picture += [UInt8](repeating: 0xFF, count: 184 * 40)
            }
            bytes += writer.pes(picture, on: streams[0], pts: pts, hasClock: true)
            let silence = [UInt8](repeating: 0x21, count: 700)
            bytes += writer.pes(silence, on: streams[1], pts: pts)
            if hasLookalikes {
                if pictures % 5 == 1 {
                    for _ in 0..<Int.random(in: 1...30, using: &random) {
                        bytes += writer.nullPacket()
                    }
                }
                if pictures % 6 == 2 { bytes += Array(bytes[(bytes.count - Self.packetSize)...]) }
            }
            pictures += 1
        }
        self.bytes = Array(bytes.prefix(packets * Self.packetSize))
    }

    func packet(_ index: Int) -> ArraySlice<UInt8> {
        bytes[(index * Self.packetSize)..<((index + 1) * Self.packetSize)]
    }

    private func pid(_ index: Int) -> Int {
        let packet = packet(index)
        return Int(packet[packet.startIndex + 1] & 0x1F) << 8 | Int(packet[packet.startIndex + 2])
    }

    /// Packets that a leg has lost, with those of several messages in a row put together.
    func losses(of leg: Leg) -> [Range<Int>] {
        leg.lostMessages.sorted().reduce(into: []) { losses, first in
            let start = losses.last?.upperBound == first ? losses.removeLast().lowerBound : first
            losses.append(start..<min(first + leg.messagePackets, packetCount))
        }
    }

    /// Whether the continuity counter of the first packet behind a loss tells of it.
    func isTold(_ loss: Range<Int>) -> Bool {
        guard loss.upperBound < packetCount else { return false }
        return loss.count { pid($0) == pid(loss.upperBound) } % 16 != 0
    }

    func bytes(without packets: Range<Int>) -> [UInt8] {
        var bytes = bytes
        let size = Self.packetSize
        bytes.removeSubrange(packets.lowerBound * size..<packets.upperBound * size)
        return bytes
    }

    var bytesWithoutNullPackets: [UInt8] {
        var bytes: [UInt8] = []
        for index in 0..<packetCount where pid(index) != 0x1FFF { bytes += packet(index) }
        return bytes
    }

    /// What happens on the legs.
    private struct Event {
        var time: Int
        var leg: Int
        var what: What

        enum What {
            case joins
            case leaves
            case message(Range<Int>, isAfterLoss: Bool)
        }
    }

    /// What came out of a merge.
    struct Result {
        var bytes: [UInt8] = []
        var restarts = 0
        /// Of the merge at its end.
        var statistics = TransportStreamMergeStatistics()
        var greatestHeldBytes = 0
        /// From when a packet could have gone out by the first leg that has it, in microseconds.
        var packetTimes: [Int] = []

        /// Where the output is not what it should be; `nil` when it is.
        func difference(from expected: [UInt8]) -> String? {
            guard bytes != expected else { return nil }
            let same = zip(bytes, expected).prefix { $0 == $1 }.count
            let packet = same / RedundantFeed.packetSize
            let count = bytes.count / RedundantFeed.packetSize
            return "from packet \(packet) on; \(count) came of \(expected.count / 188)"
        }
    }

    /// Sends the feed over the legs, as receivers that look every `drain` microseconds see it.
    func send(
        over legs: [Leg],
        configuration: TransportStreamMerge.Configuration = .init(),
        drain: Int = 15_000
    ) -> Result {
        var merge = TransportStreamMerge(legs: legs.count, configuration: configuration)
        var result = Result()
        var time = 0
        let emit: (TransportStreamMerge.Output) -> Void = { output in
            switch output {
            case .packets(let packets):
                result.bytes += packets
                let count = packets.count / Self.packetSize
                result.packetTimes += [Int](repeating: time, count: count)
            case .restarted:
                result.restarts += 1
            }
        }
        for event in events(of: legs, drain: drain) {
            time = event.time
            let arrival = WallTime(microsecondsSinceEpoch: Int64(time))
            switch event.what {
            case .joins:
                merge.join(event.leg)
            case .leaves:
                merge.leave(event.leg, arrival: arrival, emit: emit)
            case .message(let range, let isAfterLoss):
                (legs[event.leg].content ?? bytes)[range].withUnsafeBytes {
                    merge.receive(
                        $0,
                        from: event.leg,
                        arrival: arrival,
                        isAfterLoss: isAfterLoss,
                        emit: emit
                    )
                }
            }
            let held = merge.statistics.legs.map(\.heldBytes).reduce(0, +)
            result.greatestHeldBytes = max(result.greatestHeldBytes, held)
        }
        merge.finish(emit: emit)
        result.statistics = merge.statistics
        return result
    }

    private func events(of legs: [Leg], drain: Int) -> [Event] {
        var events: [Event] = []
        for (index, leg) in legs.enumerated() {
            if leg.cuts.first?.lowerBound != 0 {
                events.append(Event(time: 0, leg: index, what: .joins))
            }
            for cut in leg.cuts {
                if cut.lowerBound > 0 {
                    events.append(Event(time: cut.lowerBound, leg: index, what: .leaves))
                }
                if cut.upperBound < .max {
                    events.append(Event(time: cut.upperBound, leg: index, what: .joins))
                }
            }
            events += messages(of: leg, index, drain: drain)
        }
        return events.enumerated()
            .sorted { ($0.element.time, $0.offset) < ($1.element.time, $1.offset) }
            .map(\.element)
    }

    private func messages(of leg: Leg, _ index: Int, drain: Int) -> [Event] {
        var events: [Event] = []
        var isAfterLoss = false
        let count = (leg.content ?? bytes).count / Self.packetSize
        var first = 0
        while first < count {
            let size = first == 0 && leg.phase > 0 ? leg.phase : leg.messagePackets
            let end = min(first + size, count)
            defer { first = end }
            let sent = end * Self.microsecondsPerPacket
            let due = (sent + leg.delay + drain - 1) / drain * drain
            // What is sent while nobody is connected, or is on its way when the line is cut.
            if leg.cuts.contains(where: { $0.lowerBound <= due && sent <= $0.upperBound }) {
                isAfterLoss = false
                continue
            }
            if leg.lostMessages.contains(first) {
                isAfterLoss = true
                continue
            }
            let range = first * Self.packetSize..<end * Self.packetSize
            let what = Event.What.message(range, isAfterLoss: isAfterLoss && leg.hasHints)
            events.append(Event(time: due, leg: index, what: what))
            isAfterLoss = false
        }
        return events
    }
}

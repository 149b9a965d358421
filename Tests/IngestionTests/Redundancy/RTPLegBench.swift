import Ingestion
import Media
import NIOCore
import TestSupport

/// A sender whose packets come on two ways, in simulated time, and what is made of them.
struct RTPLegBench {
    /// A packet, when it is sent, and what of.
    struct Sent {
        let datagram: ByteBuffer
        let milliseconds: Int
        var medium: Int? = nil
    }

    /// How much later each leg brings a packet.
    var delays = [0, 0]
    private(set) var merge: RTPLegMerge
    private(set) var events: [MediaEvent] = []

    init(
        media: [MediaDescription] = [RTPRecorder.video],
        joined: [Int] = [0, 1],
        maximumSkew: Duration = .milliseconds(500)
    ) {
        merge = RTPLegMerge(
            legs: 2,
            of: Self.description(of: media),
            maximumSkew: maximumSkew
        )
        for leg in joined { merge.join(leg) }
    }

    static func description(of media: [MediaDescription]) -> RTPLegMerge.Description {
        RTPLegMerge.Description(
            configuration: RTPSession.Configuration(ssrc: 0xFEED, cname: "mirror"),
            media: media
        )
    }

    /// Pictures that are each like no other, 30 a second, a keyframe every second.
    static func pictures(
        _ count: Int,
        of source: inout RTPTestSource,
        from start: Int = 0,
        bytes: Int = 400,
        medium: Int? = nil
    ) -> [Sent] {
        (0..<count).flatMap { index in
            let size = bytes + (start + index) % 1_500
            let packets =
                index % 30 == 0
                ? source.picture(SampleStreams.h264Keyframe(byteCount: 1_000 + size))
                : source.picture(SampleStreams.h264Picture(byteCount: size))
            return packets.map {
                Sent(datagram: $0, milliseconds: (start + index) * 100 / 3, medium: medium)
            }
        }
    }

    /// Brings what is sent on the legs that have it, each as late as it is.
    mutating func play(
        _ sent: [Sent],
        having: (_ leg: Int, _ index: Int) -> Bool = { _, _ in true }
    ) {
        play([sent, sent], having: having)
    }

    /// Brings what is sent on each leg.
    mutating func play(
        _ legs: [[Sent]],
        having: (_ leg: Int, _ index: Int) -> Bool = { _, _ in true }
    ) {
        var arrivals: [(time: Int, leg: Int, sent: Sent)] = []
        for (leg, sent) in legs.enumerated() {
            for (index, packet) in sent.enumerated() where having(leg, index) {
                arrivals.append((packet.milliseconds + delays[leg], leg, packet))
            }
        }
        // Stable, so that each leg stays in order.
        let order = arrivals.indices.sorted {
            (arrivals[$0].time, $0) < (arrivals[$1].time, $1)
        }
        var time = arrivals.map(\.time).min() ?? 0
        for index in order {
            let arrival = arrivals[index]
            while time < arrival.time {
                time += 1
                advance(to: time)
            }
            receive(arrival.sent, from: arrival.leg, at: arrival.time)
        }
    }

    mutating func receive(_ sent: Sent, from leg: Int, at milliseconds: Int) {
        guard let packet = try? RTPPacket(sent.datagram.readableBytesUInt8Span) else { return }
        merge.receive(
            packet,
            datagram: sent.datagram,
            of: sent.medium,
            from: leg,
            arrival: RTPRecorder.wall(milliseconds)
        ) { events.append($0) }
    }

    mutating func receive(_ report: RTCPPacket, from leg: Int, at milliseconds: Int) {
        merge.receive(report, from: leg, arrival: RTPRecorder.wall(milliseconds)) {
            events.append($0)
        }
    }

    mutating func advance(to milliseconds: Int) {
        merge.advance(to: RTPRecorder.wall(milliseconds)) { events.append($0) }
    }

    mutating func finish(at milliseconds: Int) {
        merge.finish(arrival: RTPRecorder.wall(milliseconds)) { events.append($0) }
    }

    mutating func leave(_ leg: Int) { merge.leave(leg) }

    mutating func feedback(for leg: Int, at milliseconds: Int) -> [RTCPPacket] {
        let feedback = merge.takeFeedback(for: leg, now: RTPRecorder.wall(milliseconds))
        return feedback.map { RTCPPacket.parse($0.readableBytesUInt8Span) } ?? []
    }

    var units: [ReceivedUnits.Unit] { events.compactMap(\.unit).map(ReceivedUnits.Unit.init) }
    var discontinuities: Int { events.compactMap(\.discontinuity).count }
    var legs: [LegStatistics] { merge.statistics }

    var streams: [RTPStatistics.State] {
        merge.sessionStatistics(at: RTPRecorder.wall(0)).streams.map(\.state)
    }

    /// Packets that no leg brought in time.
    func lost(at milliseconds: Int) -> UInt64 {
        merge.sessionStatistics(at: RTPRecorder.wall(milliseconds)).streams
            .reduce(0) { $0 + $1.reordering.lost }
    }

    /// What comes of packets that nothing happens to.
    static func whole(
        _ sent: [Sent],
        media: [MediaDescription] = [RTPRecorder.video]
    ) -> [ReceivedUnits.Unit] {
        var recorder = RTPRecorder(media: media)
        for packet in sent {
            recorder.feed(packet.datagram, of: packet.medium, at: packet.milliseconds)
        }
        recorder.finish(at: (sent.last?.milliseconds ?? 0) + 1)
        return recorder.units.map(ReceivedUnits.Unit.init)
    }
}

import Foundation
import Ingestion
import Media
import NIOCore
import TestSupport
import Testing

/// Two legs as SMPTE ST 2022-7 has them: the same RTP packets to two ports.
@Suite(.timeLimit(.minutes(5)))
struct MergedRTPLegsTests {
    private static let cutCount = 100
    /// Packets from one cut to the next.
    private static let distance = 40
    /// How many packets later the second leg is.
    private static let lag = 20
    /// Packets that are on their way at once, both legs and their gaps counted.
    private static let window = 80
    private static let headerSize = 12

    /// When which leg is cut; the index is that of the packet.
    private struct Cuts {
        private let cuts: [(leg: Int, packets: Range<Int>)]

        init(seed: UInt64) {
            var random = SeededRandom(seed: seed)
            cuts = (1...cutCount).map { cut in
                let start = cut * distance + Int.random(in: 0..<10, using: &random)
                let count = Int.random(in: 1...(distance / 2), using: &random)
                return (Int.random(in: 0...1, using: &random), start..<(start + count))
            }
        }

        func contain(_ index: Int, of leg: Int) -> Bool {
            cuts.contains { $0.leg == leg && $0.packets.contains(index) }
        }
    }

    private func makePackets(_ payloader: String) async throws -> [[UInt8]] {
        let packets = try await RTPPackets.gstreamer(
            """
            videotestsrc num-buffers=400 pattern=snow
            ! video/x-raw,width=320,height=180,framerate=25/1
            ! x264enc key-int-max=25 tune=zerolatency speed-preset=ultrafast bitrate=4000
            ! \(payloader) mtu=1400
            """
        )
        let count = (Self.cutCount + 2) * Self.distance
        try #require(packets.count >= count)
        return Array(packets.prefix(count))
    }

    /// A listener with a port for either leg of one feed.
    private struct TwoLegs {
        let received = ReceivedUnits()
        let ports = [FreePort.udp, FreePort.udp]
        let feed: MergedFeed
        let admission: RecordingAdmission
        let listener: RTPListener

        init(as description: SessionDescription? = nil) throws {
            let names = try ["main-a", "main-b"].map { try #require(StreamName($0)) }
            // However slow the machine is, one leg is not so much later than the other.
            feed = MergedFeed(
                legs: names,
                configuration: .init(maximumSkew: .seconds(300), silence: .seconds(300)),
                deliver: received.take
            )
            admission = RecordingAdmission(feed: feed)
            var configuration = RTPListener.Configuration()
            configuration.bindAddress = "127.0.0.1"
            configuration.port = 0
            configuration.idleTimeout = .seconds(300)
            configuration.declarations = zip(names, ports).map { name, port in
                var declaration = RTPDeclaration(stream: name)
                declaration.port = port
                declaration.description = description
                return declaration
            }
            listener = RTPListener(
                configuration: configuration,
                admission: admission,
                logger: LogCollector().logger
            )
        }
    }

    @Test func aHundredCutsOfTwoLegsFromGStreamerCostNothing() async throws {
        let packets = try await makePackets("mpegtsmux alignment=7 ! rtpmp2tpay")
        let legs = try TwoLegs()
        let (received, feed) = (legs.received, legs.feed)
        _ = try await legs.listener.start()
        let serving = Task { try await legs.listener.run() }
        defer { serving.cancel() }

        // Not faster than it comes out of the merge.
        try await send(packets, to: legs.ports, legs.admission) { sent in
            let due = Self.transportPackets(packets.prefix(sent))
            let isDue = try await eventually { feed.statistics.packets >= due }
            try #require(isDue, "\(feed.statistics) of \(due)")
        }
        let count = Self.transportPackets(packets[...])
        // A leg that is behind tells of its last gaps after the other has brought all.
        let isWhole = try await eventually {
            feed.statistics.packets >= count && Self.gaps(feed.statistics) >= Self.cutCount
        }
        let statistics = feed.statistics
        serving.cancel()
        try await serving.value

        #expect(isWhole && statistics.packets == count, "\(statistics) of \(count)")
        #expect(statistics.holes == 0 && statistics.restarts == 0)
        let expected = ReceivedUnits(of: packets.flatMap { $0[Self.headerSize...] }).units
        let isSame = received.units == expected
        #expect(isSame, "\(received.units.count) of \(expected.count): \(statistics)")
        #expect(received.breaks.count == 1)
        #expect(Self.gaps(statistics) == Self.cutCount)
        #expect(statistics.legs.allSatisfy { $0.gaps > 0 && $0.missingPackets > 0 })
    }

    /// Sends every packet on both legs, but for the cuts; `pace` waits until so many have come out.
    private func send(
        _ packets: [[UInt8]],
        to ports: [Int],
        _ admission: RecordingAdmission,
        pace: (Int) async throws -> Void
    ) async throws {
        let cuts = Cuts(seed: 2_022)
        let senders = ports.map { UDPSender(to: $0) }
        for step in 0..<(packets.count + Self.lag) {
            for (leg, index) in [step, step - Self.lag].enumerated()
            where packets.indices.contains(index) && !cuts.contain(index, of: leg) {
                senders[leg].send(packets[index])
            }
            if step == Self.lag + 5 { for _ in ports { _ = await admission.nextPublication() } }
            try await pace(max(0, step - Self.window))
        }
    }

    @Test func aHundredCutsOfTwoLegsWithoutATransportStreamCostNothing() async throws {
        let packets = try await makePackets("rtph264pay config-interval=-1")
        // It says at once what is recognised only after a picture.
        let description = try SessionDescription(
            parsing: "v=0\nm=video 5004 RTP/AVP 96\na=rtpmap:96 H264/90000"
        )
        let legs = try TwoLegs(as: description)
        let (received, feed) = (legs.received, legs.feed)
        _ = try await legs.listener.start()
        let serving = Task { try await legs.listener.run() }
        defer { serving.cancel() }

        let used = { feed.legs.map(\.usedPackets).reduce(0, +) }
        try await send(packets, to: legs.ports, legs.admission) { sent in
            let isDue = try await eventually { used() >= UInt64(sent) }
            try #require(isDue, "\(feed.legs) of \(sent)")
        }
        let isWhole = try await eventually {
            used() >= UInt64(packets.count)
                && feed.legs.map(\.gaps).reduce(0, +) >= UInt64(Self.cutCount)
        }
        let counts = feed.legs
        let usedPackets = used()
        serving.cancel()
        try await serving.value

        #expect(isWhole && usedPackets == UInt64(packets.count), "\(counts) of \(packets.count)")
        let expected = try Self.units(of: packets)
        let isSame = received.units == expected
        #expect(isSame, "\(received.units.count) of \(expected.count): \(counts)")
        #expect(received.breaks == ["end: shutdown"])
        #expect(counts.map(\.gaps).reduce(0, +) == UInt64(Self.cutCount))
        #expect(counts.allSatisfy { $0.gaps > 0 && $0.missingPackets > 0 })
        #expect(counts[1].greatestSkew > .zero)
    }

    /// What comes of H.264 packets that nothing happens to.
    private static func units(of packets: [[UInt8]]) throws -> [ReceivedUnits.Unit] {
        var medium = MediaDescription(kind: .video, port: 0)
        medium.payloads[96] = RTPTestSource.h264
        var recorder = RTPRecorder(media: [medium])
        for packet in packets { recorder.feed(ByteBuffer(bytes: packet), at: 0) }
        recorder.finish(at: 1)
        return recorder.units.map(ReceivedUnits.Unit.init)
    }

    private static func gaps(_ statistics: TransportStreamMergeStatistics) -> Int {
        Int(statistics.legs.map(\.gaps).reduce(0, +))
    }

    /// How many packets of the transport stream are in packets of RTP.
    private static func transportPackets(_ packets: ArraySlice<[UInt8]>) -> UInt64 {
        UInt64(packets.reduce(0) { $0 + ($1.count - headerSize) / 188 })
    }
}

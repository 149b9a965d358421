import Ingestion
import Media
import MirrorServer
import NIOCore
import Packaging
import TestSupport
import Testing

@Suite struct HitlessInputsTests {
    private typealias Bench = StreamRegistryTests.Bench

    /// A registry in which `main-a` and `main-b` are the legs of `main`.
    private func bench() throws -> Bench {
        var rule = StreamRule()
        rule.match = StreamPattern("main")
        var inputs = StreamInputs()
        inputs.mode = .hitless
        inputs.names = try ["main-a", "main-b"].map { try #require(StreamName($0)) }
        rule.inputs = inputs
        return Bench { $0.streams = [rule] }
    }

    private func entry(_ bench: Bench) throws -> StreamRegistry.Entry {
        let name = try #require(StreamName("main"))
        return try #require(try bench.registry[name])
    }

    private func states(
        _ bench: Bench
    ) throws -> [LegStatistics.State] {
        try #require(try entry(bench).feed).legs.map(\.state)
    }

    /// A picture of its own number, and the tables.
    private func packets(_ count: Int, seed: UInt64 = 1) -> [UInt8] {
        var writer = TransportStreamWriter(streams: [.h264()])
        var random = SeededRandom(seed: seed)
        return (0..<count).flatMap { picture in
            let payload = random.bytes(1_000)
            return writer.tables() + writer.pes(payload, on: .h264(), pts: Int64(picture) * 3_600)
        }
    }

    private func send(
        _ bytes: [UInt8],
        _ publication: Publication,
        at seconds: Int64,
        isAfterLoss: Bool = false
    ) {
        let arrival = WallTime(microsecondsSinceEpoch: 1_000_000_000 + seconds * 1_000_000)
        publication.noteReceived(bytes: bytes.count, at: arrival)
        bytes.withUnsafeBytes {
            publication.send($0, arrival: arrival, isAfterLoss: isAfterLoss)
        }
    }

    @Test func publishersOfTheInputsAreLegsOfOneFeed() throws {
        let bench = try bench()
        let first = try bench.publish("main-a")
        let second = try bench.publish("main-b")
        #expect(bench.started == 1)
        #expect(try states(bench) == [.aligning, .aligning])
        let bytes = packets(20)
        send(bytes, first, at: 0)
        #expect(try states(bench) == [.leading, .aligning])
        #expect(try entry(bench).publication === first)
        send(bytes, second, at: 0)
        #expect(try entry(bench).feed?.statistics.packets == UInt64(bytes.count / 188))
        #expect(try entry(bench).feed?.statistics.legs[1].missingPackets == 0)
        #expect(first.leg?.transportStream.continuityErrors == 0)
        #expect(try entry(bench).packaging.advice == [])
    }

    @Test func theStreamIsLiveWhileALegIs() throws {
        let bench = try bench()
        let first = try bench.publish("main-a")
        let second = try bench.publish("main-b")
        first.end(.disconnected)
        #expect(try entry(bench).phase == .live)
        #expect(try states(bench) == [.absent, .aligning])
        // Of a connection that has ended, nothing is taken.
        send(packets(20), first, at: 0)
        #expect(try entry(bench).feed?.statistics.packets == 0)
        send(packets(20), second, at: 0)
        #expect(try states(bench) == [.absent, .leading])
        second.end(.disconnected)
        #expect(try entry(bench).phase == .interrupted)
        _ = try bench.publish("main-b")
        #expect(try entry(bench).phase == .live && bench.started == 1)
    }

    @Test func aPublisherThatReturnsTakesItsLegOver() throws {
        let bench = try bench()
        let first = try bench.publish("main-a")
        _ = try bench.publish("main-b")
        bench.pass(.seconds(2))
        let again = try bench.publish("main-a")
        send(packets(20), first, at: 2)
        #expect(try entry(bench).feed?.statistics.packets == 0)
        send(packets(20), again, at: 2)
        #expect(try states(bench) == [.leading, .aligning])
    }

    @Test func aLegOfAnotherFeedIsAdvisedAgainst() throws {
        let bench = try bench()
        let first = try bench.publish("main-a")
        let second = try bench.publish("main-b")
        for second in Int64(0)..<3 { send(packets(20, seed: 7), first, at: second) }
        #expect(try entry(bench).packaging.advice == [])
        send(packets(20, seed: 8), second, at: 2)
        send(packets(20, seed: 7), first, at: 3)
        let advice = try #require(try entry(bench).packaging.advice.first)
        #expect(advice.code == .legDiffers)
        #expect(advice.text.contains("main-b"))
    }

    /// Pictures of one RTP stream.
    private func pictures(_ count: Int, of media: MediaDescription) -> [(RTPPacket, ByteBuffer)] {
        (0..<count).compactMap { number in
            var datagram = ByteBuffer()
            datagram.writeMultipleIntegers(
                UInt8(0x80),
                UInt8(0x80 | 96),
                UInt16(number),
                UInt32(number * 3_000),
                UInt32(7)
            )
            let picture = Array(SampleStreams.h264Picture(byteCount: 500 + number).dropFirst(4))
            datagram.writeBytes(number == 0 ? [0x09, 0xF0] : picture)
            return (try? RTPPacket(datagram.readableBytesUInt8Span)).map { ($0, datagram) }
        }
    }

    private func send(
        _ packets: [(RTPPacket, ByteBuffer)],
        _ publication: Publication,
        as media: MediaDescription,
        at milliseconds: Int64 = 0
    ) {
        let description = RTPLegMerge.Description(
            configuration: RTPSession.Configuration(ssrc: 1, cname: "mirror"),
            media: [media]
        )
        for (packet, datagram) in packets {
            publication.leg?.receive(
                packet,
                datagram: datagram,
                of: nil,
                as: description,
                arrival: WallTime(microsecondsSinceEpoch: 1_000_000_000 + milliseconds * 1_000)
            )
        }
    }

    private func medium(_ encoding: RTPPayloadFormat.Encoding = .h264) -> MediaDescription {
        var medium = MediaDescription(kind: .video, port: 5_004)
        medium.payloads[96] = RTPPayloadFormat(encoding: encoding, clockRate: 90_000)
        return medium
    }

    @Test func rtpWithoutATransportStreamIsMergedByItsNumbers() throws {
        let bench = try bench()
        let first = try bench.publish("main-a")
        let second = try bench.publish("main-b")
        let packets = pictures(40, of: medium())
        send(packets, first, as: medium())
        #expect(try states(bench) == [.leading, .aligning])
        send(packets, second, as: medium(), at: 30)
        #expect(try states(bench) == [.leading, .following])
        #expect(try entry(bench).feed?.legs.map(\.usedPackets) == [40, 0])
        #expect(second.leg?.statistics.skew == .milliseconds(30))
        let now = WallTime(microsecondsSinceEpoch: 1_000_030_000)
        // Each counts once, but for the first, of which nothing was known yet.
        #expect(second.leg?.sessionStatistics(at: now)?.streams.map(\.reception.received) == [39])
        #expect(try entry(bench).publication === first)
        #expect(try entry(bench).packaging.advice == [])
        first.end(.disconnected)
        #expect(try states(bench) == [.absent, .following])
        #expect(try entry(bench).phase == .live)
        second.end(.disconnected)
        #expect(try entry(bench).phase == .interrupted)
    }

    @Test func whatCannotBeMergedWithTheFirstIsSetAsideUntilThatHasLeft() throws {
        let bench = try bench()
        let first = try bench.publish("main-a")
        let second = try bench.publish("main-b")
        send(packets(20), first, at: 0)
        send(pictures(20, of: medium()), second, as: medium())
        #expect(try states(bench) == [.leading, .stray])
        let advice = try #require(try entry(bench).packaging.advice.first)
        #expect(advice.code == .legCarriesOtherMedia && advice.text.contains("main-b"))
        first.end(.disconnected)
        send(pictures(20, of: medium()), second, as: medium(), at: 10)
        #expect(try states(bench) == [.absent, .leading])
        #expect(try entry(bench).packaging.advice == [])
        // Now a transport stream is what is other, and so is another codec.
        let third = try bench.publish("main-a")
        send(packets(20), third, at: 1)
        #expect(try states(bench) == [.stray, .leading])
        third.end(.disconnected)
        let fourth = try bench.publish("main-a")
        send(pictures(20, of: medium(.av1)), fourth, as: medium(.av1), at: 20)
        #expect(try states(bench) == [.stray, .leading])
    }

    @Test func whatWaitsIsGivenUpThoughNothingComes() throws {
        let bench = try bench()
        let first = try bench.publish("main-a")
        let second = try bench.publish("main-b")
        let bytes = packets(40)
        let half = bytes.count / 2 / 188 * 188
        send(Array(bytes[..<half]), first, at: 0)
        send(Array(bytes[..<(half / 376 * 188)]), second, at: 0)
        send(Array(bytes[half...]), first, at: 0, isAfterLoss: true)
        #expect(try entry(bench).feed?.statistics.packets == UInt64(half / 188))
        bench.pass(.seconds(1))
        try bench.registry.expire()
        #expect(try entry(bench).feed?.statistics.packets == UInt64(bytes.count / 188))
        #expect(try entry(bench).feed?.statistics.holes == 1)
    }
}

import Ingestion
import Media
import NIOCore
import TestSupport
import Testing

@Suite struct JPEGXSFrameSorterTests {
    private struct Received {
        var frames: [[UInt8]] = []
        var timestamps: [UInt32] = []
        var damagedFrames: UInt64 = 0
    }

    /// Feeds packets as they come, with a loss where a place in `payloads` is in `lost`.
    private static func receive(
        _ payloads: [ScatteredJPEGXS.Payload],
        without lost: Set<Int> = []
    ) throws -> Received {
        let format = RTPPayloadFormat(encoding: .jpegXS, clockRate: 90_000)
        var stream = try #require(RTPElementaryStream(format))
        var received = Received()
        let emit: (RTPUnit) -> Void = { unit in
            received.frames.append(Array(unit.payload.readableBytesView))
            received.timestamps.append(unit.timestamp)
        }
        for (index, payload) in payloads.enumerated() {
            guard !lost.contains(index) else {
                stream.lose()
                continue
            }
            let packet = RTPPacket(
                marker: payload.marker,
                payloadType: 96,
                sequenceNumber: UInt16(truncatingIfNeeded: index),
                timestamp: payload.timestamp,
                ssrc: 1,
                payload: 0..<payload.bytes.count
            )
            stream.receive(packet, payload: payload.bytes.span, emit: emit)
        }
        stream.finish(emit: emit)
        received.damagedFrames = stream.statistics.damagedUnits
        return received
    }

    @Test(arguments: 0..<40)
    func scatteredPacketsBecomeTheFramesOfPacketsInOrder(seed: Int) throws {
        var random = SeededRandom(seed: UInt64(seed))
        let sender = ScatteredJPEGXS(
            frames: 60,
            isInterlaced: seed.isMultiple(of: 2),
            using: &random
        )
        let inOrder = try Self.receive(sender.inOrder)
        #expect(inOrder.frames == sender.frames)
        let payloads = sender.scattered(across: 1 + seed % 4, using: &random)
        let scattered = try Self.receive(payloads)
        #expect(scattered.frames == sender.frames)
        #expect(scattered.timestamps == inOrder.timestamps)
        #expect(scattered.damagedFrames == 0)
    }

    @Test(arguments: 0..<40)
    func lossCostsTheFramesItHitsAndNoOther(seed: Int) throws {
        var random = SeededRandom(seed: UInt64(seed) + 500)
        let sender = ScatteredJPEGXS(
            frames: 100,
            isInterlaced: seed.isMultiple(of: 2),
            using: &random
        )
        let payloads = sender.scattered(across: 1, using: &random)
        let lost = Set(payloads.indices.filter { _ in Int.random(in: 0..<60, using: &random) == 0 })
        let hit = Set(lost.map { payloads[$0].frame })
        let received = try Self.receive(payloads, without: lost)
        let safe = sender.frames.indices.filter { !hit.contains($0) }.map { sender.frames[$0] }
        #expect(!hit.isEmpty && !safe.isEmpty)
        #expect(received.frames == safe)
        #expect(received.damagedFrames <= UInt64(hit.count))
    }

    @Test(arguments: 0..<20)
    func framesThatOverlapAndLosePacketsAreWholeOrAbsent(seed: Int) throws {
        var random = SeededRandom(seed: UInt64(seed) + 900)
        let sender = ScatteredJPEGXS(frames: 100, isInterlaced: false, using: &random)
        let payloads = sender.scattered(across: 3, using: &random)
        let lost = Set(payloads.indices.filter { _ in Int.random(in: 0..<60, using: &random) == 0 })
        let received = try Self.receive(payloads, without: lost)
        var rest = sender.frames[...]
        for frame in received.frames {
            let index = try #require(rest.firstIndex(of: frame), "a frame that was not sent")
            rest = rest[(index + 1)...]
        }
        #expect(received.frames.count > 30)
    }

    @Test func aFrameIsOutWithItsLastPacket() throws {
        var random = SeededRandom(seed: 4)
        let sender = ScatteredJPEGXS(frames: 1, isInterlaced: true, using: &random)
        var payloads = sender.scattered(across: 1, using: &random)
        let last = payloads.removeLast()
        let format = RTPPayloadFormat(encoding: .jpegXS, clockRate: 90_000)
        var stream = try #require(RTPElementaryStream(format))
        var frames = 0
        for payload in payloads + [last] {
            #expect(frames == 0)
            let packet = RTPPacket(
                marker: payload.marker,
                payloadType: 96,
                sequenceNumber: 0,
                timestamp: payload.timestamp,
                ssrc: 1,
                payload: 0..<payload.bytes.count
            )
            stream.receive(packet, payload: payload.bytes.span) { _ in frames += 1 }
        }
        #expect(frames == 1)
    }

    @Test func aClockThatJumpsIsFollowed() throws {
        var random = SeededRandom(seed: 6)
        let sender = ScatteredJPEGXS(frames: 40, isInterlaced: false, using: &random)
        var payloads = sender.scattered(across: 1, using: &random)
        for index in payloads.indices where payloads[index].frame >= 20 {
            payloads[index].timestamp &-= 10_000_000
        }
        #expect(try Self.receive(payloads).frames == sender.frames)
    }

    @Test func withoutMarkersFramesAreWholeToo() throws {
        var random = SeededRandom(seed: 7)
        let sender = ScatteredJPEGXS(frames: 40, isInterlaced: true, using: &random)
        var payloads = sender.scattered(across: 1, using: &random)
        for index in payloads.indices { payloads[index].marker = false }
        #expect(try Self.receive(payloads).frames == sender.frames)
    }

    @Test func aSenderThatScattersIsRecognised() throws {
        var random = SeededRandom(seed: 8)
        let sender = ScatteredJPEGXS(frames: 20, isInterlaced: false, using: &random)
        var detector = RTPPayloadDetector()
        var found: RTPPayloadFormat?
        for (index, payload) in sender.scattered(across: 1, using: &random).enumerated() {
            let packet = RTPPacket(
                marker: payload.marker,
                payloadType: 96,
                sequenceNumber: UInt16(index),
                timestamp: payload.timestamp,
                ssrc: 1,
                payload: 0..<payload.bytes.count
            )
            if case .found(let format) = detector.receive(packet, payload: payload.bytes.span) {
                found = found ?? format
            }
        }
        #expect(found?.encoding == .jpegXS)
    }

    /// The first byte of a fragmentation unit reads like that of the slice mode.
    @Test(arguments: [
        ([0x7C, 0x05], RTPPayloadDetector.Hint.noParameterSets(.h264)),
        ([0x62, 0x01, 0x01], .noParameterSets(.hevc)),
    ])
    func fragmentsOfOtherFormatsAreNotTakenForScatteredPackets(
        head: [UInt8],
        hint: RTPPayloadDetector.Hint
    ) {
        var random = SeededRandom(seed: 9)
        var detector = RTPPayloadDetector()
        var verdict = RTPPayloadDetector.Verdict.undecided(.morePackets)
        for index in 0..<100 {
            // The first of a unit, 20 others, the last.
            var payload = head + random.bytes(400)
            if index % 22 == 0 { payload[head.count - 1] |= 0x80 }
            if index % 22 == 21 { payload[head.count - 1] |= 0x40 }
            let packet = RTPPacket(
                marker: index % 22 == 21,
                payloadType: 96,
                sequenceNumber: UInt16(index),
                timestamp: UInt32(index / 22) * 3_000,
                ssrc: 1,
                payload: 0..<payload.count
            )
            verdict = detector.receive(packet, payload: payload.span)
        }
        #expect(verdict == .undecided(hint))
    }

    @Test func anyBytesDoNoHarmAndAreBounded() throws {
        for seed in 0..<200 {
            var random = SeededRandom(seed: UInt64(seed))
            let sender = ScatteredJPEGXS(frames: 30, isInterlaced: false, using: &random)
            var payloads = sender.scattered(across: 2, using: &random)
            for index in payloads.indices where Int.random(in: 0..<4, using: &random) == 0 {
                payloads[index].bytes[Int.random(in: 0..<4, using: &random)] =
                    UInt8(truncatingIfNeeded: random.next())
                payloads[index].timestamp &+= UInt32(Int.random(in: 0...4, using: &random)) * 80_000
            }
            let received = try Self.receive(payloads)
            #expect(
                received.frames.reduce(0) { $0 + $1.count }
                    <= payloads.reduce(0) { $0 + $1.bytes.count }
            )
        }
    }
}

import Ingestion
import Media
import NIOCore
import TestSupport
import Testing

@Suite struct RTPDeinterleaverTests {
    /// Pictures of one to four units, the first a keyframe, some of them large; numbers that wrap.
    private static func units(
        _ pictures: Int,
        using random: inout SeededRandom,
        step: (Int) -> UInt16 = { _ in 1 }
    ) -> [InterleavedH264.Unit] {
        var units: [InterleavedH264.Unit] = []
        var number: UInt16 = 65_400
        var timestamp: UInt32 = .max - 90_000
        for picture in 0..<pictures {
            let size = Int.random(in: 60...(picture % 7 == 0 ? 3_000 : 500), using: &random)
            let isKey = picture % 10 == 0
            var parts = RTPTestSource.units(
                isKey
                    ? SampleStreams.h264Keyframe(byteCount: 80)
                    : SampleStreams.h264Picture(byteCount: 60)
            )
            parts[parts.count - 1] += random.bytes(size)
            for (index, part) in parts.enumerated() {
                units.append(
                    InterleavedH264.Unit(
                        number: number,
                        timestamp: timestamp,
                        bytes: part,
                        endsPicture: index == parts.count - 1
                    )
                )
                number &+= step(units.count)
            }
            timestamp &+= 3_000
        }
        return units
    }

    private static func format(_ interleaving: RTPInterleaving?) -> RTPPayloadFormat {
        RTPPayloadFormat(encoding: .h264, clockRate: 90_000, interleaving: interleaving)
    }

    /// What a sender that does not interleave makes of the units.
    private static func inOrder(_ units: [InterleavedH264.Unit]) throws -> [RTPUnit] {
        let payloads = units.indices.map { index in
            InterleavedH264.Payload(
                bytes: units[index].bytes,
                timestamp: units[index].timestamp,
                marker: units[index].endsPicture,
                units: [index]
            )
        }
        return try receive(payloads, nil)
    }

    /// Feeds packets in order, without a network.
    private static func receive(
        _ payloads: [InterleavedH264.Payload],
        _ interleaving: RTPInterleaving?
    ) throws -> [RTPUnit] {
        var stream = try #require(RTPElementaryStream(format(interleaving)))
        var units: [RTPUnit] = []
        for (index, payload) in payloads.enumerated() {
            stream.receive(
                packet(payload, UInt16(truncatingIfNeeded: index)),
                payload: payload.bytes.span
            ) {
                units.append($0)
            }
        }
        stream.finish { units.append($0) }
        return units
    }

    private static func packet(_ payload: InterleavedH264.Payload, _ sequence: UInt16) -> RTPPacket
    {
        RTPPacket(
            marker: payload.marker,
            payloadType: 96,
            sequenceNumber: sequence,
            timestamp: payload.timestamp,
            ssrc: 1,
            payload: 0..<payload.bytes.count
        )
    }

    @Test(arguments: 0..<60)
    func interleavedUnitsBecomeThePicturesOfUnitsInOrder(seed: Int) throws {
        var random = SeededRandom(seed: UInt64(seed))
        let units = Self.units(120, using: &random)
        let block = Int.random(in: 1...50, using: &random)
        let sender = InterleavedH264(units, block: block, using: &random)
        let payloads = sender.payloads(using: &random)
        let expected = try Self.inOrder(units)
        #expect(expected.count == 120)
        let ways = [
            RTPInterleaving(depth: sender.depth, countsSlices: true),
            RTPInterleaving(
                depth: nil,
                countsSlices: true,
                largestDifference: sender.largestDifference
            ),
            RTPInterleaving(
                depth: 1_024,
                countsSlices: true,
                largestDifference: sender.largestDifference
            ),
        ]
        for way in ways {
            let got = try Self.receive(payloads, way)
            // The last may lie before others in its packet, whose marker then does not speak of it.
            #expect(got.count >= 119)
            #expect(got.prefix(119).map(\.payload) == expected.prefix(119).map(\.payload), "\(way)")
            #expect(got.prefix(119).map(\.timestamp) == expected.prefix(119).map(\.timestamp))
        }
    }

    @Test func aShallowerDepthLosesTheOrder() throws {
        var random = SeededRandom(seed: 3)
        let units = Self.units(120, using: &random)
        let sender = InterleavedH264(units, block: 30, using: &random)
        let payloads = sender.payloads(using: &random)
        let way = RTPInterleaving(depth: sender.depth / 2, countsSlices: true)
        #expect(try Self.receive(payloads, way).count < 119)
    }

    @Test(arguments: 0..<40)
    func lossAndReorderingCostThePicturesTheyHitAndNoOther(seed: Int) throws {
        var random = SeededRandom(seed: UInt64(seed) + 1_000)
        let units = Self.units(200, using: &random)
        let block = Int.random(in: 2...40, using: &random)
        let sender = InterleavedH264(units, block: block, using: &random)
        var medium = MediaDescription(kind: .video, port: 5_004)
        medium.payloads[96] = Self.format(RTPInterleaving(depth: sender.depth, countsSlices: true))
        var recorder = RTPRecorder(media: [medium]) {
            $0.reordering.minimumLatency = .milliseconds(50)
        }
        var source = RTPTestSource(ssrc: 1, payloadType: 96, sequence: 65_300)
        let payloads = sender.payloads(using: &random)
        let datagrams = payloads.map { payload in
            source.timestamp = payload.timestamp
            return source.packet(payload.bytes, marker: payload.marker)
        }
        // Not at once, for pictures after a keyframe that is lost cannot be decoded.
        let lost = Set(
            (60..<payloads.count - 4).filter { _ in Int.random(in: 0..<25, using: &random) == 0 }
        )
        var arrivals = datagrams.indices.map { index in
            (index, at: index * 4 + (index < 8 ? 0 : Int.random(in: 0...24, using: &random)))
        }
        arrivals.sort { ($0.at, $0.0) < ($1.at, $1.0) }
        for (index, time) in arrivals where !lost.contains(index) {
            recorder.advance(to: time)
            recorder.feed(datagrams[index], at: time)
        }
        recorder.finish(at: payloads.count * 4 + 1_000)

        let whole = try Self.inOrder(units).map(\.payload)
        let missing = Set(lost.flatMap { payloads[$0].units })
        var isHit: [UInt32: Bool] = [:]
        for (index, unit) in units.enumerated() {
            // A picture whose marker is not seen ends where the next begins.
            isHit[unit.timestamp, default: false] =
                isHit[unit.timestamp, default: false] || missing.contains(index)
                || unit.endsPicture && missing.contains(index + 1)
        }
        let times = units.filter(\.endsPicture).map(\.timestamp)
        // The last may lie before others in its packet, whose marker then does not speak of it.
        let safe = zip(times, whole).dropLast().filter { isHit[$0.0] == false }.map(\.1)
        let got = recorder.pictures.map(\.payload)
        #expect(!lost.isEmpty && safe.count < 200 && safe.count > 60)
        // What comes is what was sent, in its order; what was not hit comes.
        var rest = whole[...]
        for picture in got {
            let index = try #require(rest.firstIndex(of: picture), "a picture that was not sent")
            rest = rest[(index + 1)...]
        }
        #expect(safe.allSatisfy { got.contains($0) })
        #expect(recorder.events.brokenPromise == nil)
    }

    /// Packets written by hand after the figures of RFC 6184, 5.7 and 5.8.
    @Test func eachTypeOfPacketTellsItsNumbersAndTimes() throws {
        let keyframe = RTPTestSource.units(SampleStreams.h264Keyframe(byteCount: 200))
        let slice = RTPTestSource.units(SampleStreams.h264Picture(byteCount: 40))[1]
        func sized(_ unit: [UInt8]) -> [UInt8] { [0, UInt8(unit.count)] + unit }
        let last = keyframe[3]
        let half = last.count / 2
        let payloads: [(UInt32, [UInt8])] = [
            // FU-B and FU-A: number 65,535, the last slice of the keyframe.
            (9_000, [0x60 | 29, 0x80 | 5, 0xFF, 0xFF] + last[1..<half]),
            (9_000, [0x60 | 28, 0x40 | 5] + last[half...]),
            // MTAP24: numbers from 0, offsets of one picture and of more than 16 bits.
            (
                9_000,
                [0x60 | 27, 0x00, 0x00]
                    + [0, UInt8(slice.count), 2, 0x01, 0x11, 0x70] + slice
                    + [0, UInt8(slice.count), 0, 0x00, 0x0B, 0xB8] + slice
            ),
            // MTAP16: number 1, an offset of two pictures.
            (9_000, [0x60 | 26, 0x00, 0x01, 0, UInt8(slice.count), 0, 0x17, 0x70] + slice),
            // STAP-B: numbers 65,532 to 65,534.
            (
                9_000,
                [0x60 | 25, 0xFF, 0xFC] + sized(keyframe[0]) + sized(keyframe[1])
                    + sized(keyframe[2])
            ),
        ]
        let got = try Self.receive(
            payloads.map { .init(bytes: $0.1, timestamp: $0.0, marker: false, units: []) },
            RTPInterleaving(depth: 4, countsSlices: true)
        )
        #expect(got.map(\.timestamp) == [9_000, 12_000, 15_000, 79_000])
        #expect(got.map { $0.randomAccess == .none } == [false, true, true, true])
    }

    @Test func withoutADescriptionAnInterleavedSenderIsToldToSendOne() throws {
        var random = SeededRandom(seed: 2)
        let sender = InterleavedH264(Self.units(40, using: &random), block: 6, using: &random)
        var detector = RTPPayloadDetector()
        var verdict: RTPPayloadDetector.Verdict?
        for (index, payload) in sender.payloads(using: &random).enumerated() {
            let packet = Self.packet(payload, UInt16(index))
            verdict = detector.receive(packet, payload: payload.bytes.span)
            if case .found = verdict { Issue.record("found after \(index) packets") }
        }
        #expect(verdict == .undecided(.interleaved))
    }

    @Test func numbersThatASenderLeavesOutCostNothing() throws {
        var random = SeededRandom(seed: 9)
        let units = Self.units(500, using: &random) { $0 % 3 == 0 ? 5 : 1 }
        let sender = InterleavedH264(units, block: 1, using: &random)
        let way = RTPInterleaving(depth: 2, countsSlices: true)
        let got = try Self.receive(sender.payloads(using: &random), way)
        // Until as much has come as may lack what was sent before, the doubt stands.
        #expect(
            got.suffix(300).map(\.payload) == (try Self.inOrder(units)).suffix(300).map(\.payload)
        )
    }

    @Test func aSenderThatCountsAnewIsFollowed() throws {
        var random = SeededRandom(seed: 12)
        var units = Self.units(300, using: &random)
        for index in 400..<units.count { units[index].number &-= 20_000 }
        let sender = InterleavedH264(units, block: 1, using: &random)
        let way = RTPInterleaving(depth: 3, countsSlices: true)
        let got = try Self.receive(sender.payloads(using: &random), way)
        let expected = try Self.inOrder(units)
        #expect(got.suffix(80).map(\.payload) == expected.suffix(80).map(\.payload))
        #expect(got.count >= 290)
    }

    @Test func whatWaitsIsBounded() throws {
        var random = SeededRandom(seed: 5)
        var stream = try #require(
            RTPElementaryStream(Self.format(RTPInterleaving(depth: 1_024, countsSlices: true)))
        )
        var pictures = 0
        var sent = 0
        var units = Self.units(1, using: &random)
        units[units.count - 1].bytes += random.bytes(60_000)
        // One stays open for ever; then as many as come, each of another time.
        for round in 0..<600 {
            for index in units.indices {
                units[index].number = UInt16(round * units.count + index)
                units[index].timestamp = UInt32(round) * 3_000
            }
            let sender = InterleavedH264(units, block: 1, using: &random)
            for payload in sender.payloads(using: &random) {
                sent += payload.bytes.count
                stream.receive(Self.packet(payload, 0), payload: payload.bytes.span) { _ in
                    pictures += 1
                }
            }
            if pictures == 0 { #expect(sent < 17 << 20) }
        }
        #expect(pictures > 250 && pictures < 600)
    }

    @Test func anyNumbersAndAnyBytesDoNoHarm() throws {
        for seed in 0..<200 {
            var random = SeededRandom(seed: UInt64(seed))
            let way = RTPInterleaving(
                depth: Bool.random(using: &random)
                    ? Int.random(in: 0...1_024, using: &random) : nil,
                countsSlices: Bool.random(using: &random),
                largestDifference: Bool.random(using: &random)
                    ? Int.random(in: 0...70_000, using: &random) : nil
            )
            var units = Self.units(60, using: &random)
            for index in units.indices where Bool.random(using: &random) {
                units[index].number = UInt16(truncatingIfNeeded: random.next())
            }
            let sender = InterleavedH264(units, block: 20, using: &random)
            var payloads = sender.payloads(using: &random)
            for index in payloads.indices where Int.random(in: 0..<5, using: &random) == 0 {
                let place = Int.random(in: payloads[index].bytes.indices, using: &random)
                payloads[index].bytes[place] = UInt8(truncatingIfNeeded: random.next())
            }
            payloads.shuffle(using: &random)
            let got = try Self.receive(payloads, way)
            #expect(
                got.reduce(0) { $0 + $1.payload.readableBytes } < 5
                    * units.reduce(0) { $0 + $1.bytes.count }
            )
        }
    }
}

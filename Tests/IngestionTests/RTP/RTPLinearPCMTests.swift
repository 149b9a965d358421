import Ingestion
import Media
import NIOCore
import TestSupport
import Testing

@Suite struct RTPLinearPCMTests {
    private static let stereo24 = RTPPayloadFormat(
        encoding: .linearPCM(bits: 24),
        clockRate: 48_000,
        channels: 2
    )

    /// A stereo medium, and packets of `samples` random samples a channel.
    private static func sender(
        bits: Int,
        packets: Int,
        samples: Int
    ) -> (medium: MediaDescription, datagrams: [ByteBuffer], bytes: [UInt8]) {
        var medium = MediaDescription(kind: .audio, port: 5_006)
        medium.payloads[97] = RTPPayloadFormat(
            encoding: .linearPCM(bits: bits),
            clockRate: 48_000,
            channels: 2
        )
        var random = SeededRandom(seed: UInt64(bits))
        var source = RTPTestSource(ssrc: 2, payloadType: 97, timestamp: .max - 3_000)
        var bytes: [UInt8] = []
        let datagrams = (0..<packets).map { _ in
            let payload = random.bytes(samples * 2 * bits / 8)
            bytes += payload
            defer { source.timestamp &+= UInt32(samples) }
            return source.packet(payload, marker: false)
        }
        return (medium, datagrams, bytes)
    }

    private static func bytes(_ units: [AccessUnit]) -> [UInt8] {
        units.flatMap { Array($0.payload.readableBytesView) }
    }

    @Test(arguments: [16, 24], [48, 240, 3_000])
    func packetsBecomeUnitsOfOneLength(bits: Int, samples: Int) {
        let sent = Self.sender(bits: bits, packets: 100, samples: samples)
        var recorder = RTPRecorder(media: [sent.medium])
        for (index, datagram) in sent.datagrams.enumerated() {
            recorder.feed(datagram, at: index * samples / 48)
        }
        let format = recorder.trackLists.last?.audio.first?.audio
        #expect(format == LinearPCM(bits: bits, sampleRate: 48_000, channels: 2)?.format)
        #expect(recorder.sounds.count == 100 * samples / 1_024)
        let heard = Self.bytes(recorder.sounds)
        #expect(heard == Array(sent.bytes.prefix(heard.count)))
        #expect(recorder.sounds.allSatisfy { $0.payload.readableBytes == 256 * bits })
        for (before, after) in zip(recorder.sounds, recorder.sounds.dropFirst()) {
            #expect(after.pts.ticks - before.pts.ticks == 1_920)
        }
        #expect(recorder.events.brokenPromise == nil)
        #expect(recorder.statistics(at: 9_999).streams.first?.hint == nil)
    }

    @Test func whatIsLostIsSilenceAndMovesNothing() {
        let sent = Self.sender(bits: 24, packets: 400, samples: 48)
        var recorder = RTPRecorder(media: [sent.medium])
        var expected = sent.bytes
        for (index, datagram) in sent.datagrams.enumerated() {
            // Single packets, and 40 in a row.
            if index % 37 == 5 || (150..<190).contains(index) {
                for byte in index * 288..<(index + 1) * 288 { expected[byte] = 0 }
            } else {
                recorder.feed(datagram, at: index)
            }
        }
        recorder.finish(at: 9_999)
        let heard = Self.bytes(recorder.sounds)
        #expect(heard == Array(expected.prefix(heard.count)))
        #expect(recorder.sounds.count == 18)
        for (before, after) in zip(recorder.sounds, recorder.sounds.dropFirst()) {
            #expect(after.pts.ticks - before.pts.ticks == 1_920)
        }
        #expect(recorder.discontinuities.isEmpty)
    }

    @Test func aLongLossIsAHoleAndMovesNothing() {
        let sent = Self.sender(bits: 24, packets: 600, samples: 48)
        var recorder = RTPRecorder(media: [sent.medium])
        for (index, datagram) in sent.datagrams.enumerated() where !(150..<350).contains(index) {
            recorder.feed(datagram, at: index)
        }
        recorder.finish(at: 9_999)
        let first = recorder.sounds.first?.pts.ticks ?? 0
        for unit in recorder.sounds {
            let start = Int(unit.pts.ticks - first) * 48_000 / 90_000 * 6
            #expect(Self.bytes([unit]) == Array(sent.bytes[start...].prefix(6_144)))
        }
        // 7,200 samples before the hole and 12,000 behind it.
        #expect(recorder.sounds.count == 7 + 11)
        #expect(recorder.discontinuities.isEmpty)
    }

    @Test func roundedTimestampsDoNotBreakTheSound() {
        let sent = Self.sender(bits: 16, packets: 200, samples: 48)
        var recorder = RTPRecorder(media: [sent.medium])
        for (index, var datagram) in sent.datagrams.enumerated() {
            let exact = datagram.getInteger(at: 4, as: UInt32.self) ?? 0
            datagram.setInteger(exact &+ UInt32(index % 3), at: 4)
            recorder.feed(datagram, at: index)
        }
        let heard = Self.bytes(recorder.sounds)
        #expect(recorder.sounds.count == 9 && heard == Array(sent.bytes.prefix(heard.count)))
    }

    @Test func packetsOfHalfSamplesAreDamageAndSilence() throws {
        let sent = Self.sender(bits: 24, packets: 100, samples: 48)
        var recorder = RTPRecorder(media: [sent.medium])
        var expected = sent.bytes
        for (index, var datagram) in sent.datagrams.enumerated() {
            if index % 10 == 7 {
                for byte in index * 288..<(index + 1) * 288 { expected[byte] = 0 }
                // A byte too few, or the samples of one channel alone.
                datagram = try #require(
                    datagram.getSlice(at: 0, length: 300 - (index % 20 == 7 ? 1 : 3))
                )
            }
            recorder.feed(datagram, at: index)
        }
        let heard = Self.bytes(recorder.sounds)
        #expect(recorder.sounds.count == 4 && heard == Array(expected.prefix(heard.count)))
        #expect(recorder.statistics(at: 999).streams.first?.units.damagedUnits == 10)
    }

    /// Any number of channels and samples a second that an SDP may name, with any packets.
    @Test(arguments: [
        stereo24,
        RTPPayloadFormat(encoding: .linearPCM(bits: 16), clockRate: 1),
        RTPPayloadFormat(encoding: .linearPCM(bits: 24), clockRate: 1_000_000, channels: 255),
    ])
    func anyPacketsDoNoHarmAndComeOutOnceAtMost(format: RTPPayloadFormat) throws {
        guard case .linearPCM(let bits) = format.encoding else { return }
        let source = try #require(
            LinearPCM(bits: bits, sampleRate: 48_000, channels: format.channels ?? 1)
        )
        let (instant, unitBytes) = (source.instantBytes, source.unitBytes)
        var stream = try #require(RTPElementaryStream(format))
        var random = SeededRandom(seed: 11)
        var timestamp: UInt32 = 0
        var (received, emitted) = (0, 0)
        // Silence stands for what was lost, or is odd.
        var losses = 0
        for index in 0..<600 {
            let odd = index % 5 == 0 ? Int.random(in: 0..<instant, using: &random) : 0
            let count = Int.random(in: 0...(1_530 / instant), using: &random)
            let payload = random.bytes(count * instant + odd)
            switch Int.random(in: 0..<20, using: &random) {
            case 0: timestamp = UInt32(truncatingIfNeeded: random.next())
            case 1:
                timestamp &+= UInt32(Int.random(in: 0...6_000, using: &random))
                stream.lose()
                losses += 1
            default: break
            }
            let packet = RTPPacket(
                marker: false,
                payloadType: 97,
                sequenceNumber: UInt16(truncatingIfNeeded: index),
                timestamp: timestamp,
                ssrc: 1,
                payload: 0..<payload.count
            )
            received += payload.count
            if odd > 0 { losses += 1 }
            stream.receive(packet, payload: payload.span) { unit in
                emitted += unit.payload.readableBytes
                #expect(unit.payload.readableBytes == unitBytes && unit.samples == 1_024)
            }
        }
        #expect(emitted > 0)
        #expect(emitted <= received + losses * 4 * unitBytes)
    }
}

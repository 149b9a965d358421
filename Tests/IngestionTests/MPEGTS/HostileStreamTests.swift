import Ingestion
import Media
import TestSupport
import Testing

/// Whatever the bytes are: no crash, promises kept, and the stream goes on behind the damage.
@Suite struct HostileStreamTests {
    /// About 1,000 packets of picture, sound and tables.
    private func contribution(packetSize: Int = 188) -> [UInt8] {
        var contribution = Contribution()
        contribution.writer.packetSize = packetSize
        contribution.videoLength = .unbounded
        return contribution.frames(0..<150)
    }

    @Test func randomBytesBringNothing() {
        var random = SeededRandom(seed: 1)
        var recorder = EventRecorder()
        for _ in 0..<200 { recorder.feed(random.bytes(1_316)) }
        #expect(recorder.events.isEmpty)
        #expect(recorder.session.statistics.resynchronisedBytes > 200_000)
    }

    @Test func packetsOfRandomBytesOnTheRightPIDsBringNoHarm() {
        var random = SeededRandom(seed: 2)
        var recorder = EventRecorder()
        recorder.feed(contribution())
        let pids: [UInt16] = [0, 0x100, 0x101, 0x1000]
        for _ in 0..<20_000 {
            var packet = [0x47] + random.bytes(187)
            let pid = pids.randomElement(using: &random) ?? 0
            packet[1] = packet[1] & 0x60 | UInt8(pid >> 8)
            packet[2] = UInt8(truncatingIfNeeded: pid)
            packet[3] &= 0x3F
            recorder.feed(packet)
        }
        #expect(recorder.brokenPromise == nil)
        let before = recorder.units.count
        recorder.feed(contribution())
        #expect(recorder.units.count > before + 250)
    }

    @Test func aHundredThousandMutatedPacketsBringNoHarm() {
        let original = contribution()
        var random = SeededRandom(seed: 3)
        var packets = 0
        while packets < 100_000 {
            var bytes = original
            for _ in 0..<Int.random(in: 1...400, using: &random) {
                let bit = Int.random(in: 0..<bytes.count * 8, using: &random)
                bytes[bit / 8] ^= 1 << UInt8(bit % 8)
            }
            var recorder = EventRecorder()
            recorder.feed(bytes, split: 1_316)
            recorder.finish()
            #expect(recorder.brokenPromise == nil)
            packets += bytes.count / 188
        }
    }

    @Test func headersAloneMutatedBringNoHarm() {
        let original = contribution()
        var random = SeededRandom(seed: 4)
        for _ in 0..<20 {
            var bytes = original
            for start in stride(from: 0, to: bytes.count, by: 188)
            where Int.random(in: 0..<4, using: &random) == 0 {
                // Header, adaptation field, PES header or section: where lengths and flags are.
                let offset = start + Int.random(in: 1..<28, using: &random)
                bytes[offset] = UInt8.random(in: 0...255, using: &random)
            }
            var recorder = EventRecorder()
            recorder.feed(bytes)
            recorder.finish()
            #expect(recorder.brokenPromise == nil)
        }
    }

    @Test(arguments: [188, 192, 204])
    func truncatedAndSplicedStreamsComeBack(packetSize: Int) {
        let original = contribution(packetSize: packetSize)
        var random = SeededRandom(seed: 5)
        var recorder = EventRecorder()
        for _ in 0..<30 {
            let start = Int.random(in: 0..<original.count, using: &random)
            let end = Int.random(in: start..<original.count, using: &random)
            recorder.feed(Array(original[start..<end]))
        }
        #expect(recorder.brokenPromise == nil)
        let before = recorder.units.count
        recorder.feed(original)
        #expect(recorder.units.count > before + 250)
    }

    @Test func anEndlessPESPacketIsBounded() {
        var contribution = Contribution(audio: nil)
        contribution.videoLength = .unbounded
        var recorder = EventRecorder(configuration: .init(pesLimitBytes: 1 << 20))
        recorder.feed(contribution.frames(0..<5))
        let payload = [UInt8](repeating: 0xB5, count: 184)
        for _ in 0..<10_000 {
            recorder.feed(
                contribution.writer.packet(pid: 0x100, startsUnit: false, payload: payload)
            )
        }
        // The fifth picture grew to the limit and was dropped; the next start is picked up again.
        #expect(recorder.units.count == 4)
        #expect(recorder.session.statistics.damagedPESPackets == 1)
        recorder.feed(contribution.frames(30..<32))
        #expect(recorder.units.count == 5)
    }
}

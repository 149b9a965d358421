import Ingestion
import TestSupport
import Testing

@Suite struct RTPPacketTests {
    private let header: [UInt8] = [
        0x80, 0xE0, 0x12, 0x34, 0xDE, 0xAD, 0xBE, 0xEF, 0xCA, 0xFE, 0xBA, 0xBE,
    ]

    /// The header with other flags in its first byte.
    private func header(_ flags: UInt8) -> [UInt8] { [0x80 | flags] + header.dropFirst() }

    private func error(_ datagram: [UInt8]) -> RTPError? {
        do {
            _ = try RTPPacket(reading: datagram)
            return nil
        } catch {
            return error
        }
    }

    @Test func theFixedHeaderIsReadAndAllBehindItIsPayload() throws {
        let packet = try RTPPacket(reading: header + [1, 2, 3])
        #expect(packet.marker)
        #expect(packet.payloadType == 0x60)
        #expect(packet.sequenceNumber == 0x1234)
        #expect(packet.timestamp == 0xDEAD_BEEF)
        #expect(packet.ssrc == 0xCAFE_BABE)
        #expect(packet.payload == 12..<15)
    }

    @Test func sourcesExtensionAndPaddingAreLeftOut() throws {
        let sources = [UInt8](repeating: 7, count: 8)
        // A one-byte header extension (abs-send-time) in one word.
        let headerExtension: [UInt8] = [0xBE, 0xDE, 0, 1, 0x32, 1, 2, 3]
        let datagram = header(0x32) + sources + headerExtension + [9, 9, 9] + [0, 0, 3]
        let packet = try RTPPacket(reading: datagram)
        #expect(packet.payload == 28..<31)
        #expect(packet.ssrc == 0xCAFE_BABE)
    }

    @Test func aPayloadMayBeEmptyOrPaddingOnly() throws {
        #expect(try RTPPacket(reading: header).payload == 12..<12)
        #expect(try RTPPacket(reading: header(0x20) + [0, 0, 0, 4]).payload == 12..<12)
    }

    @Test func whatIsNoPacketSaysWhy() {
        #expect(error(Array(header.dropLast())) == .truncated)
        #expect(error([]) == .truncated)
        #expect(error([0x40] + header.dropFirst()) == .version)
        #expect(error(header(0x01) + [1, 2, 3]) == .truncated)
        #expect(error(header(0x10) + [0, 0, 0]) == .truncated)
        #expect(error(header(0x10) + [0, 0, 0, 2, 1, 2, 3, 4]) == .truncated)
        #expect(error(header(0x20)) == .padding)
        #expect(error(header(0x20) + [1, 2, 0]) == .padding)
        #expect(error(header(0x20) + [1, 2, 4]) == .padding)
    }

    @Test func noBytesDoHarm() {
        var random = SeededRandom(seed: 3550)
        var read = 0
        for _ in 0..<20_000 {
            var datagram = random.bytes(Int.random(in: 0...80, using: &random))
            if !datagram.isEmpty { datagram[0] = datagram[0] & 0x3F | 0x80 }
            guard let packet = try? RTPPacket(reading: datagram) else { continue }
            read += 1
            #expect(packet.payload.lowerBound >= 12)
            #expect(packet.payload.upperBound <= datagram.count)
        }
        #expect(read > 1_000)
    }
}

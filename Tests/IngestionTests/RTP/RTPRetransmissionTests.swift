import Ingestion
import Testing

@Suite struct RTPRetransmissionTests {
    /// Payload type 97, number 5, marker; it repeats number 0xABCD.
    private let datagram: [UInt8] = [
        0x80, 0xE1, 0, 5, 1, 2, 3, 4, 9, 9, 9, 9, 0xAB, 0xCD, 0x65, 0x66,
    ]

    @Test func theOriginalComesBack() throws {
        let packet = try RTPPacket(reading: datagram)
        let original = RTPRetransmission.original(
            of: packet,
            in: datagram.span,
            payloadType: 96,
            ssrc: 0x7777_7777
        )
        #expect(
            original
                == RTPPacket(
                    marker: true,
                    payloadType: 96,
                    sequenceNumber: 0xABCD,
                    timestamp: 0x0102_0304,
                    ssrc: 0x7777_7777,
                    payload: 14..<16
                )
        )
    }

    @Test func aPacketThatOnlyProbesThePathRepeatsNothing() throws {
        for length in 12...14 {
            let short = Array(datagram.prefix(length))
            let packet = try RTPPacket(reading: short)
            let original = RTPRetransmission.original(
                of: packet,
                in: short.span,
                payloadType: 96,
                ssrc: 1
            )
            #expect(original == nil)
        }
    }
}

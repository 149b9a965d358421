import Ingestion
import Media
import NIOCore
import TestSupport
import Testing

@Suite struct RTCPPacketTests {
    /// What GStreamer's `rtpbin` sends when it stops: a sender report, two items, a BYE.
    private let gstreamer = bytes(
        """
        80c80006 f07b1a3e eeae3aa1 d67f90d9 8c7103a4 00000081 000080c7
        81ca000c f07b1a3e 011c7573 65723234 34303338 39353333 40686f73 742d3630 66643963 36620609
        47537472 65616d65 72000000 81cb0001 f07b1a3e
        """
    )
    /// A report of ffmpeg's RTP muxer.
    private let ffmpeg = bytes("80c800069e418f43eeae3a9f86a7ef9d018f59390000000000000000")

    @Test func aCompoundPacketOfGStreamerIsRead() throws {
        let packets = RTCPPacket.parse(bytes: gstreamer)
        #expect(packets.count == 3)
        guard case .senderReport(let report) = packets[0] else {
            Issue.record("no sender report")
            return
        }
        #expect(report.ssrc == 0xF07B_1A3E)
        #expect(report.ntp == 0xEEAE_3AA1_D67F_90D9)
        #expect(report.rtpTimestamp == 0x8C71_03A4)
        #expect(report.packets == 129)
        #expect(report.octets == 0x80C7)
        let name = RTCPPacket.CanonicalName(
            ssrc: 0xF07B_1A3E,
            name: "user2440389533@host-60fd9c6b"
        )
        #expect(packets[1] == .sourceDescription([name]))
        #expect(packets[2] == .bye([0xF07B_1A3E]))
    }

    @Test func aReportOfFFmpegIsRead() throws {
        guard case .senderReport(let report) = try #require(RTCPPacket.parse(bytes: ffmpeg).first)
        else {
            Issue.record("no sender report")
            return
        }
        // 0xEEAE3A9F - 2208988800 s after 1970, and 0x86A7EF9D / 2^32 s.
        #expect(report.wallTime == WallTime(microsecondsSinceEpoch: 1_795_406_879_525_999))
    }

    @Test func theClockOfReportsGoesOnAfter2036() {
        let last = WallTime(ntp: 0xFFFF_FFFF_0000_0000)
        let first = WallTime(ntp: 0x0000_0000_8000_0000)
        #expect(last == WallTime(microsecondsSinceEpoch: 2_085_978_495_000_000))
        #expect(first.duration(since: last) == .milliseconds(1_500))
    }

    @Test func whatIsRTCPIsToldByItsSecondByte() {
        #expect(RTCPPacket.isRTCP(bytes: gstreamer))
        for kind: UInt8 in [192, 200, 206, 223] {
            #expect(RTCPPacket.isRTCP(bytes: ([0x80, kind, 0, 0] as [UInt8])))
        }
        // Payload types 96 and 33, each with and without marker.
        for kind: UInt8 in [96, 224, 33, 161, 191] {
            #expect(!RTCPPacket.isRTCP(bytes: ([0x80, kind, 0, 0] as [UInt8])))
        }
        #expect(!RTCPPacket.isRTCP(bytes: ([0x40, 200, 0, 0] as [UInt8])))
        #expect(!RTCPPacket.isRTCP(bytes: ([0x80, 200] as [UInt8])))
    }

    @Test func damageEndsTheListButNotWhatWasReadBefore() {
        #expect(RTCPPacket.parse(bytes: Array(gstreamer.dropLast())).count == 2)
        #expect(RTCPPacket.parse(bytes: (ffmpeg + [0x00, 200, 0, 0])).count == 1)
        #expect(RTCPPacket.parse(bytes: (ffmpeg + [0x81, 203, 0xFF, 0xFF])).count == 1)
        // An unknown kind in between is left out.
        let application: [UInt8] = [0x80, 204, 0, 2, 0, 0, 0, 1, 0x41, 0x42, 0x43, 0x44]
        #expect(RTCPPacket.parse(bytes: (application + ffmpeg)).count == 1)
    }

    @Test func paddingIsLeftOut() {
        let bye = bytes("a2cb0003 00000001 00000002 00000004")
        #expect(RTCPPacket.parse(bytes: bye) == [.bye([1, 2])])
        #expect(RTCPPacket.parse(bytes: bytes("a1cb0001 000000ff")).isEmpty)
    }

    @Test func feedbackIsRead() {
        #expect(
            RTCPPacket.parse(bytes: bytes("81cd0003 00000001 00000002 fffe8003")) == [
                .feedback(
                    sender: 1,
                    .negativeAcknowledgement(media: 2, lost: [0xFFFE, 0xFFFF, 0, 0x000E])
                )
            ]
        )
        #expect(
            RTCPPacket.parse(bytes: bytes("81ce0002 00000001 00000002"))
                == [.feedback(sender: 1, .pictureLoss(media: 2))]
        )
        #expect(
            RTCPPacket.parse(bytes: bytes("84ce0004 00000001 00000000 00000002 07000000"))
                == [.feedback(sender: 1, .fullIntraRequest(media: 2, commandSequence: 7))]
        )
    }

    @Test func reportsOnOthersAreRead() {
        let report = bytes(
            "81c90007 00000001 00000002 40fffffe 00010005 00000007 11112222 00018000"
        )
        var block = RTCPReceptionReport(ssrc: 2)
        block.fractionLost = 64
        block.cumulativeLost = -2
        block.extendedHighestSequence = 0x1_0005
        block.jitter = 7
        block.lastSenderReport = 0x1111_2222
        block.delaySinceLastSenderReport = 0x1_8000
        #expect(RTCPPacket.parse(bytes: report) == [.receiverReport(ssrc: 1, [block])])
    }

    @Test func noBytesDoHarm() {
        var random = SeededRandom(seed: 3551)
        var read = 0
        for _ in 0..<20_000 {
            var compound = random.bytes(Int.random(in: 0...120, using: &random))
            if compound.count > 3 {
                compound[0] = 0x80 | compound[0] & 0x3F
                compound[1] = 200 + compound[1] % 8
                compound[2] = 0
                compound[3] %= UInt8(compound.count / 4 + 1)
            }
            read += RTCPPacket.parse(bytes: compound).count
        }
        #expect(read > 1_000)
        // Headers and nothing else: the list is bounded.
        let headers = [[UInt8]](repeating: [0x80, 203, 0, 1, 0, 0, 0, 0], count: 5_000)
        #expect(RTCPPacket.parse(bytes: Array(headers.joined())).count <= 64)
    }
}

@Suite struct RTCPComposerTests {
    private let composer = RTCPComposer(ssrc: 0x0102_0304, cname: "mirror@a")

    @Test func aReportHoldsItsBlocksAndTheName() {
        var block = RTCPReceptionReport(ssrc: 9)
        block.fractionLost = 3
        block.cumulativeLost = -1
        block.extendedHighestSequence = 0x2_0003
        block.jitter = 11
        block.lastSenderReport = 5
        block.delaySinceLastSenderReport = 6
        let report = composer.report(on: [block])
        let expected = bytes(
            """
            81c90007 01020304 00000009 03ffffff 00020003 0000000b 00000005 00000006
            81ca0004 01020304 01086d69 72726f72 40610000
            """
        )
        #expect(Array(report.readableBytesView) == expected)
    }

    @Test func whatIsComposedCanBeReadWhateverTheLengthOfTheName() {
        for length in [0, 1, 2, 3, 4, 5, 6, 255, 300] {
            let name = String(repeating: "n", count: length)
            let sent = RTCPComposer(ssrc: 1, cname: name).goodbye()
            let shown = String(name.prefix(255))
            #expect(
                RTCPPacket.parse(bytes: Array(sent.readableBytesView)) == [
                    .receiverReport(ssrc: 1, []),
                    .sourceDescription([.init(ssrc: 1, name: shown)]),
                    .bye([1]),
                ]
            )
        }
    }

    @Test func requestsCanBeReadAgain() {
        let lost: [UInt16] = [65_530, 65_535, 10, 11, 27, 28, 500]
        let feedback: [RTCPFeedback] = [
            .negativeAcknowledgement(media: 7, lost: lost), .pictureLoss(media: 7),
            .fullIntraRequest(media: 7, commandSequence: 200),
        ]
        let sent = composer.report(on: [], feedback: feedback)
        let read = RTCPPacket.parse(bytes: Array(sent.readableBytesView)).dropFirst(2)
        #expect(Array(read) == feedback.map { .feedback(sender: 0x0102_0304, $0) })
        // 65,530 with 65,535 and 10; 11 with 27; 28; 500.
        #expect(sent.readableBytes == 8 + 20 + (12 + 4 * 4) + 12 + 20)
    }

    @Test func whatIsAskedForIsBounded() {
        let lost = (0..<5_000).map { UInt16($0 * 13) }
        let many = [RTCPFeedback](
            repeating: .negativeAcknowledgement(media: 1, lost: lost),
            count: 50
        )
        let blocks = (0..<100).map { RTCPReceptionReport(ssrc: $0) }
        #expect(composer.report(on: blocks, feedback: many).readableBytes < 3_200)
    }
}

/// The bytes of hexadecimal text; blanks are left out.
private func bytes(_ text: String) -> [UInt8] {
    let digits = text.filter { !$0.isWhitespace }.compactMap(\.hexDigitValue)
    return stride(from: 0, to: digits.count - 1, by: 2).map {
        UInt8(digits[$0] << 4 | digits[$0 + 1])
    }
}

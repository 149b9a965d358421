import Ingestion
import TestSupport
import Testing

@Suite struct SessionDescriptionTests {
    /// As `ffmpeg -f rtp -sdp_file` writes it for two outputs.
    private static let ffmpeg = """
        v=0
        o=- 0 0 IN IP4 127.0.0.1
        s=No Name
        t=0 0
        a=tool:libavformat 61.7.100
        m=video 5004 RTP/AVP 96
        c=IN IP4 127.0.0.1
        b=AS:2000
        a=rtpmap:96 H264/90000
        a=fmtp:96 packetization-mode=1; sprop-parameter-sets=Z0LACtoQmwEQAAADABAAAAMDwPEiag==,aM48gA==; profile-level-id=42C00A
        m=audio 5006 RTP/AVP 97
        c=IN IP4 127.0.0.1
        b=AS:128
        a=rtpmap:97 MPEG4-GENERIC/48000/2
        a=fmtp:97 profile-level-id=1;mode=AAC-hbr;sizelength=13;indexlength=3;indexdeltalength=3; config=119056E500
        """

    @Test func aDescriptionOfFFmpegIsRead() throws {
        let description = try SessionDescription(parsing: Self.ffmpeg)
        #expect(description.name == "No Name")
        #expect(description.media.map(\.port) == [5_004, 5_006])
        #expect(description.media.map(\.rtcpPort) == [5_005, 5_007])
        let video = try #require(description.media.first)
        #expect(video.kind == .video && video.address == "127.0.0.1" && !video.isMulticast)
        let h264 = try #require(video.payloads[96])
        #expect(h264.encoding == .h264 && h264.clockRate == 90_000)
        #expect(h264.parameterSets.map(\.first) == [0x67, 0x68])
        #expect(h264.parameterSets.map(\.count) == [22, 4])
        let aac = try #require(description.media.last?.payloads[97])
        let packing = RTPPayloadFormat.AACPacking(config: [0x11, 0x90, 0x56, 0xE5, 0x00])
        #expect(aac.encoding == .aac(packing))
        #expect(aac.clockRate == 48_000 && aac.channels == 2)
    }

    @Test func everyEncodingIsKnown() throws {
        let lines = [
            "96 H265/90000": RTPPayloadFormat.Encoding.hevc(hasDONL: false),
            "97 AV1/90000": .av1,
            "98 jxsv/90000": .jpegXS,
            "99 MP2T/90000": .mpegTS,
            "100 MP4A-LATM/44100/2": .latm(config: nil, isConfigInBand: true),
            "101 opus/48000/2": .opus,
            "102 L16/48000/2": .linearPCM(bits: 16),
            "103 L24/48000/8": .linearPCM(bits: 24),
        ]
        for (line, encoding) in lines {
            let type = String(line.prefix { $0 != " " })
            let text = "v=0\nm=video 5004 RTP/AVP \(type)\na=rtpmap:\(line)"
            let description = try SessionDescription(parsing: text)
            #expect(description.media.first?.payloads.values.map(\.encoding) == [encoding])
        }
    }

    @Test func howFarUnitsAreMovedIsRead() throws {
        let text = """
            v=0
            m=video 5004 RTP/AVP 96 97 98
            a=rtpmap:96 H264/90000
            a=fmtp:96 packetization-mode=2; sprop-interleaving-depth=1024; sprop-max-don-diff=40; sprop-deint-buf-req=16777216
            a=rtpmap:97 H265/90000
            a=fmtp:97 sprop-max-don-diff=12;sprop-depack-buf-nalus=9
            a=rtpmap:98 H264/90000
            a=fmtp:98 packetization-mode=1
            """
        let payloads = try SessionDescription(parsing: text).media[0].payloads
        #expect(
            payloads.mapValues(\.interleaving) == [
                96: RTPInterleaving(depth: 1_024, countsSlices: true, largestDifference: 40),
                97: RTPInterleaving(depth: 9, countsSlices: false, largestDifference: 12),
                98: nil,
            ]
        )
    }

    @Test func parametersOfHEVCAndLATMAreRead() throws {
        let text = """
            v=0
            m=video 5004 RTP/AVPF 96
            a=fmtp:96 sprop-vps=QAEM; sprop-sps=QgEB; SPROP-PPS=RAHA,RAHB; sprop-max-don-diff=2
            a=rtpmap:96 h265/90000
            m=audio 5006 RTP/AVP 97
            a=rtpmap:97 MP4A-LATM/90000
            a=fmtp:97 cpresent=0;config="400024203fc0"
            """
        let description = try SessionDescription(parsing: text)
        let hevc = try #require(description.media[0].payloads[96])
        #expect(hevc.encoding == .hevc(hasDONL: true))
        #expect(
            hevc.parameterSets == [
                [0x40, 0x01, 0x0C], [0x42, 0x01, 0x01], [0x44, 0x01, 0xC0], [0x44, 0x01, 0xC1],
            ]
        )
        let config: [UInt8] = [0x40, 0x00, 0x24, 0x20, 0x3F, 0xC0]
        let latm = try #require(description.media[1].payloads[97])
        #expect(latm.encoding == .latm(config: config, isConfigInBand: false))
        #expect(latm.clockRate == 90_000)
    }

    @Test func staticPayloadTypesNeedNoMap() throws {
        let description = try SessionDescription(parsing: "v=0\r\nm=video 5004 RTP/AVP 33 34\r\n")
        #expect(description.media[0].payloads.keys.sorted() == [33])
        #expect(description.media[0].payloads[33]?.encoding == .mpegTS)
        #expect(description.media[0].unknownEncodings == [34: "34"])
    }

    @Test(arguments: ["a=group:DUP first second", "a=ssrc-group:DUP 1111 2222"])
    func copiesOfAStreamAreToBeDescribedEachByItself(line: String) throws {
        let isOfMedia = line.hasPrefix("a=group")
        let text = """
            v=0
            \(isOfMedia ? line : "s=-")
            m=video 5004 RTP/AVP 96
            a=rtpmap:96 H264/90000
            a=mid:first
            \(isOfMedia ? "a=lang:en" : line)
            m=video PORT RTP/AVP 96
            a=rtpmap:96 H264/90000
            a=mid:second
            """
        let error = #expect(throws: SessionDescriptionError.self) {
            try SessionDescription(parsing: text.replacing("PORT", with: "5006"))
        }
        #expect(error?.reason == .copies && error?.line == (isOfMedia ? 2 : 6))
        #expect(error?.description.contains("mode: hitless") == true)
        guard isOfMedia else { return }
        // One that is not sent is no copy.
        let alone = try SessionDescription(parsing: text.replacing("PORT", with: "0"))
        #expect(alone.groups.map(\.semantics) == ["DUP"])
    }

    @Test func groupsFeedbackSourcesAndRetransmissionAreRead() throws {
        let text = """
            v=0
            o=- 1 1 IN IP4 192.0.2.1
            s=-
            c=IN IP4 232.3.4.5/127
            t=0 0
            a=group:LS video sound
            a=source-filter: incl IN IP4 232.3.4.5 192.0.2.10 192.0.2.11
            a=rtcp-mux
            m=video 5004 RTP/AVPF 96 97 98
            a=mid:video
            a=rtpmap:96 H264/90000
            a=rtpmap:97 rtx/90000
            a=rtpmap:98 VP8/90000
            a=fmtp:97 apt=96;rtx-time=3000
            a=rtcp-fb:96 nack
            a=rtcp-fb:* nack pli
            a=rtcp-fb:96 ccm fir
            a=ssrc-group:FID 1111 2222
            a=ssrc:1111 cname:camera@studio
            a=ssrc:2222 cname:camera@studio
            m=audio 5006 RTP/AVP 101
            c=IN IP6 FF15::101/3
            a=mid:sound
            a=lang:DEU
            a=rtcp:5010
            a=source-filter: excl IN IP6 ff15::101 2001:db8::1
            a=rtpmap:101 opus/48000/2
            """
        let description = try SessionDescription(parsing: text)
        #expect(description.isSynchronised && description.name.isEmpty)
        #expect(description.groups.map(\.mediaIDs) == [["video", "sound"]])
        let video = description.media[0]
        #expect(video.isMulticast && video.address == "232.3.4.5")
        #expect(video.sources == ["192.0.2.10", "192.0.2.11"])
        #expect(video.isRTCPMultiplexed && video.rtcpPort == 5_004)
        #expect(video.hasNACK && video.hasPLI && video.hasFIR)
        #expect(video.ssrcs == [1_111, 2_222] && video.cname == "camera@studio")
        #expect(video.retransmissionSSRCs == [2_222: 1_111])
        #expect(video.retransmissions[97]?.payloadType == 96)
        #expect(video.retransmissions[97]?.storageTime == .seconds(3))
        #expect(video.unknownEncodings == [98: "vp8"])
        let audio = description.media[1]
        #expect(audio.isMulticast && audio.address == "ff15::101")
        #expect(audio.language == "deu" && !audio.hasNACK)
    }

    @Test func anotherRTCPPortIsTaken() throws {
        let text = "v=0\nm=video 5004 RTP/AVP 33\na=rtcp:53020 IN IP4 192.0.2.1"
        #expect(try SessionDescription(parsing: text).media[0].rtcpPort == 53_020)
    }

    @Test(
        arguments: [
            ("hello", 1, .malformedLine),
            ("m=video 5004 RTP/AVP 33", 1, .notADescription),
            ("", 0, .notADescription),
            ("v=0\ns=x", 0, .noMedia),
            ("v=0\nm=video 70000 RTP/AVP 33", 2, .malformedMedia),
            ("v=0\nm=video 5004 RTP/AVP", 2, .malformedMedia),
            ("v=0\nm=video 5004 RTP/AVP 128", 2, .malformedMedia),
            ("v=0\nc=IN IP4 camera.example\nm=video 5004 RTP/AVP 33", 2, .badAddress),
            ("v=0\nc=IP4 192.0.2.1", 2, .malformedConnection),
            ("v=0\nm=video 5004 RTP/AVP 96\na=rtpmap:96 H264", 3, .malformedPayloadMap),
            ("v=0\nm=video 5004 RTP/AVP 96\na=rtpmap:96 H264/0", 3, .malformedPayloadMap),
            ("v=0\nm=audio 5004 RTP/AVP 96\na=rtpmap:96 L16/48000/256", 3, .malformedPayloadMap),
            (
                "v=0\nm=audio 5004 RTP/AVP 96\na=rtpmap:96 L16/8000/\(UInt.max)", 3,
                .malformedPayloadMap
            ),
            (
                "v=0\nm=video 5004 RTP/AVP 96\na=rtpmap:96 H264/90000\n"
                    + "a=fmtp:96 sprop-parameter-sets=%%%", 4, .malformedParameters
            ),
            (
                "v=0\nm=audio 5004 RTP/AVP 96\na=rtpmap:96 mpeg4-generic/48000\n"
                    + "a=fmtp:96 sizelength=99", 4, .malformedParameters
            ),
            (
                "v=0\nm=video 5004 RTP/AVP 96\na=rtpmap:96 H264/90000\n"
                    + "a=fmtp:96 packetization-mode=2", 4, .interleaving
            ),
            (
                "v=0\nm=video 5004 RTP/AVP 96\na=rtpmap:96 H264/90000\n"
                    + "a=fmtp:96 packetization-mode=2; sprop-interleaving-depth=1025", 4,
                .interleaving
            ),
            (
                "v=0\nm=video 5004 RTP/AVP 96\na=rtpmap:96 H264/90000\n"
                    + "a=fmtp:96 packetization-mode=2; sprop-interleaving-depth=4; "
                    + "sprop-deint-buf-req=16777217", 4, .interleaving
            ),
            ("v=0\nm=video 5004 RTP/AVP 96\na=rtpmap:96 VP8/90000", 0, .nothingCarried),
        ] as [(String, Int, SessionDescriptionError.Reason)]
    )
    func whatCannotBeReadIsSaidWithItsLine(
        text: String,
        line: Int,
        reason: SessionDescriptionError.Reason
    ) {
        let error = #expect(throws: SessionDescriptionError.self) {
            try SessionDescription(parsing: text)
        }
        #expect(error?.line == line && error?.reason == reason)
        #expect(error?.description.isEmpty == false)
    }

    @Test func anErrorReadsLikeASentence() {
        let text = "v=0\nc=IN IP4 camera.example\nm=video 5004 RTP/AVP 33"
        let error = #expect(throws: SessionDescriptionError.self) {
            try SessionDescription(parsing: text)
        }
        #expect(
            error?.description
                == "line 2: this is no address; write an IPv4 or IPv6 address, not a name "
                + "(found: camera.example)"
        )
    }

    @Test func descriptionsAreBounded() {
        let media = "m=video 5004 RTP/AVP 33\n"
        let types = (0..<100).map { "\($0)" }.joined(separator: " ")
        let long: [(String, SessionDescriptionError.Reason)] = [
            ("v=0\n" + String(repeating: "x", count: 70_000), .tooLong),
            ("v=0\n" + String(repeating: "a=x\n", count: 2_000), .tooLong),
            ("v=0\n" + String(repeating: media, count: 33), .tooManyMedia),
            ("v=0\nm=video 5004 RTP/AVP \(types)", .tooManyPayloads),
        ]
        for (text, reason) in long {
            let error = #expect(throws: SessionDescriptionError.self) {
                try SessionDescription(parsing: text)
            }
            #expect(error?.reason == reason)
        }
    }

    @Test func damagedDescriptionsDoNotTrap() {
        var random = SeededRandom(seed: 9)
        let original = Array(Self.ffmpeg.utf8)
        for _ in 0..<3_000 {
            var bytes = original
            for _ in 0..<Int.random(in: 1...20, using: &random) {
                let index = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<3, using: &random) {
                case 0: bytes[index] = .random(in: 0...255, using: &random)
                case 1: bytes.remove(at: index)
                default: bytes.insert(bytes[index / 2], at: index)
                }
            }
            let text = String(decoding: bytes, as: UTF8.self)
            if let description = try? SessionDescription(parsing: text) {
                #expect(description.media.count <= SessionDescription.mediaLimit)
            }
        }
    }
}

import Media
import NIOCore
import Testing

private typealias Bytes = ElementaryStreamBytes

@Suite struct AudioBitstreamParserTests {
    /// One frame of a sine at 48 kHz, mono, of ffmpeg 5.1's AAC encoder, in ADTS and in LATM (the
    /// second with the configuration of the frame before it).
    private static let adtsFrame = Bytes.hex(
        "fff14c4007bffc01042e8982bd339effe3ffe2ffcbfdffcdd5cd635bf6e65563bf5ddc08a2896bd063451451"
            + "4517e6550856b5beac55add082a3a89c38"
    )
    private static let latmFrame = Bytes.hex(
        "56e0389b00821744c15e99cf7ff1fff17fe5feffe6eae6b1adfb732ab1dfaeee045144b5e831a28a28a28bf3"
            + "2a842b5adf562ad6e84151d44e1c00"
    )
    private static let latmFrameWithConfiguration = Bytes.hex(
        "56e07c200011881fe3aef01002630bb319a9c97199b971898180001344ea8cc625e92c3a175e33e64e355abc"
            + "91724923c227feb63258dff77fc39d6d3957818efcc5e5370bf85faa991b09ab9ab99dbe5972e5e3c6aa"
            + "be5972e5e3c78f1cb34d145c78f18a6cb1451786f67778f8f760f51754f2f758f55701e6aeade6ee00"
    )

    /// 44.1 kHz stereo, one byte of payload.
    private static func smallADTSFrame(_ payload: UInt8) -> [UInt8] {
        Bytes.hex("fff150800 1 1ffc".replacing(" ", with: "")) + [payload]
    }

    @Test func adtsHeaderGivesTheFormat() {
        var parser = AudioBitstreamParser(framing: .adts)
        let units = parser.parse(Self.adtsFrame, at: 0)
        #expect(
            units.first?.newFormat
                == AudioFormat(
                    codec: .aac,
                    codecString: "mp4a.40.2",
                    profile: "AAC-LC",
                    sampleRate: 48_000,
                    channels: 1,
                    channelLayout: "mono",
                    samplesPerAccessUnit: 1024,
                    decoderConfiguration: .init(bytes: [0x11, 0x88])
                )
        )
        #expect(units.map(\.payload.bytes) == [Array(Self.adtsFrame.dropFirst(7))])
    }

    @Test func programConfigurationGivesChannelsThatNoNumberStandsFor() {
        // ID_PCE, tag, LC, 48 kHz, two front pairs, no mixdowns, pair and pair, alignment, comment
        let program = "101 0000 01 0011 0010 0000 0000 00 000 0000 0 0 0 1 0000 1 0001"
        var block = Bytes.bits(program)
        block += [0] + [0x20, 0x00]
        let length = 7 + block.count
        let header = Bytes.bits(
            "111111111111 0 00 1 01 0011 0 000 0 0 0 0" + Bytes.binary(length, 13)
                + "11111111111 00"
        )
        var parser = AudioBitstreamParser(framing: .adts)
        let format = parser.parse(header + block, at: 0).first?.newFormat
        #expect(format?.channels == 4)
        // LC, 48 kHz, configuration 0, GASpecificConfig; the element; alignment; comment.
        let expected = Bytes.bits("00010 0011 0000 000" + program.dropFirst(3)) + [0]
        #expect(format?.decoderConfiguration.bytes == expected)
    }

    @Test func framesOfOnePacketFollowByTheSumOfTheirSamples() {
        var parser = AudioBitstreamParser(framing: .adts)
        let packet = (0..<5).flatMap { Self.smallADTSFrame($0) }
        let units = parser.parse(packet, at: 90_000)
        // 1024 samples of 44.1 kHz are 2089.8 ticks.
        #expect(units.map(\.pts.ticks) == [90_000, 92_090, 94_180, 96_269, 98_359])
        #expect(units.map { $0.newFormat == nil } == [false, true, true, true, true])
    }

    @Test func frameOverTwoPacketsHasTheTimeOfTheFirst() {
        var parser = AudioBitstreamParser(framing: .adts)
        let frame = Self.smallADTSFrame(1)
        #expect(parser.parse(Array(frame.prefix(5)), at: 1000).isEmpty)
        let units = parser.parse(frame.dropFirst(5) + Self.smallADTSFrame(2), at: 50_000)
        #expect(units.map(\.pts.ticks) == [1000, 50_000])
    }

    @Test func framesWithoutATimeAreDropped() {
        var parser = AudioBitstreamParser(framing: .adts)
        #expect(parser.parse(Self.smallADTSFrame(1), at: nil).isEmpty)
        #expect(parser.parse(Self.smallADTSFrame(2), at: 5).first?.newFormat != nil)
    }

    @Test func damageCostsOnlyTheFrameItIsIn() {
        var parser = AudioBitstreamParser(framing: .adts)
        var damaged = Self.smallADTSFrame(2)
        damaged[0] = 0
        let units = parser.parse(
            Self.smallADTSFrame(0) + Self.smallADTSFrame(1) + damaged + Self.smallADTSFrame(3)
                + Self.smallADTSFrame(4),
            at: 0
        )
        // The frame before the damage is not believed either: nothing shows that it ended there.
        #expect(units.map(\.payload.bytes) == [[0], [3], [4]])
    }

    @Test func afterAResetNothingIsJoinedToWhatWasLost() {
        var parser = AudioBitstreamParser(framing: .adts)
        let frame = Self.smallADTSFrame(1)
        _ = parser.parse(Array(frame.prefix(5)), at: 0)
        parser.reset()
        #expect(parser.parse(Array(frame.dropFirst(5)), at: 10).isEmpty)
        #expect(parser.parse(frame, at: 20).map(\.pts.ticks) == [20])
    }

    @Test func latmGivesTheFramesThatADTSGives() {
        var parser = AudioBitstreamParser(framing: .latm)
        let first = parser.parse(Self.latmFrameWithConfiguration, at: 0)
        #expect(first.first?.newFormat?.codecString == "mp4a.40.2")
        #expect(first.first?.newFormat?.decoderConfiguration.bytes == [0x11, 0x88])
        #expect(first.first?.newFormat?.channels == 1)
        let second = parser.parse(Self.latmFrame, at: 1920)
        #expect(second.map(\.payload.bytes) == [Array(Self.adtsFrame.dropFirst(7))])
    }

    @Test func latmFramesBeforeTheFirstConfigurationAreDropped() {
        var parser = AudioBitstreamParser(framing: .latm)
        #expect(parser.parse(Self.latmFrame, at: 0).isEmpty)
    }

    @Test func explicitSpectralBandReplicationIsSignalled() {
        // audioMuxVersion 1, A 0, tara, framing, 0 subframes, 1 programme, 1 layer, length 25
        let head = "0 1 0 00 00000000 1 000000 0000 000 00 00011001"
        // HE-AAC, 24 kHz, stereo, to 48 kHz, LC, GASpecificConfig
        let audio = "00101 0110 0010 0011 00010 000"
        // frameLengthType, buffer fullness, no other data, no CRC, payload of one byte
        let element = Bytes.bits(head + audio + "000 11111111 0 0 00000001 10101011")
        var parser = AudioBitstreamParser(framing: .latm)
        let units = parser.parse([0x56, 0xE0, UInt8(element.count)] + element, at: 0)
        #expect(
            units.first?.newFormat
                == AudioFormat(
                    codec: .aac,
                    codecString: "mp4a.40.5",
                    profile: "HE-AAC",
                    sampleRate: 48_000,
                    channels: 2,
                    channelLayout: "stereo",
                    samplesPerAccessUnit: 2048,
                    decoderConfiguration: .init(bytes: Bytes.bits(audio))
                )
        )
        #expect(units.map(\.payload.bytes) == [[0xAB]])
    }

    @Test func opusControlHeadersAreTakenAway() {
        var parser = AudioBitstreamParser(framing: .opus, opusChannelConfiguration: 6)
        // The packets of ffmpeg 5.1: start_trim_flag on the first; CELT, 20 ms.
        let units = parser.parse(Bytes.hex("7ff003 0138 fcfffe 7fe003 fcfffe"), at: 0)
        #expect(units.map(\.payload.bytes) == [[0xFC, 0xFF, 0xFE], [0xFC, 0xFF, 0xFE]])
        #expect(units.map(\.pts.ticks) == [0, 1800])
        let format = units.first?.newFormat
        #expect(format?.codecString == "Opus")
        #expect(format?.samplesPerAccessUnit == 960)
        #expect(format?.channelLayout == "5.1")
        #expect(
            format?.decoderConfiguration.bytes
                == Bytes.hex("000600000000bb80000001 0402 000401020305")
        )
    }

    @Test func mpegAudioFramesKeepTheirHeaders() {
        // LAME, 96 kbit/s at 48 kHz; ffmpeg's MP2, 384 kbit/s.
        let layer3 = Bytes.hex("fffb7464") + [UInt8](repeating: 0, count: 284)
        let layer2 = Bytes.hex("fffde404") + [UInt8](repeating: 0, count: 1148)
        var parser = AudioBitstreamParser(framing: .mpegAudio)
        let units = parser.parse(layer3 + layer3, at: 0)
        #expect(units.map(\.payload.bytes) == [layer3, layer3])
        #expect(units.map(\.pts.ticks) == [0, 2160])
        #expect(units.first?.newFormat?.codecString == "mp4a.40.34")
        let changed = parser.parse(layer2, at: 4320)
        #expect(changed.first?.newFormat?.codecString == "mp4a.40.33")
        #expect(changed.first?.newFormat?.profile == "Layer II")
    }
}

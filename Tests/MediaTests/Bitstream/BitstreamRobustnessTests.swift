import Media
import NIOCore
import TestSupport
import Testing

private typealias Bytes = ElementaryStreamBytes

/// Any bytes are accepted: these tests fail by a trap, or by a bound that does not hold.
@Suite struct BitstreamRobustnessTests {
    /// Streams of which most bytes are headers, so that damage reaches every branch.
    private static let videoSamples: [(codec: VideoFormat.Codec, bytes: [UInt8])] = [
        (
            .h264,
            Bytes.annexB(
                "09f0",
                "6764001facd940b424dff80200016b50501054000003000400000300f07c58b658",
                "68fe8fcb",
                "060601c480",
                "6588840037ffd6781e",
                "419a2318867f",
                "019e624427ff"
            )
        ),
        (
            .hevc,
            Bytes.annexB(
                "460150",
                "40010c01ffff0408000003009d0800000300003f959409",
                "4201010408000003009d0800000300003fb005020171d45b6595952930bc39a0200000030020000003"
                    + "03c1",
                "4401c073c189",
                "2801ac21182dfa452a76b1",
                "0201d0214988",
                "2a01ac3c5b22"
            )
        ),
        (
            .av1,
            Bytes.hex("1200 0a0e0000000cc4ff673efe5424402490 320710000003010000 1200 320330aabb")
        ),
        (
            .av1,
            Bytes.hex(
                "000001 1200 000001 0a0b000000030cc4ff673efe4090 000001 3207100000030301000003"
            )
        ),
        (
            .jpegXS,
            Bytes.hex(
                "0000001e 6a786573 00000064 41000019 0000 3540 1080 01 01 01 00 01020304 ff10 ff50"
                    + "0004 0000 ff12 001a 00010000 3540 1080 0780 021c 0000 0010 03 04 08 14 55 00"
                    + "00 00 ff13 0008 0a11 0a21 0a21 ff20 0004 0000 aabbcc"
            )
        ),
    ]

    private static let audioSamples: [(framing: AudioBitstreamParser.Framing, bytes: [UInt8])] = [
        (.adts, Bytes.hex("fff15080011ffc01 fff1500001bffca004c8001000 fff15080011ffc02")),
        (
            .latm,
            Bytes.hex(
                "56e07c200011881fe3aef01002630bb319a9c97199b971898180001344ea8cc625e92c3a175e33e64e"
                    + "355abc91724923c227feb63258dff77fc39d6d3957818efcc5e5370bf85faa991b09ab9ab99d"
                    + "be5972e5e3c6aabe5972e5e3c78f1cb34d145c78f18a6cb1451786f67778f8f760f51754f2f7"
                    + "58f55701e6aeade6ee00"
            )
        ),
        (.opus, Bytes.hex("7ff003 0138 fcfffe 7fe003 fcfffe 7ffc02 01380138 02aabb fc01")),
        (.ac3, Bytes.hex("0b775052004043e1") + [UInt8](repeating: 0, count: 120)),
        (.eac3, Bytes.hex("0b770007 3f87ffffffffffffffffffff 0b774007 3f87ffffffffffffffffffff")),
        (
            .mpegAudio,
            Bytes.hex("fffb1464") + [UInt8](repeating: 0, count: 92)
        ),
    ]

    @Test(arguments: VideoFormat.Codec.allCases)
    func randomBytesDoNoHarmToVideo(_ codec: VideoFormat.Codec) {
        var random = SeededRandom(seed: 1)
        var parser = VideoBitstreamParser(codec: codec)
        for _ in 0..<1000 {
            var bytes = random.bytes(Int.random(in: 0...300, using: &random))
            // Start codes, or nothing would be looked at.
            for _ in 0..<(bytes.count / 32) {
                let place = Int.random(in: 0...(bytes.count - 4), using: &random)
                bytes.replaceSubrange(place..<(place + 3), with: [0, 0, 1])
            }
            let total = parser.parse(bytes).reduce(0) { $0 + $1.payload.readableBytes }
            #expect(total <= bytes.count * 5)
        }
    }

    @Test(arguments: videoSamples.indices)
    func damagedVideoDoesNoHarm(_ index: Int) {
        let sample = Self.videoSamples[index]
        var random = SeededRandom(seed: 2)
        for _ in 0..<2000 {
            var parser = VideoBitstreamParser(codec: sample.codec)
            var bytes = sample.bytes
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let bit = Int.random(in: 0..<(bytes.count * 8), using: &random)
                bytes[bit / 8] ^= 1 << (bit % 8)
            }
            for unit in parser.parse(bytes) {
                guard let format = unit.newFormat else { continue }
                #expect((1...32_768).contains(format.width) && (1...32_768).contains(format.height))
            }
        }
    }

    @Test(arguments: videoSamples.indices)
    func videoCutAnywhereDoesNoHarm(_ index: Int) {
        let sample = Self.videoSamples[index]
        for end in sample.bytes.indices {
            var parser = VideoBitstreamParser(codec: sample.codec)
            _ = parser.parse(Array(sample.bytes[..<end]))
            _ = parser.parse(Array(sample.bytes[end...]))
            // Whatever came before, a whole stream is understood.
            #expect(!parser.parse(sample.bytes).isEmpty)
        }
    }

    /// Payloads stay in memory for a whole window.
    @Test(arguments: videoSamples.indices)
    func payloadsHoldNoMoreMemoryThanTheyHaveBytes(_ index: Int) {
        let sample = Self.videoSamples[index]
        var parser = VideoBitstreamParser(codec: sample.codec)
        for unit in parser.parse(sample.bytes) {
            #expect(unit.payload.storageCapacity == unit.payload.readableBytes)
        }
    }

    @Test(arguments: audioSamples.indices)
    func randomBytesDoNoHarmToAudio(_ index: Int) {
        var random = SeededRandom(seed: 3)
        var parser = AudioBitstreamParser(
            framing: Self.audioSamples[index].framing,
            opusChannelConfiguration: 2
        )
        let syncWords: [[UInt8]] = [[0xFF, 0xF1], [0x56, 0xE0], [0x0B, 0x77], [0x7F, 0xE0]]
        var taken = 0
        var given = 0
        for _ in 0..<1000 {
            var bytes = random.bytes(Int.random(in: 0...300, using: &random))
            for _ in 0..<(bytes.count / 32) {
                let place = Int.random(in: 0...(bytes.count - 2), using: &random)
                bytes.replaceSubrange(
                    place..<(place + 2),
                    with: syncWords.randomElement(using: &random) ?? []
                )
            }
            given += bytes.count
            taken += parser.parse(bytes, at: 0).reduce(0) { $0 + $1.payload.readableBytes }
        }
        #expect(taken <= given)
    }

    @Test(arguments: audioSamples.indices)
    func damagedAudioDoesNoHarm(_ index: Int) {
        let sample = Self.audioSamples[index]
        var random = SeededRandom(seed: 4)
        for _ in 0..<2000 {
            var parser = AudioBitstreamParser(framing: sample.framing, opusChannelConfiguration: 2)
            var bytes = sample.bytes + sample.bytes
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let bit = Int.random(in: 0..<(bytes.count * 8), using: &random)
                bytes[bit / 8] ^= 1 << (bit % 8)
            }
            for unit in parser.parse(bytes, at: 0) {
                guard let format = unit.newFormat else { continue }
                #expect(format.sampleRate > 0 && format.samplesPerAccessUnit > 0)
            }
        }
    }

    @Test(arguments: audioSamples.indices)
    func audioFedByteByByteGivesTheSameFrames(_ index: Int) {
        let sample = Self.audioSamples[index]
        var whole = AudioBitstreamParser(framing: sample.framing, opusChannelConfiguration: 2)
        let expected = whole.parse(sample.bytes + sample.bytes, at: 0)
        var dripped = AudioBitstreamParser(framing: sample.framing, opusChannelConfiguration: 2)
        var units: [AudioUnit] = []
        for (offset, byte) in (sample.bytes + sample.bytes).enumerated() {
            units += dripped.parse([byte], at: offset == 0 ? 0 : nil)
        }
        #expect(!expected.isEmpty)
        #expect(units.map(\.payload) == expected.map(\.payload))
        #expect(units.map(\.pts) == expected.map(\.pts))
    }
}

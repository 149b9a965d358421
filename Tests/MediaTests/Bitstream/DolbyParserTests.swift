import Media
import NIOCore
import Testing

private typealias Bytes = ElementaryStreamBytes

@Suite struct DolbyParserTests {
    /// Headers of ffmpeg 5.1's encoders: AC-3 stereo 192 kbit/s, E-AC-3 5.1 448 kbit/s.
    private static let ac3 = Bytes.hex("0b775052144043e1") + [UInt8](repeating: 0, count: 760)
    private static let eac3 =
        Bytes.hex("0b77037f3f87c00020f8000002000000") + [UInt8](repeating: 0, count: 1776)

    /// A syncframe of sixteen bytes at 48 kHz.
    ///
    /// `blocks`: `numblkscod`.
    private static func frame(
        type: Int,
        substream: Int = 0,
        blocks: Int = 3,
        mode: Int = 2,
        channelMap: Int? = nil
    ) -> [UInt8] {
        var header = Bytes.binary(0x0B77, 16) + Bytes.binary(type, 2) + Bytes.binary(substream, 3)
        header += Bytes.binary(7, 11) + "00" + Bytes.binary(blocks, 2) + Bytes.binary(mode, 3) + "0"
        header += Bytes.binary(16, 5) + "11111" + "0"
        if type == 1 { header += channelMap.map { "1" + Bytes.binary($0, 16) } ?? "0" }
        let bytes = Bytes.bits(header)
        return bytes + [UInt8](repeating: 0, count: 16 - bytes.count)
    }

    @Test func ac3HeaderGivesTheFormat() {
        var parser = AudioBitstreamParser(framing: .ac3)
        let units = parser.parse(Self.ac3 + Self.ac3, at: 0)
        #expect(
            units.first?.newFormat
                == AudioFormat(
                    codec: .ac3,
                    codecString: "ac-3",
                    sampleRate: 48_000,
                    channels: 2,
                    channelLayout: "stereo",
                    samplesPerAccessUnit: 1536,
                    decoderConfiguration: .init(bytes: [0x10, 0x11, 0x40])
                )
        )
        #expect(units.map(\.pts.ticks) == [0, 2880])
        #expect(units.map(\.payload.readableBytes) == [768, 768])
    }

    @Test func enhancedHeaderGivesTheFormat() {
        var parser = AudioBitstreamParser(framing: .eac3)
        let units = parser.parse(Self.eac3 + Self.eac3, at: 0)
        #expect(
            units.first?.newFormat
                == AudioFormat(
                    codec: .eac3,
                    codecString: "ec-3",
                    sampleRate: 48_000,
                    channels: 6,
                    channelLayout: "5.1",
                    samplesPerAccessUnit: 1536,
                    decoderConfiguration: .init(bytes: Bytes.hex("0e00200f00"))
                )
        )
        #expect(units.map(\.payload.readableBytes) == [1792, 1792])
    }

    @Test func theLastUnitOfAPacketIsHeldBackOnlyUntilItsShapeIsKnown() {
        var parser = AudioBitstreamParser(framing: .eac3)
        #expect(parser.parse(Self.eac3, at: 0).isEmpty)
        #expect(parser.parse(Self.eac3, at: 2880).map(\.pts.ticks) == [0, 2880])
        #expect(parser.parse(Self.eac3, at: 5760).map(\.pts.ticks) == [5760])
    }

    @Test func framesOfFewerBlocksMakeOneUnit() {
        var parser = AudioBitstreamParser(framing: .eac3)
        let frames = (0..<12).flatMap { _ in Self.frame(type: 0, blocks: 0) }
        let units = parser.parse(frames, at: 0)
        #expect(units.map(\.payload.readableBytes) == [96, 96])
        #expect(units.map(\.pts.ticks) == [0, 2880])
    }

    @Test func dependentSubstreamsBelongToTheUnitAndAddTheirLoudspeakers() {
        var parser = AudioBitstreamParser(framing: .eac3)
        // L, C, R, Ls, Rs; the dependent one replaces Ls and Rs and adds Lrs and Rrs.
        let unit =
            Self.frame(type: 0, mode: 7) + Self.frame(type: 1, mode: 6, channelMap: 0x1A00)
        let units = parser.parse(unit + unit, at: 0)
        #expect(units.map(\.payload.bytes) == [unit, unit])
        let format = units.first?.newFormat
        #expect(format?.channels == 7)
        #expect(format?.channelLayout == "7.0")
        // 8 kbit/s, one programme; 48 kHz, bsid 16, acmod 7; one dependent substream: Lrs/Rrs.
        let expected = Bytes.bits(
            Bytes.binary(8, 13) + "000" + "00 10000 0 0 000 111 0 000 0001 000000010"
        )
        #expect(format?.decoderConfiguration.bytes == expected)
    }

    @Test func jointObjectCodingIsTold() {
        // To bsid as above; dialnorm, no compr; no mixing, no information; addbsi of two bytes.
        var unit = Bytes.bits(
            Bytes.binary(0x0B77, 16) + "00 000" + Bytes.binary(7, 11) + "00 11 111 1" + "10000"
                + "11111 0" + "0 0 1 000001 0000000 1" + Bytes.binary(16, 8)
        )
        unit += [UInt8](repeating: 0, count: 16 - unit.count)
        var parser = AudioBitstreamParser(framing: .eac3)
        let format = parser.parse(unit + unit, at: 0).first?.newFormat
        #expect(format?.profile == "Dolby Atmos (joint object coding)")
        #expect(format?.decoderConfiguration.bytes.suffix(2) == [0x01, 0x10])
    }
}

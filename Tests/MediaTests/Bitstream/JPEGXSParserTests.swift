import Media
import NIOCore
import Testing

private typealias Bytes = ElementaryStreamBytes

@Suite struct JPEGXSParserTests {
    /// SOC, CAP, PIH (1920×540, three components), CDT (10 bit 4:2:2), slice header.
    private static let codestream = Bytes.hex(
        "ff10 ff50 0004 0000"
            + "ff12 001a 00010000 3540 1080 0780 021c 0000 0010 03 04 08 14 55 00 00 00"
            + "ff13 0008 0a11 0a21 0a21 ff20 0004 0000 aabbcc"
    )
    /// 25 interlaced frames a second, BT.709.
    private static let streamHeader = Bytes.hex(
        "0000001e 6a786573 00000064 41000019 0000 3540 1080 01 01 01 00 01020304"
    )

    @Test func codestreamHeaderGivesSizeDepthAndProfile() {
        var parser = VideoBitstreamParser(codec: .jpegXS)
        let units = parser.parse(Self.codestream)
        #expect(
            units.first?.newFormat
                == VideoFormat(
                    codec: .jpegXS,
                    codecString: "jxsm",
                    profile: "Main 422.10",
                    level: "2k-1, Full",
                    width: 1920,
                    height: 540,
                    bitDepth: 10,
                    chroma: .yuv422,
                    reorderDepth: 0,
                    decoderConfiguration: .init()
                )
        )
        #expect(units.map(\.payload.bytes) == [Self.codestream])
        #expect(units.map(\.randomAccess) == [.closed])
    }

    @Test func elementaryStreamHeaderGivesRateAndColourAndIsLeftOut() {
        var parser = VideoBitstreamParser(codec: .jpegXS)
        let units = parser.parse(Self.streamHeader + Self.codestream)
        #expect(units.map(\.payload.bytes) == [Self.codestream])
        let format = units.first?.newFormat
        #expect(format?.frameRate == Rational(25, 1))
        #expect(format?.isInterlaced == true)
        #expect(format?.height == 1080)
        #expect(format?.colour == .init(primaries: 1, transfer: 1, matrix: 1, isFullRange: false))
    }

    @Test func otherBytesAreDroppedAndCounted() {
        var parser = VideoBitstreamParser(codec: .jpegXS)
        #expect(parser.parse(Array(Self.codestream.dropFirst())).isEmpty)
        #expect(parser.droppedUnits == 1)
    }
}

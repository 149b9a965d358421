import Media
import NIOCore
import Testing

private typealias Bytes = ElementaryStreamBytes

/// Units of libx265 (ffmpeg 5.1), 640×360 with an open GOP; slices cut after their headers.
private enum Sample {
    static let vps = "40010c01ffff01600000030090000003000003003f959409"
    static let sps =
        "42010101600000030090000003000003003fa005020171f2e595952930b9a708000003000800000300f040"
    static let pps = "4401c073c189"
    static let delimiter = "460150"
    static let idr = "2801ac21182dfa452a76b186f02704c0"
    static let clean = "2a01ac3c5b22246060b8291f6aeabc1a"
    static let trailing = "0201d0214988108c554b4d4096874c"
    static let trailingNonReference = "0001e024fd7a240a462a555560928a08"
    static let leading = "1201e1c2255278204a3154aaab948554"
    static let leadingNonReference = "1001e1a6f5fe8902818a955558928a08"
}

@Suite struct HEVCParserTests {
    struct Facts: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let vps: String
        let sps: String
        let expected: VideoFormat
    }

    /// What ffprobe 5.1 says of the same streams; the configurations are those that ffmpeg writes.
    private static let facts: [Facts] = [
        Facts(
            testDescription: "libx265, 8 bit",
            vps: Sample.vps,
            sps: Sample.sps,
            expected: VideoFormat(
                codec: .hevc,
                codecString: "hvc1.1.6.L63.90",
                profile: "Main",
                level: "2.1",
                width: 640,
                height: 360,
                frameRate: Rational(30, 1),
                reorderDepth: 2,
                decoderConfiguration: .init(
                    bytes: Bytes.hex(
                        "0101600000009000000000003ff000fcfdf8f800000f03"
                            + "a000010018" + Sample.vps + "a10001002b" + Sample.sps
                            + "a200010006" + Sample.pps
                    )
                )
            )
        ),
        Facts(
            testDescription: "libx265, 10 bit PQ",
            vps: "40010c01ffff02200000030090000003000003003f959409",
            sps:
                "42010102200000030090000003000003003fa005020171f2b6595952930b9a848804f08000000300"
                + "8000000f04",
            expected: VideoFormat(
                codec: .hevc,
                codecString: "hvc1.2.4.L63.90",
                profile: "Main 10",
                level: "2.1",
                width: 640,
                height: 360,
                frameRate: Rational(30, 1),
                bitDepth: 10,
                colour: .init(primaries: 9, transfer: 16, matrix: 9, isFullRange: false),
                reorderDepth: 2,
                decoderConfiguration: .init(
                    bytes: Bytes.hex(
                        "0102200000009000000000003ff000fcfdfafa00000f03"
                            + "a000010018" + "40010c01ffff02200000030090000003000003003f959409"
                            + "a10001002d"
                            + "42010102200000030090000003000003003fa005020171f2b6595952930b9a848804f0"
                            + "80000003008000000f04" + "a200010006" + Sample.pps
                    )
                )
            )
        ),
        Facts(
            testDescription: "libx265, 4:2:2 10 bit, cropped",
            vps: "40010c01ffff0408000003009d0800000300003f959409",
            sps:
                "4201010408000003009d0800000300003fb005020171d45b6595952930bc39a02000000300200000"
                + "0303c1",
            expected: VideoFormat(
                codec: .hevc,
                codecString: "hvc1.4.10.L63.9D.8",
                profile: "Main 4:2:2 10",
                level: "2.1",
                width: 638,
                height: 358,
                sampleAspectRatio: Rational(4, 3),
                frameRate: Rational(30, 1),
                bitDepth: 10,
                chroma: .yuv422,
                reorderDepth: 2,
                decoderConfiguration: .init(
                    bytes: Bytes.hex(
                        "0104080000009d08000000003ff000fcfefafa00000f03"
                            + "a000010017" + "40010c01ffff0408000003009d0800000300003f959409"
                            + "a10001002b"
                            + "4201010408000003009d0800000300003fb005020171d45b6595952930bc39a020"
                            + "000003002000000303c1" + "a200010006" + Sample.pps
                    )
                )
            )
        ),
    ]

    @Test(arguments: facts)
    func parameterSetsGiveTheFactsThatFFprobeGives(_ facts: Facts) {
        var parser = VideoBitstreamParser(codec: .hevc)
        let units = parser.parse(Bytes.annexB(facts.vps, facts.sps, Sample.pps, Sample.idr))
        #expect(units.first?.newFormat == facts.expected)
        #expect(parser.format == facts.expected)
    }

    @Test func payloadHoldsTheUnitsADecoderNeedsBehindTheirLengths() {
        var parser = VideoBitstreamParser(codec: .hevc)
        let prefixMessage = "4e0105041122338080"
        let suffixMessage = "5001050411223380"
        let units = parser.parse(
            Bytes.annexB(
                Sample.delimiter,
                Sample.vps,
                Sample.sps,
                Sample.pps,
                prefixMessage,
                Sample.idr,
                suffixMessage
            )
        )
        #expect(
            units.map(\.payload.bytes)
                == [Bytes.lengthPrefixed(prefixMessage, Sample.idr, suffixMessage)]
        )
        #expect(units.map(\.randomAccess) == [.closed])
    }

    @Test func cleanRandomAccessIsAnOpenEntry() {
        var parser = Self.startedParser()
        #expect(parser.parse(Bytes.annexB(Sample.clean)).map(\.randomAccess) == [.open])
    }

    @Test func leadingPicturesOfTheFirstEntryAreDroppedAndThoseOfALaterOneAreNot() {
        var parser = VideoBitstreamParser(codec: .hevc)
        _ = parser.parse(Bytes.annexB(Sample.vps, Sample.sps, Sample.pps, Sample.clean))
        #expect(parser.parse(Bytes.annexB(Sample.leading)).isEmpty)
        #expect(parser.parse(Bytes.annexB(Sample.leadingNonReference)).isEmpty)
        #expect(parser.droppedUnits == 2)
        #expect(parser.parse(Bytes.annexB(Sample.clean)).count == 1)
        #expect(parser.parse(Bytes.annexB(Sample.leading)).count == 1)
        #expect(parser.droppedUnits == 2)
    }

    @Test func onlyAPictureThatNoOtherRefersToIsDisposable() {
        var parser = Self.startedParser()
        #expect(parser.parse(Bytes.annexB(Sample.trailing)).map(\.isDisposable) == [false])
        #expect(
            parser.parse(Bytes.annexB(Sample.trailingNonReference)).map(\.isDisposable) == [true]
        )
    }

    @Test func severalAccessUnitsInOneCallAreSeveralUnits() {
        var parser = Self.startedParser()
        let separated = parser.parse(
            Bytes.annexB(
                Sample.delimiter,
                Sample.trailing,
                Sample.delimiter,
                Sample.trailingNonReference
            )
        )
        let bare = parser.parse(Bytes.annexB(Sample.trailing, Sample.trailingNonReference))
        #expect(bare.count == 2)
        #expect(separated.map(\.payload) == bare.map(\.payload))
    }

    @Test func slicesOfOnePictureStayTogether() {
        var parser = Self.startedParser()
        // first_slice_segment_in_pic_flag 0
        let second = "020150214988108c"
        let units = parser.parse(Bytes.annexB(Sample.trailing, second))
        #expect(units.map(\.payload.bytes) == [Bytes.lengthPrefixed(Sample.trailing, second)])
    }

    @Test func picturesBeforeTheFirstKeyframeAreDroppedAndCounted() {
        var parser = VideoBitstreamParser(codec: .hevc)
        #expect(parser.parse(Bytes.annexB(Sample.trailing)).isEmpty)
        #expect(parser.parse(Bytes.annexB(Sample.idr)).isEmpty)
        #expect(parser.droppedUnits == 2)
    }

    private static func startedParser() -> VideoBitstreamParser {
        var parser = VideoBitstreamParser(codec: .hevc)
        _ = parser.parse(Bytes.annexB(Sample.vps, Sample.sps, Sample.pps, Sample.idr))
        return parser
    }
}

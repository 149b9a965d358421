import Media
import NIOCore
import Testing

private typealias Bytes = ElementaryStreamBytes

/// Units of libx264 (ffmpeg 5.1), 640×360 with two B-frames; slices cut after their headers.
private enum Sample {
    static let sps = "6764001eacd940a02ff9610000030001000003003c0f162d96"
    static let pps = "68ef8fcb"
    static let idr = "6588840037ffd6781efff4379dd773f2"
    static let reference = "419a2318867ffe9e100814f6b000e355"
    static let nonReference = "019e624427ff00000300000301dd"
    static let delimiter = "09f0"
    static let userData = "06050411223380"
    static let recoveryPoint = "060601c480"

    /// Of another encoder of the same family: interlaced, 720×576.
    static let interlacedSPS = "6764001facd940b424dff80200016b50501054000003000400000300f07c58b658"
    static let interlacedPPS = "68fe8fcb"
}

@Suite struct H264ParserTests {
    struct Facts: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let sps: String
        let pps: String
        let expected: VideoFormat
    }

    /// What ffprobe 5.1 says of the same streams.
    private static let facts: [Facts] = [
        Facts(
            testDescription: "libx264, B-frames",
            sps: Sample.sps,
            pps: Sample.pps,
            expected: VideoFormat(
                codec: .h264,
                codecString: "avc1.64001e",
                profile: "High",
                level: "3.0",
                width: 640,
                height: 360,
                reorderDepth: 2,
                decoderConfiguration: .init(
                    bytes: Bytes.hex(
                        "0164001effe100196764001eacd940a02ff9610000030001000003003c0f162d96"
                            + "01000468ef8fcbfdf8f800"
                    )
                )
            )
        ),
        Facts(
            testDescription: "a phone's encoder, cropped 1080p",
            sps: "67640028acb403c0113f2ca40404041b4284d4",
            pps: "68ee06e2c0",
            expected: VideoFormat(
                codec: .h264,
                codecString: "avc1.640028",
                profile: "High",
                level: "4.0",
                width: 1920,
                height: 1080,
                colour: .init(primaries: 1, transfer: 1, matrix: 1, isFullRange: false),
                reorderDepth: 0,
                decoderConfiguration: .init(
                    bytes: Bytes.hex(
                        "01640028ffe1001367640028acb403c0113f2ca40404041b4284d4"
                            + "01000568ee06e2c0fdf8f800"
                    )
                )
            )
        ),
        Facts(
            testDescription: "libx264, interlaced",
            sps: Sample.interlacedSPS,
            pps: Sample.interlacedPPS,
            expected: VideoFormat(
                codec: .h264,
                codecString: "avc1.64001f",
                profile: "High",
                level: "3.1",
                width: 720,
                height: 576,
                sampleAspectRatio: Rational(64, 45),
                colour: .init(primaries: 5, transfer: 1, matrix: 5, isFullRange: false),
                isInterlaced: true,
                reorderDepth: 2,
                decoderConfiguration: .init(
                    bytes: Bytes.hex(
                        "0164001fffe100216764001facd940b424dff80200016b50501054000003000400000300"
                            + "f07c58b65801000468fe8fcbfdf8f800"
                    )
                )
            )
        ),
        Facts(
            testDescription: "libx264, 4:2:2 10 bit",
            sps: "677a001eb6cd940a02ff9e10000003001000000303c0f162d960",
            pps: "68ef8fcb",
            expected: VideoFormat(
                codec: .h264,
                codecString: "avc1.7a001e",
                profile: "High 4:2:2",
                level: "3.0",
                width: 640,
                height: 362,
                bitDepth: 10,
                chroma: .yuv422,
                reorderDepth: 2,
                decoderConfiguration: .init(
                    bytes: Bytes.hex(
                        "017a001effe1001a677a001eb6cd940a02ff9e10000003001000000303c0f162d960"
                            + "01000468ef8fcbfefafa00"
                    )
                )
            )
        ),
        Facts(
            testDescription: "libx264 zerolatency, fixed frame rate",
            sps: "6764001eac4d01405ff2c2000003000200000300791e2c5d40",
            pps: "68ef0fcb",
            expected: VideoFormat(
                codec: .h264,
                codecString: "avc1.64001e",
                profile: "High",
                level: "3.0",
                width: 640,
                height: 360,
                frameRate: Rational(30, 1),
                reorderDepth: 0,
                decoderConfiguration: .init(
                    bytes: Bytes.hex(
                        "0164001effe100196764001eac4d01405ff2c2000003000200000300791e2c5d40"
                            + "01000468ef0fcbfdf8f800"
                    )
                )
            )
        ),
    ]

    @Test(arguments: facts)
    func parameterSetsGiveTheFactsThatFFprobeGives(_ facts: Facts) {
        var parser = VideoBitstreamParser(codec: .h264)
        let units = parser.parse(Bytes.annexB(facts.sps, facts.pps, Sample.idr))
        #expect(units.count == 1)
        #expect(units.first?.newFormat == facts.expected)
        #expect(parser.format == facts.expected)
    }

    @Test func payloadHoldsTheUnitsADecoderNeedsBehindTheirLengths() {
        var parser = VideoBitstreamParser(codec: .h264)
        let units = parser.parse(
            Bytes.annexB(
                Sample.delimiter,
                Sample.sps,
                Sample.pps,
                Sample.userData,
                Sample.idr,
                "0cff80"
            )
        )
        #expect(
            units.map(\.payload.bytes) == [Bytes.lengthPrefixed(Sample.userData, Sample.idr)]
        )
        #expect(units.map(\.randomAccess) == [.closed])
    }

    @Test func startCodesAreFoundWhereverTheyLie() {
        let endOfSequence = "0a80"
        for count in 0..<600 {
            // What looks like a start code begun.
            let rest = (0..<count).map { ["ab", "00", "01", "00"][$0 % 4] }.joined()
            let picture = Sample.idr + rest + "80"
            var parser = VideoBitstreamParser(codec: .h264)
            let units = parser.parse(
                Bytes.annexB(Sample.sps, Sample.pps, picture, endOfSequence)
            )
            #expect(
                units.map(\.payload.bytes) == [Bytes.lengthPrefixed(picture, endOfSequence)]
            )
        }
    }

    @Test func picturesBeforeTheFirstKeyframeAreDroppedAndCounted() {
        var parser = VideoBitstreamParser(codec: .h264)
        #expect(parser.parse(Bytes.annexB(Sample.delimiter, Sample.reference)).isEmpty)
        _ = parser.parse(Bytes.annexB(Sample.sps, Sample.pps))
        #expect(parser.parse(Bytes.annexB(Sample.delimiter, Sample.reference)).isEmpty)
        #expect(parser.droppedUnits == 2)
        #expect(parser.format == nil)
        #expect(parser.parse(Bytes.annexB(Sample.idr)).count == 1)
    }

    @Test func onlyAPictureThatNoOtherRefersToIsDisposable() {
        var parser = Self.startedParser()
        #expect(parser.parse(Bytes.annexB(Sample.reference)).map(\.isDisposable) == [false])
        #expect(parser.parse(Bytes.annexB(Sample.nonReference)).map(\.isDisposable) == [true])
    }

    @Test func severalAccessUnitsInOneCallAreSeveralUnits() {
        var parser = Self.startedParser()
        let separated = parser.parse(
            Bytes.annexB(
                Sample.delimiter,
                Sample.reference,
                Sample.delimiter,
                Sample.nonReference
            )
        )
        let bare = parser.parse(Bytes.annexB(Sample.reference, Sample.nonReference))
        #expect(separated.map(\.payload) == bare.map(\.payload))
        #expect(
            bare.map(\.payload.bytes)
                == [
                    Bytes.lengthPrefixed(Sample.reference),
                    Bytes.lengthPrefixed(Sample.nonReference),
                ]
        )
    }

    @Test func slicesOfOnePictureStayTogether() {
        var parser = Self.startedParser()
        let units = parser.parse(
            Bytes.annexB("6e4021", Sample.reference, "6e4021", Sample.reference)
        )
        #expect(
            units.map(\.payload.bytes)
                == [Bytes.lengthPrefixed(Sample.reference, Sample.reference)]
        )
    }

    @Test func fieldsOfAFrameAreOneUnit() {
        // first_mb, slice_type, pps, frame_num, field_pic, bottom, (idr_pic_id), poc_lsb
        let fields = [
            [0x65] + Bytes.bits("1 0001000 1 0000 1 0 1 000000 1"),
            [0x41] + Bytes.bits("1 00110 1 0000 1 1 000001 1"),
            [0x41] + Bytes.bits("1 00110 1 0001 1 0 000010 1"),
            [0x41] + Bytes.bits("1 00110 1 0001 1 1 000011 1"),
        ]
        var parser = VideoBitstreamParser(codec: .h264)
        let units = parser.parse(
            Bytes.annexB(Sample.interlacedSPS, Sample.interlacedPPS)
                + fields.flatMap { Bytes.annexB(Sample.delimiter) + [0, 0, 1] + $0 }
        )
        let lengths = units.map { $0.payload.readableBytes }
        #expect(
            lengths == [
                8 + fields[0].count + fields[1].count, 8 + fields[2].count + fields[3].count,
            ]
        )
        #expect(units.map(\.randomAccess) == [.closed, .none])
    }

    @Test func recoveryPointIsAnOpenEntry() {
        var parser = VideoBitstreamParser(codec: .h264)
        let units = parser.parse(
            Bytes.annexB(
                Sample.sps,
                Sample.pps,
                Sample.userData,
                Sample.recoveryPoint,
                Sample.reference
            )
        )
        #expect(units.map(\.randomAccess) == [.open])
        #expect(units.first?.newFormat != nil)
    }

    @Test func repeatedParameterSetsAreNotANewFormat() {
        var parser = Self.startedParser()
        let units = parser.parse(Bytes.annexB(Sample.sps, Sample.pps, Sample.idr))
        #expect(units.map { $0.newFormat == nil } == [true])
    }

    @Test func otherParameterSetsAtAKeyframeAreANewFormat() {
        var parser = Self.startedParser()
        let units = parser.parse(
            Bytes.annexB(Sample.interlacedSPS, Sample.interlacedPPS, Sample.idr)
        )
        #expect(units.first?.newFormat?.height == 576)
        #expect(parser.format?.height == 576)
    }

    @Test func parameterSetsChangedBetweenKeyframesStayInThePayload() {
        var parser = Self.startedParser()
        let other = "68ef8fcc"
        let units = parser.parse(Bytes.annexB(Sample.sps, other, Sample.reference))
        #expect(
            units.map(\.payload.bytes) == [Bytes.lengthPrefixed(other, Sample.reference)]
        )
        #expect(units.first?.newFormat == nil)
    }

    private static func startedParser() -> VideoBitstreamParser {
        var parser = VideoBitstreamParser(codec: .h264)
        _ = parser.parse(Bytes.annexB(Sample.sps, Sample.pps, Sample.idr))
        return parser
    }
}

import Media
import NIOCore
import Testing

private typealias Bytes = ElementaryStreamBytes

/// OBUs of SVT-AV1 1.4 (ffmpeg 5.1), 640×360; frames cut to a few bytes.
private enum Sample {
    static let delimiter = "1200"
    static let sequenceHeader = "0a0b0000000cc4ff673efe4090"
    static let keyframe = "320710000003010000"
    static let interFrame = "320330aabb"
}

@Suite struct AV1ParserTests {
    @Test func sequenceHeaderGivesTheFactsThatFFprobeGives() {
        var parser = VideoBitstreamParser(codec: .av1)
        let units = parser.parse(
            Bytes.hex(Sample.delimiter + Sample.sequenceHeader + Sample.keyframe)
        )
        #expect(
            units.map(\.newFormat) == [
                VideoFormat(
                    codec: .av1,
                    codecString: "av01.0.01M.08",
                    profile: "Main",
                    level: "2.1",
                    width: 640,
                    height: 360,
                    reorderDepth: 0,
                    decoderConfiguration: .init(
                        bytes: Bytes.hex("81010d00" + Sample.sequenceHeader)
                    )
                )
            ]
        )
    }

    @Test func codecStringTellsOfColourThatIsNotTheDefault() {
        var parser = VideoBitstreamParser(codec: .av1)
        // SVT-AV1, 10 bit, BT.2020 and PQ.
        let header = "0a0e0000000cc4ff673efe5424402490"
        _ = parser.parse(Bytes.hex(Sample.delimiter + header + Sample.keyframe))
        #expect(parser.format?.codecString == "av01.0.01M.10.0.111.09.16.09.0")
        #expect(parser.format?.bitDepth == 10)
        #expect(parser.format?.dynamicRange == .pq)
        #expect(parser.format?.decoderConfiguration.bytes == Bytes.hex("81014d00" + header))
    }

    @Test func payloadIsTheTemporalUnitWithoutItsDelimiter() {
        var parser = VideoBitstreamParser(codec: .av1)
        let units = parser.parse(
            Bytes.hex(Sample.delimiter + Sample.sequenceHeader + Sample.keyframe + "7a0180")
        )
        #expect(units.map(\.payload.bytes) == [Bytes.hex(Sample.sequenceHeader + Sample.keyframe)])
        #expect(units.map(\.randomAccess) == [.closed])
    }

    @Test func startCodesAndEmulationPreventionAreTakenAway() {
        var parser = VideoBitstreamParser(codec: .av1)
        let units = parser.parse(
            Bytes.hex(
                "000001 1200 000001 0a0b000000030cc4ff673efe4090 000001 3207100000030301000003"
            )
        )
        #expect(units.map(\.payload.bytes) == [Bytes.hex(Sample.sequenceHeader + Sample.keyframe)])
    }

    @Test func sizesAreAddedWhereStartCodesTellThem() {
        var parser = VideoBitstreamParser(codec: .av1)
        let units = parser.parse(
            Bytes.hex("000001 10 000001 08000000030cc4ff673efe4090 000001 30100000030301000003")
        )
        #expect(units.map(\.payload.bytes) == [Bytes.hex(Sample.sequenceHeader + Sample.keyframe)])
    }

    @Test func severalTemporalUnitsInOneCallAreSeveralUnits() {
        var parser = VideoBitstreamParser(codec: .av1)
        let units = parser.parse(
            Bytes.hex(
                Sample.delimiter + Sample.sequenceHeader + Sample.keyframe
                    + Sample.delimiter + Sample.interFrame
            )
        )
        #expect(units.map(\.randomAccess) == [.closed, .none])
        #expect(units.last?.payload.bytes == Bytes.hex(Sample.interFrame))
    }

    @Test func framesBeforeTheFirstKeyframeAreDroppedAndCounted() {
        var parser = VideoBitstreamParser(codec: .av1)
        #expect(parser.parse(Bytes.hex(Sample.delimiter + Sample.interFrame)).isEmpty)
        #expect(parser.parse(Bytes.hex(Sample.delimiter + Sample.keyframe)).isEmpty)
        #expect(parser.droppedUnits == 2)
    }

    @Test func keyframeThatIsNotShownAtOnceIsNoEntry() {
        var parser = VideoBitstreamParser(codec: .av1)
        _ = parser.parse(Bytes.hex(Sample.sequenceHeader + Sample.keyframe))
        // show_existing_frame 0, frame_type KEY_FRAME, show_frame 0
        #expect(parser.parse(Bytes.hex("320300aabb")).map(\.randomAccess) == [.none])
        // show_existing_frame 1
        #expect(parser.parse(Bytes.hex("1a0190")).map(\.randomAccess) == [.none])
    }
}

import Media
import NIOCore
import Packaging
import Testing

/// The header of a rendition, read back box by box.
@Suite struct CMAFHeaderTests {
    /// The header that a track gets.
    private func header(_ format: MediaFormat, language: String? = nil) throws -> [ReadBox] {
        var packager = StreamPackager(configuration: .init())
        let track = Track(id: Track.ID(1), format: format, language: language)
        var outputs = packager.consume(.tracks(TrackList([track])))
        for number in 0..<40 {
            let time = MediaTime(mpegTicks: Int64(number) * 3_000)
            outputs += packager.consume(
                .accessUnit(
                    AccessUnit(
                        track: track.id,
                        pts: time,
                        dts: time,
                        payload: ByteBuffer(bytes: [0]),
                        randomAccess: .closed,
                        arrival: SyntheticSource.wallStart
                    )
                )
            )
        }
        guard case .renditions(let renditions) = outputs.first,
            let bytes = renditions.first?.initialization.readableBytesView
        else {
            Issue.record("no rendition")
            return []
        }
        return try #require(ReadBox.all(in: Array(bytes)))
    }

    private func sampleEntry(_ format: MediaFormat) throws -> ReadBox {
        let moov = try #require(try header(format).last)
        let stsd = try #require(moov.find("trak", "mdia", "minf", "stbl", "stsd"))
        #expect(stsd.integer(4) == 1)
        return try #require(stsd.children(from: 8).first)
    }

    @Test func theBoxesAreThoseOfACMAFHeader() throws {
        let boxes = try header(.video(SyntheticSource.video()))
        #expect(boxes.map(\.type) == ["ftyp", "moov"])
        #expect(String(decoding: boxes[0].body, as: UTF8.self) == "iso6\0\0\0\0iso6cmfcmp41")
        let moov = boxes[1]
        #expect(moov.children().map(\.type) == ["mvhd", "trak", "mvex"])
        #expect(moov.find("mvhd")?.integer(12) == 90_000)
        #expect(moov.find("mvhd")?.body.count == 100)
        #expect(moov.find("trak", "tkhd")?.body.count == 84)
        #expect(moov.find("trak", "tkhd")?.integer(76) == 1_280 << 16)
        #expect(moov.find("trak", "tkhd")?.integer(80) == 720 << 16)
        let media = moov.find("trak", "mdia")
        #expect(media?.children().map(\.type) == ["mdhd", "hdlr", "minf"])
        #expect(media?.find("mdhd")?.integer(12) == 90_000)
        // u, n, d as five bits each.
        #expect(media?.find("mdhd")?.integer(20, 2) == 0x55C4)
        #expect(media?.find("minf")?.children().map(\.type) == ["vmhd", "dinf", "stbl"])
        let table = media?.find("minf", "stbl")?.children().map(\.type)
        #expect(table == ["stsd", "stts", "stsc", "stsz", "stco"])
        #expect(moov.find("mvex", "trex")?.integer(20) == 0x0101_0000)
    }

    @Test(arguments: [
        (VideoFormat.Codec.h264, "avc1", "avcC"), (.hevc, "hvc1", "hvcC"), (.av1, "av01", "av1C"),
    ])
    func eachVideoCodecHasItsSampleEntry(
        codec: VideoFormat.Codec,
        entry: String,
        configuration: String
    ) throws {
        var format = SyntheticSource.video(codec: codec)
        format.colour = VideoFormat.Colour(primaries: 9, transfer: 16, matrix: 9, isFullRange: true)
        format.sampleAspectRatio = Rational(4, 3)
        let box = try sampleEntry(.video(format))
        #expect(box.type == entry)
        #expect(box.integer(24, 2) == 1_280)
        #expect(box.integer(26, 2) == 720)
        let children = box.children(from: 78)
        #expect(children.map(\.type) == [configuration, "colr", "pasp"])
        #expect(children[0].body == Array(format.decoderConfiguration.readableBytesView))
        #expect(children[1].body == Array("nclx".utf8) + [0, 9, 0, 16, 0, 9, 0x80])
        #expect(children[2].body == [0, 0, 0, 4, 0, 0, 0, 3])
    }

    @Test func unsignalledColourIsNotGuessed() throws {
        let box = try sampleEntry(.video(SyntheticSource.video()))
        #expect(box.children(from: 78).map(\.type) == ["avcC", "pasp"])
    }

    @Test func aacHasItsConfigurationInDescriptors() throws {
        let box = try sampleEntry(.audio(SyntheticSource.aac()))
        #expect(box.type == "mp4a")
        #expect(box.integer(16, 2) == 2)
        #expect(box.integer(24) == 48_000 << 16)
        let esds = try #require(box.children(from: 28).first)
        #expect(esds.type == "esds")
        // ISO/IEC 14496-1: ES, decoder configuration, AudioSpecificConfig (LC, 48 kHz, stereo), SL.
        let expected: [UInt8] =
            [0, 0, 0, 0, 0x03, 25, 0, 0, 0, 0x04, 17, 0x40, 0x15] + [UInt8](repeating: 0, count: 11)
            + [0x05, 2, 0x11, 0x90, 0x06, 1, 0x02]
        #expect(esds.body == expected)
    }

    @Test(arguments: [
        (AudioFormat.Codec.opus, "Opus", "dOps"), (.ac3, "ac-3", "dac3"), (.eac3, "ec-3", "dec3"),
    ])
    func eachAudioCodecHasItsSampleEntry(
        codec: AudioFormat.Codec,
        entry: String,
        configuration: String
    ) throws {
        let box = try sampleEntry(.audio(SyntheticSource.other(codec, samples: 960)))
        #expect(box.type == entry)
        let children = box.children(from: 28)
        #expect(children.map(\.type) == [configuration])
        #expect(children.first?.body == [1, 2, 3])
    }

    @Test(arguments: [(44_100, UInt8(0x6B)), (22_050, 0x69)])
    func mp3IsNamedByItsObjectType(sampleRate: Int, objectType: UInt8) throws {
        let format = SyntheticSource.other(.mp3, sampleRate: sampleRate, samples: 1_152)
        let esds = try #require(try sampleEntry(.audio(format)).children(from: 28).first)
        #expect(esds.body[4..<13] == [0x03, 21, 0, 0, 0, 0x04, 13, objectType, 0x15])
        #expect(esds.body.suffix(3) == [0x06, 1, 0x02])
    }

    @Test func widthsAreOfSquarePixelsInTheTrackHeader() throws {
        var format = SyntheticSource.video(width: 1_440)
        format.sampleAspectRatio = Rational(4, 3)
        let moov = try #require(try header(.video(format)).last)
        #expect(moov.find("trak", "tkhd")?.integer(76) == 1_920 << 16)
    }

    @Test(
        arguments: [("eng", 0x15C7), ("EN", 0x55C4), ("e\u{301}g", 0x55C4)] as [(String, UInt64)]
    )
    func languagesThatAreNoCodesAreUndetermined(language: String, packed: UInt64) throws {
        let moov = try #require(try header(.audio(SyntheticSource.aac()), language: language).last)
        #expect(moov.find("trak", "mdia", "mdhd")?.integer(20, 2) == packed)
    }
}

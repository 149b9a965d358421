import Media
import NIOCore
import Packaging
import Testing

/// Golden multivariant playlists.
struct MultivariantPlaylistTests {
    private var source = StreamSource()
    private var state = SegmentStoreState(
        configuration: PackagingConfiguration(),
        epoch: StreamSource.epoch,
        limits: .init()
    )

    private var playlist: RenderedPlaylist? {
        if case .playlist(let playlist) = state.resolve(.multivariantPlaylist) {
            playlist
        } else {
            nil
        }
    }

    private func bytes(_ count: Int, in id: Rendition.ID, seconds: Int64 = 1) -> PackagerOutput {
        .part(
            id,
            Part(
                slices: [ByteBuffer(repeating: 0, count: count)],
                duration: MediaTime(ticks: seconds * 90_000, timescale: 90_000),
                isIndependent: true
            )
        )
    }

    /// A segment of two seconds in every rendition named.
    private mutating func publish(_ sizes: [(Rendition.ID, Int)]) {
        var outputs: [PackagerOutput] = []
        for (id, size) in sizes {
            outputs += source.open(id) + [bytes(size, in: id, seconds: 2), .closeSegment(id)]
        }
        source.advance()
        state.apply(outputs)
    }

    @Test mutating func pictureAndSoundMakeOneVariant() throws {
        state.apply([
            .renditions([
                StreamSource.picture { $0.frameRate = Rational(30_000, 1_001) },
                StreamSource.sound(),
            ])
        ])
        publish([(StreamSource.video, 250_000), (StreamSource.audio, 32_000)])
        #expect(
            playlist?.plain.text == """
                #EXTM3U
                #EXT-X-VERSION:4
                #EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="aac",NAME="English",LANGUAGE="en",DEFAULT=YES,\
                AUTOSELECT=YES,CHANNELS="2",URI="audio1/playlist.m3u8"
                #EXT-X-STREAM-INF:BANDWIDTH=1128000,AVERAGE-BANDWIDTH=1128000,\
                CODECS="avc1.64001f,mp4a.40.2",RESOLUTION=1280x720,FRAME-RATE=29.970,\
                VIDEO-RANGE=SDR,AUDIO="aac"
                video/playlist.m3u8
                #EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=1000000,AVERAGE-BANDWIDTH=1000000,\
                CODECS="avc1.64001f",RESOLUTION=1280x720,VIDEO-RANGE=SDR,URI="video/iframes.m3u8"

                """
        )
    }

    @Test mutating func everyCodecOfSoundIsAVariantAndEveryNameIsOwn() throws {
        let names = (1...4).map { Rendition.ID("audio\($0)") }
        state.apply([
            .renditions([
                StreamSource.picture(codecString: "hvc1.2.4.L123.B0") {
                    $0.frameRate = nil
                    $0.colour = .init(primaries: 9, transfer: 16, matrix: 9, isFullRange: false)
                },
                StreamSource.sound(id: names[0], language: "fre"),
                StreamSource.sound(id: names[1], language: "fra"),
                StreamSource.sound(id: names[2], language: "und"),
                StreamSource.sound(
                    id: names[3],
                    language: "haw",
                    codec: .ac3,
                    codecString: "ac-3",
                    channels: 6
                ),
            ])
        ])
        publish([(StreamSource.video, 250_000)] + names.map { ($0, 32_000) })
        #expect(
            playlist?.plain.text == """
                #EXTM3U
                #EXT-X-VERSION:4
                #EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="aac",NAME="French",LANGUAGE="fr",DEFAULT=YES,\
                AUTOSELECT=YES,CHANNELS="2",URI="audio1/playlist.m3u8"
                #EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="aac",NAME="French 2",LANGUAGE="fr",DEFAULT=NO,\
                AUTOSELECT=YES,CHANNELS="2",URI="audio2/playlist.m3u8"
                #EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="aac",NAME="Audio",DEFAULT=NO,\
                AUTOSELECT=YES,CHANNELS="2",URI="audio3/playlist.m3u8"
                #EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="ac-3",NAME="HAW",LANGUAGE="haw",DEFAULT=YES,\
                AUTOSELECT=YES,CHANNELS="6",URI="audio4/playlist.m3u8"
                #EXT-X-STREAM-INF:BANDWIDTH=1128000,AVERAGE-BANDWIDTH=1128000,\
                CODECS="hvc1.2.4.L123.B0,mp4a.40.2",RESOLUTION=1280x720,VIDEO-RANGE=PQ,AUDIO="aac"
                video/playlist.m3u8
                #EXT-X-STREAM-INF:BANDWIDTH=1128000,AVERAGE-BANDWIDTH=1128000,\
                CODECS="hvc1.2.4.L123.B0,ac-3",RESOLUTION=1280x720,VIDEO-RANGE=PQ,AUDIO="ac-3"
                video/playlist.m3u8
                #EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=1000000,AVERAGE-BANDWIDTH=1000000,\
                CODECS="hvc1.2.4.L123.B0",RESOLUTION=1280x720,VIDEO-RANGE=PQ,URI="video/iframes.m3u8"

                """
        )
    }

    /// Tracks of one format are a choice; formats are variants.
    @Test mutating func soundThatIsEncodedHereIsAGroupForEachFormat() throws {
        let names = ["audio1", "audio2", "audio1-aac-64k", "audio2-aac-64k"].map {
            Rendition.ID($0)
        }
        let sounds = zip(names, ["eng", "fre", "eng", "fre"]).map { id, language in
            var sound = StreamSource.sound(id: id, language: language)
            if id.description.hasSuffix("aac-64k") { sound.soundGroup = "aac-64k" }
            return sound
        }
        state.apply([.renditions([StreamSource.picture()] + sounds)])
        publish([(StreamSource.video, 250_000)] + zip(names, [32_000, 32_000, 16_000, 16_000]))
        let lines = try #require(playlist).plain.text.split(separator: "\n")
        #expect(
            lines.filter { $0.contains("TYPE=AUDIO") } == [
                """
                #EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="aac",NAME="English",LANGUAGE="en",DEFAULT=YES,\
                AUTOSELECT=YES,CHANNELS="2",URI="audio1/playlist.m3u8"
                """,
                """
                #EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="aac",NAME="French",LANGUAGE="fr",DEFAULT=NO,\
                AUTOSELECT=YES,CHANNELS="2",URI="audio2/playlist.m3u8"
                """,
                """
                #EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="aac-64k",NAME="English",LANGUAGE="en",\
                DEFAULT=YES,AUTOSELECT=YES,CHANNELS="2",URI="audio1-aac-64k/playlist.m3u8"
                """,
                """
                #EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="aac-64k",NAME="French",LANGUAGE="fr",\
                DEFAULT=NO,AUTOSELECT=YES,CHANNELS="2",URI="audio2-aac-64k/playlist.m3u8"
                """,
            ]
        )
        let variants = lines.filter { $0.hasPrefix("#EXT-X-STREAM-INF:") }
        #expect(variants.map { $0.contains(":BANDWIDTH=1128000,") } == [true, false])
        #expect(variants.map { $0.contains(",AUDIO=\"aac\"") } == [true, false])
        #expect(variants.map { $0.contains(":BANDWIDTH=1064000,") } == [false, true])
        #expect(variants.map { $0.contains(",AUDIO=\"aac-64k\"") } == [false, true])
    }

    @Test mutating func soundAloneIsItsOwnVariant() throws {
        state.apply([.renditions([StreamSource.sound()])])
        publish([(StreamSource.audio, 32_000)])
        #expect(
            playlist?.plain.text == """
                #EXTM3U
                #EXT-X-VERSION:4
                #EXT-X-STREAM-INF:BANDWIDTH=128000,AVERAGE-BANDWIDTH=128000,CODECS="mp4a.40.2"
                audio1/playlist.m3u8

                """
        )
    }

    @Test mutating func pictureAloneHasNoGroup() throws {
        state.apply([.renditions([StreamSource.picture()])])
        publish([(StreamSource.video, 250_000)])
        #expect(playlist?.plain.text.contains("AUDIO") == false)
        #expect(playlist?.plain.text.contains("\nvideo/playlist.m3u8\n#EXT-X-I-") == true)
    }

    /// Players begin with the first variant: not with a contribution of 40 Mbit/s.
    @Test mutating func theFirstVariantIsOneThatMostViewersCanTake() throws {
        let sizes = [("video", 10_000_000), ("video-720p", 700_000), ("video-360p", 150_000)]
        state.apply([
            .renditions(
                sizes.map { name, _ in
                    let picture = StreamSource.picture { _ in }
                    return Rendition(
                        id: Rendition.ID(name),
                        track: picture.track,
                        initialization: picture.initialization,
                        partTarget: picture.partTarget
                    )
                }
            )
        ])
        publish(sizes.map { (Rendition.ID($0), $1) })
        let uris = try #require(playlist).plain.text.split(separator: "\n").filter {
            $0.first != "#"
        }
        #expect(
            uris == [
                "video-720p/playlist.m3u8", "video/playlist.m3u8", "video-360p/playlist.m3u8",
            ]
        )
    }

    @Test mutating func itWaitsForEveryRenditionButNotForASilentOne() {
        state.apply([.renditions([StreamSource.picture(), StreamSource.sound()])])
        #expect(playlist == nil)
        state.apply(source.open(parts: 5))
        #expect(playlist == nil)
        state.apply([StreamSource.part(), .closeSegment(StreamSource.video)])
        #expect(playlist?.plain.text.contains("AUDIO") == false)
        source.advance()
        state.apply(source.open(StreamSource.audio) + [StreamSource.audioPart()])
        #expect(playlist?.plain.text.contains("#EXT-X-MEDIA:TYPE=AUDIO") == true)
    }

    @Test mutating func bandwidthIsThatOfThePartsUntilASegmentIsWhole() {
        state.apply([.renditions([StreamSource.picture()])])
        state.apply(source.open() + [bytes(1_000_000, in: StreamSource.video)])
        #expect(
            playlist?.plain.text.contains(":BANDWIDTH=8000000,AVERAGE-BANDWIDTH=8000000,") == true
        )
        state.apply([bytes(100_000, in: StreamSource.video), .closeSegment(StreamSource.video)])
        #expect(
            playlist?.plain.text.contains(":BANDWIDTH=4400000,AVERAGE-BANDWIDTH=4400000,") == true
        )
        source.advance()
        publish([(StreamSource.video, 2_000_000)])
        #expect(
            playlist?.plain.text.contains(":BANDWIDTH=8000000,AVERAGE-BANDWIDTH=6200000,") == true
        )
    }

    @Test mutating func peakIsNotThatOfASnippetBeforeADiscontinuity() {
        state.apply([.renditions([StreamSource.picture()])])
        publish([(StreamSource.video, 250_000)])
        let snippet = Part(
            slices: [ByteBuffer(repeating: 0, count: 100_000)],
            duration: MediaTime(ticks: 3_000, timescale: 90_000),
            isIndependent: true
        )
        state.apply(
            source.open() + [.part(StreamSource.video, snippet), .closeSegment(StreamSource.video)]
        )
        // With the segment before it: 350,000 bytes in 2.033 s.
        #expect(playlist?.plain.text.contains(":BANDWIDTH=1377050,") == true)
    }

    @Test mutating func itIsRenderedAnewOnlyWhenAFigureMoved() throws {
        state.apply([.renditions([StreamSource.picture()])])
        publish([(StreamSource.video, 250_000)])
        let first = try #require(playlist)
        for size in [245_000, 250_000, 240_000] { publish([(StreamSource.video, size)]) }
        #expect(playlist === first)
        publish([(StreamSource.video, 250_001)])
        let second = try #require(playlist)
        #expect(second.plain.text.contains(":BANDWIDTH=1000004,"))
        #expect(second.etag != first.etag)
        for _ in 0..<10 { publish([(StreamSource.video, 100_000)]) }
        #expect(playlist !== second)
        #expect(playlist?.plain.text.contains(":BANDWIDTH=1000004,") == true)
    }

    @Test mutating func hostileLanguageIsNotWritten() {
        for language in ["en\"", "\n#X", "EN", "e", "qaa", "éng", ""] {
            state.apply([
                .renditions([StreamSource.picture(), StreamSource.sound(language: language)])
            ])
            publish([(StreamSource.video, 250_000), (StreamSource.audio, 32_000)])
            #expect(playlist?.plain.text.contains("NAME=\"Audio\",DEFAULT=YES") == true)
        }
    }
}

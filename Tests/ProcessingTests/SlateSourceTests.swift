import Media
import NIOCore
import Processing
import TestSupport
import Testing

@Suite struct SlateSourceTests {
    private static let start = WallTime(microsecondsSinceEpoch: 1_800_000_000_000_000)
    private static let picture = Track.ID(256)
    private static let sound = Track.ID(257)

    private static func video(_ configuration: UInt8) -> VideoFormat {
        VideoFormat.sample(
            width: 64,
            height: 64,
            decoderConfiguration: ByteBuffer(bytes: [configuration])
        )
    }

    private static let stream = TrackList([
        Track(id: picture, format: .video(video(1))),
        Track(
            id: sound,
            format: .audio(.sample),
            language: "deu"
        ),
        Track(id: Track.ID(258), format: .data(DataFormat(kind: .id3, streamType: 0x15))),
    ])

    /// Three pictures at 30000/1001 a second, told apart by their bytes.
    private static func loop() throws -> SlateLoop {
        SlateLoop(
            format: video(2),
            frameRate: try #require(Rational(30_000, 1_001)),
            pictures: (0..<3).map { index in
                SlateLoop.Picture(
                    payload: ByteBuffer(bytes: [UInt8(index)]),
                    randomAccess: index == 0 ? .closed : .none,
                    isDisposable: false
                )
            }
        )
    }

    private static func silence() -> [Track.ID: Silence] {
        guard let format = stream.audio.first?.audio else { return [:] }
        return [sound: Silence(format: format, payload: ByteBuffer(bytes: [0xFF]))]
    }

    private static func source(after: MediaTime = MediaTime(mpegTicks: 900_000)) throws
        -> SlateSource
    {
        SlateSource(
            stream: stream,
            loop: try loop(),
            silence: silence(),
            start: after,
            startedAt: start
        )
    }

    private static func time(_ milliseconds: Int) -> WallTime {
        start.advanced(by: .milliseconds(milliseconds))
    }

    @Test func tracksAreTheStreamsOwnButForThePicturesFormat() throws {
        let tracks = try Self.source().tracks
        #expect(tracks.tracks.map(\.id) == [Self.picture, Self.sound])
        #expect(tracks.video?.video?.decoderConfiguration == ByteBuffer(bytes: [2]))
        #expect(tracks.audio.first == Self.stream.audio.first)
    }

    @Test func whatIsDueComesOnceAndInOrder() throws {
        var source = try Self.source()
        var units = source.units(until: Self.start)
        #expect(units.map(\.track) == [Self.picture, Self.sound])
        #expect(units.first?.randomAccess == .closed)
        for milliseconds in stride(from: 7, through: 1_000, by: 7) {
            units += source.units(until: Self.time(milliseconds))
        }
        var atOnce = try Self.source()
        let same = atOnce.units(until: Self.time(1_000))
        // 994 ms is the last multiple of seven: nothing is due in the 6 ms after it.
        #expect(units.map(\.payload) == same.map(\.payload))
        #expect(zip(units, units.dropFirst()).allSatisfy { $0.pts <= $1.pts })
        #expect(units.count { $0.track == Self.picture } == 30)
        #expect(units.count { $0.track == Self.sound } == 47)
    }

    @Test func timesGoOnWithoutDriftWhileTheLoopRepeats() throws {
        var source = try Self.source()
        var pictures: [AccessUnit] = []
        for second in 0..<3_600 {
            pictures = source.units(until: Self.time(second * 1_000)).filter {
                $0.track == Self.picture
            }
        }
        let last = try #require(pictures.last)
        // Picture n is shown at n × 1001/30000 s: exactly, after an hour.
        let index = Int64(3_599) * 30_000 / 1_001
        #expect(last.pts.ticks == 900_000 + (index * 1_001 * 90_000 + 15_000) / 30_000)
        #expect(last.payload == ByteBuffer(bytes: [UInt8(index % 3)]))
        #expect(last.arrival <= Self.time(3_599_000))
        #expect(Self.time(3_599_000).duration(since: last.arrival) < .milliseconds(34))
    }

    @Test func nextDueIsWhenTheNextAccessUnitComes() throws {
        var source = try Self.source()
        #expect(source.nextDue == Self.start)
        _ = source.units(until: Self.start)
        let due = try #require(source.nextDue)
        #expect(due.duration(since: Self.start) == .microseconds(21_333))
        #expect(source.units(until: due.advanced(by: .microseconds(-1))).isEmpty)
        #expect(source.units(until: due).map(\.track) == [Self.sound])
    }

    @Test func aMachineThatStoodStillIsNotCaughtUpWith() throws {
        var source = try Self.source()
        _ = source.units(until: Self.start)
        let hour = Self.time(3_600_000)
        let units = source.units(until: hour)
        #expect(units.count <= 2)
        #expect(units.first?.pts == MediaTime(mpegTicks: 901_920))
        #expect(units.first?.arrival == hour)
    }

    @Test func soundAloneIsSilence() throws {
        var source = SlateSource(
            stream: TrackList(Self.stream.audio),
            loop: nil,
            silence: Self.silence(),
            start: MediaTime(ticks: 48_000, timescale: 48_000),
            startedAt: Self.start
        )
        let units = source.units(until: Self.time(100))
        #expect(units.map(\.pts.ticks) == [90_000, 91_920, 93_840, 95_760, 97_680])
        #expect(source.tracks == TrackList(Self.stream.audio))
    }

    @Test func nothingToShowIsNeverDue() {
        var source = SlateSource(
            stream: Self.stream,
            loop: nil,
            silence: [:],
            start: .zero(timescale: 90_000),
            startedAt: Self.start
        )
        #expect(source.nextDue == nil)
        #expect(source.units(until: Self.time(1_000)).isEmpty)
        #expect(source.tracks == TrackList([]))
    }

    @Test func timesAtTheEndOfTheClockDoNotStopTheProcess() throws {
        var source = try Self.source(after: MediaTime(ticks: .max, timescale: 1))
        #expect(source.units(until: Self.time(1_000)).count == 77)
    }
}

import Ingestion
import Media
import TestSupport
import Testing

/// When tracks are announced, and what happens when they change.
@Suite struct TracksTests {
    private typealias Stream = TransportStreamWriter.Stream

    @Test func pictureAloneIsAnnouncedWithItsFirstFrame() {
        var contribution = Contribution(audio: nil)
        var recorder = EventRecorder()
        let events = recorder.feed(contribution.frames(0..<1))
        #expect(events.first?.trackList?.video?.id.rawValue == 256)
        #expect(events.dropFirst().map { $0.unit?.isKeyframe } == [true])
    }

    @Test func soundAloneIsAnnouncedWithItsFirstFrame() {
        var contribution = Contribution(video: nil)
        var recorder = EventRecorder()
        recorder.feed(contribution.frames(0..<30))
        #expect(recorder.log.first == "tracks 257")
        #expect(recorder.units.count >= 46)
        #expect(recorder.brokenPromise == nil)
    }

    @Test func whatCameBeforeTheAnnouncementIsNotLost() {
        var contribution = Contribution()
        contribution.audioLag = 30_000
        var recorder = EventRecorder()
        recorder.feed(contribution.frames(0..<10))
        #expect(recorder.events.isEmpty)
        recorder.feed(contribution.frames(10..<30))
        #expect(recorder.log.first == "tracks 256 257")
        #expect(recorder.units(on: .h264()).count == 30)
        #expect(recorder.brokenPromise == nil)
    }

    @Test func aSilentStreamIsLeftOutAfterHalfASecondAndAnnouncedWhenItAppears() {
        var silent = Contribution()
        silent.audio = nil
        var recorder = EventRecorder()
        recorder.feed(silent.frames(0..<15))
        #expect(recorder.events.isEmpty)
        recorder.feed(silent.frames(15..<16))
        #expect(recorder.log.first == "tracks 256")
        #expect(recorder.units.count == 16)

        silent.audio = .aac()
        recorder.feed(silent.frames(16..<30))
        #expect(recorder.trackLists.map { $0.tracks.count } == [1, 2])
        #expect(recorder.discontinuities.isEmpty)
        #expect(recorder.brokenPromise == nil)
    }

    @Test func aPictureJoinedInTheMiddleOfAGroupIsWaitedFor() {
        var contribution = Contribution()
        let tables = contribution.writer.tables()
        var recorder = EventRecorder()
        recorder.feed(tables + contribution.frames(1..<30))
        #expect(recorder.events.isEmpty)
        recorder.feed(contribution.frames(30..<32))
        #expect(recorder.log.first == "tracks 256 257")
        #expect(recorder.session.statistics.undecodableAccessUnits == 29)
    }

    @Test func aPictureThatNeverHasAKeyframeIsGivenUpOn() {
        var contribution = Contribution()
        var recorder = EventRecorder()
        recorder.feed(contribution.writer.tables())
        for second in 0..<13 {
            recorder.feed(contribution.frames(1..<30, start: Int64(second) * 90_000))
        }
        #expect(recorder.log.first == "tracks 257")
        #expect(recorder.units(on: .h264()).isEmpty)
    }

    @Test func noMoreThanTheLimitIsHeld() {
        var silent = Contribution()
        silent.audio = nil
        var byCount = EventRecorder(configuration: .init(heldUnitLimit: 5))
        byCount.feed(silent.frames(0..<5))
        #expect(byCount.log.first == "tracks 256")
        silent = Contribution()
        silent.audio = nil
        var bySize = EventRecorder(configuration: .init(heldByteLimit: 1_500))
        bySize.feed(silent.frames(0..<3))
        #expect(bySize.log.first == "tracks 256")
    }

    @Test func aNewResolutionIsADiscontinuityThenTracksThenThePicture() {
        var contribution = Contribution()
        var recorder = EventRecorder()
        recorder.feed(contribution.frames(0..<30))
        let events = recorder.feed(contribution.frames(30..<31, isOtherFormat: true))
        #expect(events.first?.discontinuity == .formatChange)
        #expect(events.dropFirst().first?.trackList?.video?.video?.width == 128)
        #expect(events.dropFirst(2).first?.unit?.isKeyframe == true)
        #expect(recorder.discontinuities.count == 1)
    }

    @Test func aStreamAddedByANewMapIsAnnouncedWithItsFirstFrame() {
        var contribution = Contribution()
        var recorder = EventRecorder()
        recorder.feed(contribution.frames(0..<15))
        let added = Stream.aac(pid: 0x200).inLanguage("fra")
        contribution.writer.programs[0].streams.append(added)
        contribution.writer.version = 1
        #expect(recorder.feed(contribution.writer.tables()).isEmpty)
        let bytes = contribution.writer.pes(SampleStreams.aacFrame, on: added, pts: 150_000)
        let events = recorder.feed(bytes)
        #expect(events.first?.trackList?.audio.map(\.language) == [nil, "fra"])
        #expect(events.last?.unit?.track.rawValue == 0x200)
        #expect(recorder.discontinuities.isEmpty)
    }

    @Test func aStreamRemovedByANewMapLeavesTheListAtOnce() {
        var contribution = Contribution()
        var recorder = EventRecorder()
        recorder.feed(contribution.frames(0..<15))
        contribution.writer.programs[0].streams.removeLast()
        contribution.writer.version = 1
        let events = recorder.feed(contribution.writer.tables())
        #expect(events.map(\.line) == ["tracks 256"])
        recorder.feed(contribution.frames(15..<30))
        #expect(recorder.units(on: .h264()).count == 30)
        #expect(recorder.brokenPromise == nil)
    }

    @Test func aPictureMovedToAnotherPIDIsReplacedWhenItsFormatIsKnown() {
        var contribution = Contribution()
        var recorder = EventRecorder()
        recorder.feed(contribution.frames(0..<30))
        contribution.video = .h264(pid: 0x300)
        contribution.writer.programs[0].streams = [.h264(pid: 0x300), .aac()]
        contribution.writer.version = 1
        let events = recorder.feed(contribution.frames(30..<32))
        let lines = events.map(\.line)
        #expect(Array(lines.prefix(2)) == ["discontinuity formatChange", "tracks 768 257"])
        #expect(events.dropFirst(2).first?.unit?.track.rawValue == 0x300)
        #expect(recorder.brokenPromise == nil)
    }

    @Test func aNewProgramOnOtherPIDsIsAnnouncedWhole() {
        var first = Contribution()
        var recorder = EventRecorder()
        recorder.feed(first.frames(0..<30))
        var second = Contribution(video: .h264(pid: 0x300), audio: .aac(pid: 0x301))
        second.writer.programs[0].mapPID = 0x1001
        second.writer.programs[0].number = 2
        second.writer.version = 1
        // Its first association table has the continuity counter of the one before.
        recorder.feed(second.frames(30..<90))
        #expect(
            recorder.log.filter { !$0.contains("pts") }
                == ["tracks 256 257", "discontinuity formatChange", "tracks 768 769"]
        )
        #expect(recorder.session.statistics.selectedProgram == 2)
        #expect(recorder.brokenPromise == nil)
    }

    @Test func dataStreamsAreNamedAndCounted() throws {
        let kinds: [(Stream, DataFormat.Kind)] = [
            (Stream(pid: 0x110, streamType: 0x86), .scte35),
            (
                Stream(
                    pid: 0x111,
                    streamType: 0x06,
                    descriptors: Stream.registration("KLVA")
                ), .klv
            ),
            (
                Stream(
                    pid: 0x112,
                    streamType: 0x15,
                    descriptors: [0x26, 13, 0xFF, 0xFF] + "ID3 ".utf8 + [0xFF] + "ID3 ".utf8
                        + [0, 0]
                ), .id3
            ),
            (
                Stream(
                    pid: 0x113,
                    streamType: 0x06,
                    descriptors: [0x59, 8] + "swe".utf8 + [0x10, 0, 1, 0, 1]
                ), .dvbSubtitles
            ),
            (
                Stream(pid: 0x114, streamType: 0x06, descriptors: [0x56, 5, 0, 0, 0, 0, 0]),
                .dvbTeletext
            ),
            (Stream(pid: 0x115, streamType: 0x02), .unknown),
            (Stream(pid: 0x116, streamType: 0x06), .unknown),
            // One picture and no more is carried.
            (.h264(pid: 0x117), .unknown),
        ]
        var contribution = Contribution()
        contribution.writer.programs[0].streams += kinds.map(\.0)
        var recorder = EventRecorder()
        recorder.feed(contribution.frames(0..<10))
        let list = try #require(recorder.trackLists.first)
        #expect(list.tracks.map(\.id.rawValue) == [0x100, 0x101] + kinds.map { Int($0.0.pid) })
        for (stream, kind) in kinds {
            #expect(
                list[Track.ID(Int(stream.pid))]?.format
                    == .data(DataFormat(kind: kind, streamType: stream.streamType))
            )
            recorder.feed(
                contribution.writer.packet(pid: stream.pid, startsUnit: true, payload: [0, 0, 1])
            )
        }
        #expect(recorder.session.statistics.dataPackets == UInt64(kinds.count))
        #expect(recorder.brokenPromise == nil)
    }

    @Test func everyCodecIsToldByItsTypeAndDescriptors() {
        let streams: [(Stream, Bool)] = [
            (.hevc(), true), (.av1(), true), (.jpegXS(), true), (.latm(), true), (.mp3(), true),
            (.ac3(), true), (.eac3(), true), (.opus(), true),
            (Stream(pid: 0x101, streamType: 0x06, descriptors: [0x6A, 1, 0]), true),
            (Stream(pid: 0x101, streamType: 0x06, descriptors: [0x7A, 1, 0]), true),
            (Stream(pid: 0x101, streamType: 0x06, descriptors: Stream.registration("AC-3")), true),
            (Stream(pid: 0x101, streamType: 0x06, descriptors: Stream.registration("EAC3")), true),
            (Stream(pid: 0x101, streamType: 0x05), false),
        ]
        for (stream, isMedia) in streams {
            var writer = TransportStreamWriter(streams: [stream])
            var recorder = EventRecorder()
            // Data streams need no format: a program that has only those is announced at once.
            recorder.feed(writer.tables() + writer.tables() + writer.tables())
            #expect(recorder.trackLists.isEmpty == isMedia, "\(stream)")
        }
    }
}

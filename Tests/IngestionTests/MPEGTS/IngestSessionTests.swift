import Ingestion
import Media
import NIOCore
import TestSupport
import Testing

@Suite struct IngestSessionTests {
    @Test func tracksComeBeforeTheFirstAccessUnitPictureFirst() throws {
        var contribution = Contribution(video: .h264(), audio: .aac().inLanguage("DEU"))
        contribution.writer.programs[0].streams.reverse()
        var recorder = EventRecorder()
        recorder.feed(contribution.frames(0..<30))
        let list = try #require(recorder.events.first?.trackList)
        #expect(list.tracks.map(\.id.rawValue) == [0x100, 0x101])
        #expect(list.video?.video?.codec == .h264)
        #expect(list.video?.video?.width == 64)
        #expect(list.audio.first?.audio?.sampleRate == 48_000)
        #expect(list.audio.first?.language == "deu")
        #expect(recorder.trackLists.count == 1)
        #expect(recorder.discontinuities.isEmpty)
        #expect(recorder.brokenPromise == nil)
    }

    @Test func everyAccessUnitComesWithItsTimes() {
        var contribution = Contribution()
        var recorder = EventRecorder()
        recorder.feed(contribution.frames(0..<60))
        let pictures = recorder.units(on: .h264())
        #expect(pictures.count == 60)
        for (frame, unit) in pictures.enumerated() {
            #expect(unit.dts == MediaTime(mpegTicks: 90_000 + Int64(frame) * 3_000))
            #expect(unit.pts == MediaTime(mpegTicks: 93_000 + Int64(frame) * 3_000))
            #expect(unit.isKeyframe == (frame % 30 == 0))
        }
        let sound = recorder.units(on: .aac())
        #expect(sound.count >= 93)
        for (before, after) in zip(sound, sound.dropFirst()) {
            #expect(after.pts - before.pts == MediaTime(mpegTicks: 1_920))
        }
    }

    @Test(arguments: [1, 7, 188, 1_316])
    func eventsDoNotDependOnHowTheBytesAreSplit(byteCount: Int) {
        var contribution = Contribution()
        let bytes = contribution.frames(0..<40)
        var whole = EventRecorder()
        whole.feed(bytes)
        var split = EventRecorder()
        split.feed(bytes, split: byteCount)
        #expect(whole.log == split.log)
        #expect(whole.log.count > 90)
        #expect(whole.session.statistics == split.session.statistics)
    }

    /// A byte at a time, every packet is looked at by itself; in one piece, those that go on with a
    /// picture are taken together.
    @Test(arguments: 0..<40)
    func damagedPicturesOfManyPacketsComeOutAlikeHoweverTheyAreSplit(seed: Int) {
        var random = SeededRandom(seed: UInt64(seed))
        let bytes = damaged(pictures(60, random: &random), random: &random)
        var whole = EventRecorder()
        whole.feed(bytes)
        for byteCount in [1, 188, 1_316] {
            var split = EventRecorder()
            split.feed(bytes, split: byteCount)
            #expect(whole.log == split.log)
            #expect(whole.units.map(\.payload) == split.units.map(\.payload))
            #expect(whole.session.statistics == split.session.statistics)
        }
        #expect(whole.units.contains { $0.payload.readableBytes > 1_000 })
    }

    private func pictures(_ count: Int, random: inout SeededRandom) -> [UInt8] {
        var writer = TransportStreamWriter(streams: [.h264()])
        return (0..<count).flatMap { frame in
            let time = 90_000 + Int64(frame) * Contribution.frameTicks
            let isKeyframe = frame % 10 == 0
            let start = isKeyframe ? SampleStreams.h264Keyframe() : SampleStreams.h264Picture()
            let rest = random.bytes(Int.random(in: 0..<4_000, using: &random)).map { $0 | 1 }
            let picture = writer.pes(
                start + rest,
                on: .h264(),
                pts: time,
                dts: time,
                length: frame < 30 ? .bounded : .unbounded,
                hasClock: true
            )
            return (isKeyframe ? writer.tables() : []) + picture
        }
    }

    /// One packet in twenty is lost, comes two or three times, or has one wrong byte.
    private func damaged(_ bytes: [UInt8], random: inout SeededRandom) -> [UInt8] {
        stride(from: 0, to: bytes.count, by: 188).flatMap { start -> [UInt8] in
            var packet = Array(bytes[start..<(start + 188)])
            switch Int.random(in: 0..<80, using: &random) {
            case 0: return []
            case 1: return packet + packet
            case 2: return packet + packet + packet
            case 3:
                let header = Int.random(in: 0..<2, using: &random) == 0
                packet[Int.random(in: 0..<(header ? 6 : 188), using: &random)] ^= 0x21
                return packet
            default: return packet
            }
        }
    }

    @Test(arguments: [192, 204])
    func packetsOfOtherSizesGiveTheSameEvents(packetSize: Int) {
        var plain = Contribution()
        var other = Contribution()
        other.writer.packetSize = packetSize
        var expected = EventRecorder()
        expected.feed(plain.frames(0..<40))
        var recorder = EventRecorder()
        recorder.feed(other.frames(0..<40), split: 1_000)
        #expect(recorder.log == expected.log)
    }

    @Test func aStreamMayStartAtAnyByte() {
        var contribution = Contribution()
        let bytes = contribution.frames(0..<60)
        for start in stride(from: 0, to: 4_000, by: 61) {
            var recorder = EventRecorder()
            recorder.feed(Array(bytes[start...]))
            #expect(recorder.brokenPromise == nil)
            // At the latest the second keyframe is one to start from.
            #expect(recorder.units(on: .h264()).count >= 30)
        }
    }

    @Test func aPictureOfGivenLengthIsHandedOnWithItsLastByte() {
        var contribution = Contribution(audio: nil)
        var recorder = EventRecorder()
        recorder.feed(contribution.frames(0..<5))
        for frame in 5..<10 {
            let bytes = contribution.frames(frame..<(frame + 1))
            #expect(recorder.feed(Array(bytes.dropLast())).isEmpty)
            #expect(recorder.feed(Array(bytes.suffix(1))).count == 1)
        }
    }

    @Test func anArrivalIsThatOfTheLastBytes() {
        var contribution = Contribution(audio: nil)
        contribution.videoLength = .unbounded
        var recorder = EventRecorder()
        let first = contribution.frames(0..<4)
        let next = contribution.frames(4..<6)
        recorder.feed(Array(first.dropLast(188)), arrival: 100)
        recorder.feed(Array(first.suffix(188)), arrival: 200)
        recorder.feed(next, arrival: 300)
        #expect(recorder.units.map(\.arrival.microsecondsSinceEpoch) == [100, 100, 100, 200, 300])
    }

    @Test func countsTellWhatWasSeen() {
        var contribution = Contribution()
        let bytes = contribution.frames(0..<30)
        let nothing = contribution.writer.nullPacket()
        var damaged = contribution.writer.packet(pid: 0x100, startsUnit: false, payload: [1])
        damaged[1] |= 0x80
        let stray = contribution.writer.packet(pid: 0x555, startsUnit: true, payload: [1])
        var recorder = EventRecorder()
        recorder.feed(bytes + nothing + nothing + damaged + stray)
        let statistics = recorder.session.statistics
        #expect(statistics.packets == UInt64(bytes.count / 188 + 4))
        #expect(statistics.nullPackets == 2)
        #expect(statistics.transportErrors == 1)
        #expect(statistics.continuityErrors == 0)
        #expect(statistics.accessUnits == UInt64(recorder.units.count))
        #expect(statistics.programs == 1)
        #expect(statistics.selectedProgram == 1)
        #expect(statistics.sectionErrors == 0)
        #expect(statistics.damagedPESPackets == 0)
    }

    @Test func theLastPictureComesOutAtTheEnd() {
        var contribution = Contribution(audio: nil)
        contribution.videoLength = .unbounded
        var recorder = EventRecorder()
        recorder.feed(contribution.frames(0..<5))
        #expect(recorder.units.count == 4)
        #expect(recorder.finish().count == 1)

        // One that breaks off does not.
        var other = EventRecorder()
        other.feed(contribution.frames(30..<35).dropLast(188))
        #expect(other.units.count == 4)
        #expect(other.finish().isEmpty)
    }
}

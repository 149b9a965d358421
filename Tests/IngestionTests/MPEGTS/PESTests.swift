import Ingestion
import Media
import NIOCore
import TestSupport
import Testing

/// Where access units end and what happens to damaged ones.
@Suite struct PESTests {
    private let video = TransportStreamWriter.Stream.h264()

    /// A session that has carried `count` unbounded pictures.
    private func unbounded(_ count: Int) -> (Contribution, EventRecorder) {
        var contribution = Contribution(audio: nil)
        contribution.videoLength = .unbounded
        var recorder = EventRecorder()
        recorder.feed(contribution.frames(0..<count))
        return (contribution, recorder)
    }

    @Test func anUnboundedPictureEndsAtTheNextOnesStartUntilStuffingHasProvedToEndIt() {
        var (contribution, recorder) = unbounded(8)
        #expect(recorder.units.count == 7)
        // The ninth picture's start ends the eighth, the eighth time that stuffing came before.
        #expect(recorder.feed(contribution.frames(8..<9)).count == 2)
        for frame in 9..<20 {
            let bytes = contribution.frames(frame..<(frame + 1))
            #expect(recorder.feed(Array(bytes.dropLast(188))).isEmpty)
            #expect(recorder.feed(Array(bytes.suffix(188))).count == 1)
        }
    }

    @Test func aPictureThatFillsItsPacketsExactlyEndsAtTheNextOnesStart() {
        var (contribution, recorder) = unbounded(20)
        // 19 bytes of header and a clock of 8 leave 157 in the first packet.
        let exact = SampleStreams.h264Picture(byteCount: 157 + 184)
        let next = contribution.writer.pes(
            exact,
            on: video,
            pts: 160_000,
            dts: 157_000,
            length: .unbounded,
            hasClock: true
        )
        #expect(recorder.feed(next).isEmpty)
        #expect(recorder.feed(contribution.frames(31..<32)).count == 2)
        #expect(recorder.session.statistics.damagedPESPackets == 0)
    }

    @Test func stuffingInsideAPictureCutsOneAndIsNeverTrustedAgain() {
        var (contribution, recorder) = unbounded(20)
        func interrupted(_ frame: Int) -> [UInt8] {
            var bytes = contribution.frames(frame..<(frame + 1))
            bytes += contribution.writer.packet(
                pid: video.pid,
                startsUnit: false,
                payload: [1, 2, 3]
            )
            return bytes
        }
        #expect(recorder.feed(interrupted(20)).count == 1)
        #expect(recorder.session.statistics.damagedPESPackets == 1)
        // From now on pictures are whole again, and wait for the next start.
        #expect(recorder.feed(interrupted(21)).isEmpty)
        for frame in 22..<45 {
            let events = recorder.feed(interrupted(frame))
            #expect(events.count == 1)
            #expect(events.first?.unit?.dts.ticks == 90_000 + Int64(frame - 1) * 3_000)
        }
        #expect(recorder.session.statistics.damagedPESPackets == 1)
    }

    @Test func aPESPacketWithoutTimesGoesOnWithThePictureBeforeIt() {
        var (contribution, recorder) = unbounded(5)
        let tail = contribution.writer.pes(
            [UInt8](repeating: 0xB5, count: 500),
            on: video,
            pts: nil,
            length: .unbounded
        )
        recorder.feed(tail)
        let events = recorder.feed(contribution.frames(5..<6))
        #expect(events.count == 1)
        #expect(events.first?.unit?.payload.readableBytes ?? 0 > 850)
        #expect(recorder.session.statistics.damagedPESPackets == 0)
    }

    @Test func boundedPiecesOfAPictureCostOnePictureAndAreJoinedFromThenOn() {
        var contribution = Contribution(audio: nil)
        var recorder = EventRecorder()
        recorder.feed(contribution.frames(0..<3))
        func tail() -> [UInt8] {
            contribution.writer.pes([UInt8](repeating: 0xB5, count: 500), on: video, pts: nil)
        }
        recorder.feed(tail())
        #expect(recorder.session.statistics.damagedPESPackets == 1)
        #expect(recorder.feed(contribution.frames(3..<4)).isEmpty)
        #expect(recorder.feed(tail() + tail()).isEmpty)
        let events = recorder.feed(contribution.frames(4..<5))
        #expect(events.count == 1)
        #expect(events.first?.unit?.payload.readableBytes ?? 0 > 1_350)
        #expect(recorder.session.statistics.damagedPESPackets == 1)
    }

    @Test(arguments: [TransportStreamWriter.PESLength.bounded, .unbounded])
    func aPictureWithAMissingPacketIsDroppedAndTheNextIsWhole(
        length: TransportStreamWriter.PESLength
    ) {
        var contribution = Contribution(audio: nil)
        contribution.videoLength = length
        var recorder = EventRecorder()
        recorder.feed(contribution.frames(0..<3))
        var damaged = contribution.frames(3..<4)
        damaged.removeSubrange(188..<376)
        recorder.feed(damaged)
        recorder.feed(contribution.frames(4..<8))
        recorder.finish()
        let frames = recorder.units.map { ($0.dts.ticks - 90_000) / 3_000 }
        #expect(frames == [0, 1, 2, 4, 5, 6, 7])
        #expect(recorder.session.statistics.continuityErrors == 1)
        #expect(recorder.session.statistics.damagedPESPackets == 1)
    }

    @Test func soundBeforeAGapIsKept() {
        var writer = TransportStreamWriter(streams: [.aac()])
        var recorder = EventRecorder()
        let frames = [[UInt8]](repeating: SampleStreams.aacFrame, count: 100).flatMap { $0 }
        recorder.feed(writer.tables())
        var bytes = writer.pes(frames, on: .aac(), pts: 0)
        bytes.removeSubrange(188 * 4..<188 * 5)
        recorder.feed(bytes)
        recorder.feed(writer.pes(SampleStreams.aacFrame, on: .aac(), pts: 192_000))
        recorder.finish()
        // Four packets of 184 bytes, less 14 of header, hold 55 frames of 13 bytes.
        let times = recorder.units.map(\.pts.ticks)
        #expect(times.dropLast() == (0..<55).map { $0 * 1_920 }[...])
        #expect(times.last == 192_000)
    }

    @Test func aPacketThatIsSentTwiceIsTakenOnce() {
        var contribution = Contribution()
        let bytes = contribution.frames(0..<40)
        var once = EventRecorder()
        once.feed(bytes)
        var twice = EventRecorder()
        twice.feed(
            stride(from: 0, to: bytes.count, by: 188).flatMap { start in
                bytes[start..<start + 188] + bytes[start..<start + 188]
            }
        )
        #expect(twice.log == once.log)
        #expect(twice.session.statistics.continuityErrors == 0)
    }

    @Test func fifteenLostPacketsAreNotTakenForARepetition() {
        var contribution = Contribution(audio: nil)
        var recorder = EventRecorder()
        recorder.feed(contribution.frames(0..<3))
        let picture = (0..<4_000).map { UInt8(truncatingIfNeeded: $0 / 7 | 1) }
        var bytes = contribution.writer.pes(picture, on: video, pts: 99_000)
        bytes.removeSubrange(188 * 2..<188 * 17)
        recorder.feed(bytes)
        #expect(recorder.session.statistics.continuityErrors == 1)
        #expect(recorder.units.count == 3)
    }

    @Test func scrambledPacketsAreCountedAndCostTheirPicture() {
        var contribution = Contribution(audio: nil)
        var recorder = EventRecorder()
        recorder.feed(contribution.frames(0..<3))
        var scrambled = contribution.frames(3..<4)
        scrambled[188 + 3] |= 0x80
        recorder.feed(scrambled + contribution.frames(4..<6))
        #expect(recorder.session.statistics.scrambledPackets == 1)
        #expect(recorder.session.statistics.continuityErrors == 0)
        #expect(recorder.units.count == 5)
    }

    @Test func aSignalledDiscontinuityIsNoContinuityError() {
        var first = Contribution(audio: nil)
        var recorder = EventRecorder()
        recorder.feed(first.frames(0..<30))
        var second = Contribution(audio: nil)
        _ = second.writer.packet(pid: video.pid, startsUnit: false, payload: [1])
        second.isDiscontinuous = true
        // The tables were counted on by the first multiplexer; here only pictures follow.
        recorder.feed(second.frames(31..<40))
        #expect(recorder.units.count == 39)
        #expect(recorder.session.statistics.continuityErrors == 0)
    }

    @Test func aPictureAboveTheLimitIsDropped() {
        var contribution = Contribution(audio: nil)
        var recorder = EventRecorder(configuration: .init(pesLimitBytes: 20_000))
        recorder.feed(contribution.frames(0..<3))
        recorder.feed(
            contribution.writer.pes(
                SampleStreams.h264Picture(byteCount: 30_000),
                on: video,
                pts: 99_000
            )
        )
        #expect(recorder.feed(contribution.frames(4..<5)).count == 1)
        #expect(recorder.units.count == 4)
        #expect(recorder.session.statistics.damagedPESPackets == 1)
    }
}

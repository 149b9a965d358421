import Ingestion
import Media
import TestSupport
import Testing

@Suite struct TimeTableTests {
    private func instant(_ bytes: [UInt8]) -> Int64? {
        TimeTable(bytes.span)?.instant.microsecondsSinceEpoch
    }

    /// ETSI EN 300 468, 5.2.5: "93/10/13 12:45:00 is coded as 0xC079124500".
    @Test func theExampleOfTheStandardIsRead() {
        let seconds: Int64 = 750_516_300  // date -d 1993-10-13T12:45:00Z +%s
        let example: [UInt8] = [0x70, 0x70, 0x05, 0xC0, 0x79, 0x12, 0x45, 0x00]
        #expect(instant(example) == seconds * 1_000_000)
        for hasOffsets in [false, true] {
            let table = TransportStreamWriter.timeTable(
                modifiedJulianDay: 0xC079,
                digits: [0x12, 0x45, 0x00],
                hasOffsets: hasOffsets
            )
            #expect(instant(table) == seconds * 1_000_000)
        }
    }

    @Test(
        arguments: [
            [0x24, 0x00, 0x00], [0x12, 0x60, 0x00], [0x12, 0x00, 0x60], [0x1A, 0x00, 0x00],
            [0x12, 0xA0, 0x00], [0xFF, 0xFF, 0xFF],
        ] as [[UInt8]]
    )
    func whatIsNoTimeOfDayIsRefused(digits: [UInt8]) {
        let table = TransportStreamWriter.timeTable(modifiedJulianDay: 60_000, digits: digits)
        #expect(instant(table) == nil)
    }

    @Test func damagedTablesAreRefused() {
        let table = TransportStreamWriter.timeTable(
            modifiedJulianDay: 60_000,
            digits: [1, 2, 3],
            hasOffsets: true
        )
        for index in table.indices {
            var damaged = table
            damaged[index] ^= 0x10
            #expect(instant(damaged) == nil, "\(index)")
            #expect(instant(Array(table[..<index])) == nil, "\(index)")
        }
    }

    // MARK: In a contribution

    private static let minute: Int64 = 60_000_000
    /// 2026-03-01T12:00:00Z.
    private static let noon: Int64 = 1_772_366_400_000_000

    /// Tables that tell noon, or so many minutes past it.
    private func table(minutes: UInt8, day: UInt16 = 61_100) -> [UInt8] {
        TransportStreamWriter.timeTable(modifiedJulianDay: day, digits: [0x12, minutes, 0x00])
    }

    @Test func mediaIsDatedByTheSourceFromItsFirstTableOn() throws {
        var contribution = Contribution(audio: nil)
        var recorder = EventRecorder()
        recorder.feed(contribution.frames(0..<60), arrival: 5 * Self.minute)
        #expect(recorder.units.allSatisfy { $0.sourceTime == nil })
        #expect(!recorder.session.statistics.hasSourceClock)
        let before = recorder.units.count

        recorder.feed(contribution.writer.sections([table(minutes: 0)], on: 0x14))
        recorder.feed(contribution.frames(60..<120), arrival: 9 * Self.minute)
        #expect(recorder.session.statistics.hasSourceClock)
        // A table that agrees, to 2 s, changes nothing.
        recorder.feed(
            contribution.writer.sections(
                [
                    TransportStreamWriter.timeTable(
                        modifiedJulianDay: 61_100,
                        digits: [0x12, 0x00, 0x01],
                        hasOffsets: true
                    )
                ],
                on: 0x14
            )
        )
        recorder.feed(contribution.frames(120..<180))
        let dated = recorder.units[before...]
        let first = try #require(dated.first)
        for unit in dated {
            let expected = Self.noon + (unit.dts.ticks - first.dts.ticks + 3_000) * 100 / 9
            let time = try #require(unit.sourceTime).microsecondsSinceEpoch
            #expect(abs(time - expected) <= 2)
        }
        // One that does not sets the clock anew.
        recorder.feed(contribution.writer.sections([table(minutes: 0x30)], on: 0x14))
        let later = try #require(
            recorder.feed(contribution.frames(180..<190)).compactMap(\.unit).first
        )
        let time = try #require(later.sourceTime).microsecondsSinceEpoch
        #expect(abs(time - Self.noon - 30 * Self.minute) < 100_000)
        #expect(recorder.session.statistics.sectionErrors == 0)
        #expect(recorder.session.statistics.continuityErrors == 0)
    }

    @Test func theSourceClockGoesOnWhereTheTimelineBeginsAnew() throws {
        var contribution = Contribution(audio: nil)
        var recorder = EventRecorder()
        recorder.feed(contribution.frames(0..<60), arrival: 0)
        recorder.feed(contribution.writer.sections([table(minutes: 0)], on: 0x14), arrival: 0)
        recorder.feed(contribution.frames(90_000..<90_060), arrival: 2 * Self.minute)
        #expect(recorder.discontinuities == [.timestampJump])
        let last = try #require(recorder.units.last?.sourceTime).microsecondsSinceEpoch
        #expect((2 * Self.minute...2 * Self.minute + 2_100_000).contains(last - Self.noon))
    }

    @Test func aClockThatWasNeverSetIsNotFollowed() {
        var contribution = Contribution(audio: nil)
        var recorder = EventRecorder()
        recorder.feed(contribution.frames(0..<60))
        // 2000-01-01.
        recorder.feed(contribution.writer.sections([table(minutes: 0, day: 51_544)], on: 0x14))
        recorder.feed(contribution.frames(60..<70))
        #expect(recorder.units.allSatisfy { $0.sourceTime == nil })
        #expect(!recorder.session.statistics.hasSourceClock)
    }

    @Test func aPictureOnThePIDOfTheTablesIsAPicture() {
        let video = TransportStreamWriter.Stream.h264(pid: TimeTable.pid)
        var contribution = Contribution(video: video, audio: nil)
        var recorder = EventRecorder()
        recorder.feed(contribution.frames(0..<60))
        #expect(recorder.units(on: video).count >= 58)
    }
}

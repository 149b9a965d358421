import Ingestion
import Media
import TestSupport
import Testing

/// Which program is carried.
@Suite struct ProgramsTests {
    private typealias Program = TransportStreamWriter.Program

    private let sound = Program(number: 10, mapPID: 0x1010, streams: [.aac(pid: 0x210)])
    private let picture = Program(number: 20, mapPID: 0x1020, streams: [.h264(pid: 0x220)])
    private let other = Program(number: 30, mapPID: 0x1030, streams: [.h264(pid: 0x230)])

    /// The session after a number of cycles of the tables of some programs.
    private func session(
        _ programs: [Program],
        cycles: Int = 2,
        leavingOut missing: Set<UInt16> = []
    ) -> EventRecorder {
        var writer = TransportStreamWriter(programs: programs)
        var recorder = EventRecorder()
        for _ in 0..<cycles {
            let bytes = writer.tables()
            for start in stride(from: 0, to: bytes.count, by: 188) {
                let pid = UInt16(bytes[start + 1] & 0x1F) << 8 | UInt16(bytes[start + 2])
                if !missing.contains(pid) { recorder.feed(Array(bytes[start..<start + 188])) }
            }
        }
        // The framer looks five packets ahead before it starts.
        for _ in 0..<5 { recorder.feed(writer.nullPacket()) }
        return recorder
    }

    @Test func theFirstProgramWithPictureIsChosen() {
        let statistics = session([sound, picture, other]).session.statistics
        #expect(statistics.selectedProgram == 20)
        #expect(statistics.programs == 3)
    }

    @Test func theOrderIsThatOfTheAssociationTable() {
        #expect(session([other, picture]).session.statistics.selectedProgram == 30)
    }

    @Test func withoutAnyPictureTheFirstProgramWithSoundIsChosen() {
        let data = Program(number: 5, mapPID: 0x1005, streams: [])
        #expect(session([data, sound]).session.statistics.selectedProgram == 10)
    }

    @Test func aMapThatNeverComesIsNotWaitedForLongerThanOneCycle() {
        let once = session([picture, other], cycles: 1, leavingOut: [picture.mapPID])
        #expect(once.session.statistics.selectedProgram == nil)
        let twice = session([picture, other], cycles: 2, leavingOut: [picture.mapPID])
        #expect(twice.session.statistics.selectedProgram == 30)
    }

    @Test func aLoneProgramIsChosenAtOnce() {
        #expect(session([picture], cycles: 1).session.statistics.selectedProgram == 20)
    }

    @Test func onlyTheChosenProgramIsCarried() {
        var writer = TransportStreamWriter(programs: [sound, picture])
        var recorder = EventRecorder()
        recorder.feed(writer.tables())
        for frame in 0..<10 {
            let time = Int64(frame) * 3_000
            recorder.feed(writer.pes(SampleStreams.aacFrame, on: sound.streams[0], pts: time))
            recorder.feed(
                writer.pes(SampleStreams.h264Keyframe(), on: picture.streams[0], pts: time)
            )
        }
        #expect(recorder.units.count == 10)
        #expect(recorder.units.allSatisfy { $0.track.rawValue == 0x220 })
    }

    @Test func programsMayShareAMapPID() {
        var second = picture
        second.mapPID = sound.mapPID
        #expect(session([sound, second]).session.statistics.selectedProgram == 20)
    }

    @Test func anAssociationTableOfManySectionsIsReadWhole() {
        var writer = TransportStreamWriter(programs: [picture])
        func section(_ number: UInt8, _ program: Program) -> [UInt8] {
            TransportStreamWriter.section(
                table: 0,
                identifier: 1,
                number: number,
                lastNumber: 1,
                body: [
                    UInt8(program.number >> 8), UInt8(program.number & 0xFF),
                    0xE0 | UInt8(program.mapPID >> 8), UInt8(program.mapPID & 0xFF),
                ]
            )
        }
        var recorder = EventRecorder()
        let association = writer.sections([section(0, sound), section(1, picture)], on: 0)
        recorder.feed(association + writer.map(of: sound) + writer.map(of: picture))
        for _ in 0..<5 { recorder.feed(writer.nullPacket()) }
        #expect(recorder.session.statistics.programs == 2)
        #expect(recorder.session.statistics.selectedProgram == 20)
    }

    @Test func aTableThatIsNotInForceYetChangesNothing() {
        var writer = TransportStreamWriter(programs: [picture])
        var recorder = EventRecorder()
        recorder.feed(writer.tables())
        let next = TransportStreamWriter.section(
            table: 0,
            identifier: 1,
            version: 1,
            isCurrent: false,
            body: [0, 77, 0xE0, 0x77]
        )
        recorder.feed(writer.sections([next], on: 0))
        for _ in 0..<5 { recorder.feed(writer.nullPacket()) }
        #expect(recorder.session.statistics.selectedProgram == 20)
        #expect(recorder.session.statistics.programs == 1)
    }

    @Test func aDamagedTableIsCountedAndChangesNothing() {
        var writer = TransportStreamWriter(programs: [picture])
        var recorder = EventRecorder()
        recorder.feed(writer.tables())
        var damaged = writer.tables()
        damaged[14] ^= 0x01
        damaged[188 + 14] ^= 0x01
        recorder.feed(damaged)
        for _ in 0..<5 { recorder.feed(writer.nullPacket()) }
        #expect(recorder.session.statistics.sectionErrors == 2)
        #expect(recorder.session.statistics.selectedProgram == 20)
    }

    @Test func aMapLongerThanOnePacketIsRead() throws {
        let descriptors =
            [UInt8]([0x0A, 4] + "deu".utf8 + [0]) + [UInt8]([0x80, 200])
            + [UInt8](repeating: 7, count: 200)
        let stream = TransportStreamWriter.Stream(
            pid: 0x400,
            streamType: 0x0F,
            streamID: 0xC0,
            descriptors: descriptors
        )
        var writer = TransportStreamWriter(streams: [.h264(), stream])
        var recorder = EventRecorder()
        recorder.feed(writer.tables())
        recorder.feed(writer.pes(SampleStreams.h264Keyframe(), on: .h264(), pts: 0))
        recorder.feed(writer.pes(SampleStreams.aacFrame, on: stream, pts: 0))
        let list = try #require(recorder.trackLists.first)
        #expect(list.audio.first?.language == "deu")
    }

    @Test func aMapWhoseLengthsLieIsCounted() {
        var writer = TransportStreamWriter(programs: [picture])
        var recorder = EventRecorder()
        recorder.feed(writer.tables())
        let map = TransportStreamWriter.section(
            table: 2,
            identifier: picture.number,
            version: 1,
            body: [0xE2, 0x20, 0xF0, 0, 0x1B, 0xE2, 0x20, 0xF0, 9, 0x05, 4]
        )
        recorder.feed(writer.sections([map], on: picture.mapPID))
        for _ in 0..<5 { recorder.feed(writer.nullPacket()) }
        #expect(recorder.session.statistics.sectionErrors == 1)
    }
}

import Foundation
import Ingestion
import Media
import TestSupport
import Testing

/// The errors of ETSI TR 101 290, each with a stream that has one thing wrong.
@Suite struct TransportStreamMonitorTests {
    /// 30 pictures a second, each with a PCR, and the tables every third of a second, each arriving
    /// at its time; a test takes away or damages what it is about.
    private struct Feed {
        enum Part { case association, map, clock, sound, soundTimestamps }

        static let video = TransportStreamWriter.Stream.h264()
        static let audio = TransportStreamWriter.Stream.aac()
        static let frameTicks: Int64 = 3_000

        var writer = TransportStreamWriter(streams: [video, audio])
        var recorder: EventRecorder
        /// Decoding time of the next picture.
        var ticks: Int64 = 90_000
        /// When the next bytes arrive, in microseconds.
        var arrival: Int64 = 1_000_000
        /// Pictures from tables to tables.
        var tableDistance = 10
        /// How far the arrival of every other picture is off.
        var jitter: Int64 = 0
        private var frame = 0

        init(absenceLimit: Duration = .seconds(5)) {
            recorder = EventRecorder(configuration: .init(absenceLimit: absenceLimit))
        }

        var errors: TransportStreamErrors { recorder.session.statistics.errors }

        /// What is counted, without what is measured.
        var counts: TransportStreamErrors {
            var errors = errors
            errors.clockJitterMicroseconds = 0
            return errors
        }

        mutating func send(_ bytes: [UInt8]) {
            recorder.feed(bytes, arrival: arrival + (frame % 2 == 0 ? 0 : jitter))
        }

        mutating func frames(
            _ count: Int,
            without missing: Part? = nil,
            isDiscontinuous: Bool = false,
            hasTimePassing: Bool = true
        ) {
            for index in 0..<count {
                send(picture(without: missing, isDiscontinuous: isDiscontinuous && index == 0))
                frame += 1
                ticks += Self.frameTicks
                if hasTimePassing { arrival += 33_333 }
            }
        }

        private mutating func picture(without missing: Part?, isDiscontinuous: Bool) -> [UInt8] {
            var bytes: [UInt8] = []
            if frame % tableDistance == 0 {
                let tables = writer.tables()
                if missing != .association { bytes += tables[..<188] }
                if missing != .map { bytes += tables[188...] }
            }
            bytes += writer.pes(
                frame % 30 == 0 ? SampleStreams.h264Keyframe() : SampleStreams.h264Picture(),
                on: Self.video,
                pts: ticks,
                hasClock: missing != .clock,
                isDiscontinuous: isDiscontinuous
            )
            if missing != .sound {
                bytes += writer.pes(
                    SampleStreams.aacFrame,
                    on: Self.audio,
                    pts: missing == .soundTimestamps ? nil : ticks
                )
            }
            return bytes
        }
    }

    /// What is counted when these were the only errors.
    private func errors(_ change: (inout TransportStreamErrors) -> Void) -> TransportStreamErrors {
        var errors = TransportStreamErrors()
        change(&errors)
        return errors
    }

    @Test func aRegularStreamHasNone() {
        var feed = Feed()
        feed.frames(600)
        #expect(feed.counts == TransportStreamErrors())
        #expect(feed.errors.clockJitterMicroseconds < 2)
        #expect(feed.recorder.session.statistics.continuityErrors == 0)
    }

    @Test func ffmpegsMultiplexHasNone() async throws {
        let result = try await ExternalProcess.run(
            "ffmpeg",
            [
                "-hide_banner", "-loglevel", "error", "-f", "lavfi", "-i",
                "testsrc=size=320x240:rate=30:duration=8", "-f", "lavfi", "-i",
                "sine=sample_rate=48000:duration=8", "-c:v", "libx264", "-preset", "ultrafast",
                "-b:v", "500k", "-g", "30", "-c:a", "aac", "-f", "mpegts", "-muxrate", "1500000",
                "pipe:1",
            ]
        )
        let bytes = [UInt8](result.output)
        #expect(bytes.count > 1_000_000)
        var recorder = EventRecorder()
        for start in stride(from: 0, to: bytes.count, by: 1_316) {
            let piece = Array(bytes[start..<min(start + 1_316, bytes.count)])
            // Each byte at the time that the rate of the multiplex gives it.
            recorder.feed(piece, arrival: Int64(start) * 8 * 1_000_000 / 1_500_000)
        }
        var errors = recorder.session.statistics.errors
        #expect(errors.clockJitterMicroseconds < 7_500)
        errors.clockJitterMicroseconds = 0
        #expect(errors == TransportStreamErrors())
        #expect(recorder.session.statistics.continuityErrors == 0)
        #expect(recorder.session.statistics.transportErrors == 0)
        #expect(recorder.units.count > 500)
    }

    // MARK: First priority

    /// Tables 0.5 s apart, each up to 12 ms late.
    @Test func tablesThatComeInTimeAndAreTakenOutLateAreNoError() {
        var feed = Feed()
        feed.tableDistance = 15
        feed.jitter = 12_000
        feed.frames(900)
        #expect(feed.counts == TransportStreamErrors())
        feed.tableDistance = 17
        feed.frames(90)
        #expect(feed.counts.associationErrors > 0)
        #expect(feed.counts.mapErrors > 0)
    }

    @Test func anAssociationTableThatStaysAwayCountsOnceForEachHalfSecond() {
        var feed = Feed()
        feed.frames(30)
        feed.frames(75, without: .association)
        feed.frames(30)
        #expect((4...5).contains(feed.counts.associationErrors))
        feed.frames(60)
        #expect(feed.counts == errors { $0.associationErrors = feed.counts.associationErrors })
    }

    @Test func anotherTableOnThePIDOfTheAssociationTableCounts() {
        var feed = Feed()
        feed.frames(30)
        let section = TransportStreamWriter.section(table: 0x40, identifier: 1, body: [0xF0, 0])
        feed.send(feed.writer.sections([section, section], on: 0))
        #expect(feed.counts == errors { $0.associationErrors = 2 })
    }

    @Test func scrambledTablesCount() {
        var feed = Feed()
        feed.frames(30)
        let payload = [UInt8](repeating: 0, count: 184)
        for pid in [0, 0x1000] as [UInt16] {
            feed.send(
                feed.writer.packet(pid: pid, startsUnit: true, payload: payload, scrambling: 2)
            )
        }
        #expect(feed.counts.associationErrors == 1)
        #expect(feed.counts.mapErrors == 1)
        #expect(feed.recorder.session.statistics.scrambledPackets == 2)
    }

    @Test func aMapThatStaysAwayCountsOnceForEachHalfSecond() {
        var feed = Feed()
        feed.frames(30)
        feed.frames(75, without: .map)
        feed.frames(60)
        let counts = feed.counts
        #expect((4...5).contains(counts.mapErrors))
        #expect(counts == errors { $0.mapErrors = counts.mapErrors })
    }

    @Test func aStreamThatStaysAwayCountsOnceForEachPeriod() {
        var feed = Feed()
        feed.frames(30)
        feed.frames(11 * 30, without: .sound)
        #expect(feed.counts.absences == 2)
        feed.frames(90)
        #expect(feed.counts.absences == 2)
        var patient = Feed(absenceLimit: .seconds(20))
        patient.frames(30)
        patient.frames(11 * 30, without: .sound)
        #expect(patient.counts.absences == 0)
    }

    @Test func anInputThatIsSilentAsAWholeLacksNothingInParticular() {
        var feed = Feed()
        feed.frames(60)
        feed.arrival += 30_000_000
        feed.frames(60)
        // A clock that is set back.
        feed.arrival -= 3_600_000_000
        feed.frames(60)
        #expect(feed.counts == TransportStreamErrors())
    }

    @Test func continuityAndTransportErrorsAreCountedWhereTheyWere() {
        var feed = Feed()
        feed.frames(30)
        _ = feed.writer.packet(pid: Feed.audio.pid, startsUnit: false, payload: [1])
        var marked = feed.writer.nullPacket()
        marked[1] |= 0x80
        feed.send(marked)
        feed.frames(30)
        #expect(feed.recorder.session.statistics.continuityErrors == 1)
        #expect(feed.recorder.session.statistics.transportErrors == 1)
        #expect(feed.counts == TransportStreamErrors())
    }

    // MARK: Second priority

    @Test(arguments: [0, 188])
    func aTableWithAWrongChecksumCounts(offset: Int) {
        var feed = Feed()
        feed.frames(30)
        var tables = feed.writer.tables()
        tables[offset + 12] ^= 0x10
        feed.send(tables)
        #expect(feed.counts == errors { $0.checksumErrors = 1 })
    }

    @Test func aClockThatIsLateCountsAsRepetition() {
        var feed = Feed()
        feed.frames(30)
        feed.frames(4, without: .clock)
        feed.frames(30)
        #expect(feed.counts == errors { $0.clockRepetitionErrors = 1 })
        feed.frames(2, without: .clock)
        feed.frames(30)
        #expect(feed.counts.clockRepetitionErrors == 1)
    }

    @Test func aClockThatNeverComesCountsOnceASecond() {
        var feed = Feed()
        feed.frames(30)
        feed.frames(5 * 30, without: .clock)
        feed.frames(30)
        #expect((4...5).contains(feed.counts.clockRepetitionErrors))
        #expect(feed.counts.clockDiscontinuityErrors == 0)
    }

    @Test(arguments: [-9_000, 13_500, 90_000_000] as [Int64])
    func aClockThatJumpsCountsUnlessItIsAnnounced(ticks: Int64) {
        for isAnnounced in [false, true] {
            var feed = Feed()
            feed.frames(30)
            feed.ticks += ticks
            feed.frames(30, isDiscontinuous: isAnnounced)
            #expect(feed.counts == errors { $0.clockDiscontinuityErrors = isAnnounced ? 0 : 1 })
        }
    }

    @Test func theWrapOfTheClockIsNoJump() {
        var feed = Feed()
        feed.ticks = 1 << 33 - 45_000
        feed.frames(60)
        #expect(feed.ticks > 1 << 33)
        #expect(feed.counts == TransportStreamErrors())
    }

    @Test func whatComesInBurstsIsNoError() {
        var feed = Feed()
        for _ in 0..<20 {
            feed.frames(30, hasTimePassing: false)
            feed.arrival += 1_000_000
        }
        #expect(feed.counts == TransportStreamErrors())
    }

    @Test(arguments: [-250, 0, 30, 100] as [Double])
    func driftIsThatOfTheClockWhateverTheJitter(ppm: Double) throws {
        var feed = Feed()
        var random = SeededRandom(seed: 1)
        let start = feed.arrival
        for frame in 0..<(200 * 30) {
            let sent = Double(frame) * 1_000_000 / 30 / (1 + ppm / 1_000_000)
            feed.arrival = start + Int64(sent) + .random(in: 0...20_000, using: &random)
            feed.frames(1, hasTimePassing: false)
            if frame == 75 * 30 { #expect(feed.errors.clockDriftPPM == nil) }
        }
        #expect(abs(try #require(feed.errors.clockDriftPPM) - ppm) < 6)
        // A clock that jumps begins anew.
        feed.ticks += 900_000
        feed.frames(1)
        #expect(feed.errors.clockDriftPPM == nil)
    }

    @Test func jitterIsThatOfArrivalsAgainstTheClock() {
        var feed = Feed()
        feed.jitter = 10_000
        feed.frames(300)
        #expect((9_900...10_100).contains(feed.errors.clockJitterMicroseconds))
        #expect(feed.counts == TransportStreamErrors())
    }

    @Test func aStreamWithoutTimestampsCountsWhenTheNextComes() {
        var feed = Feed()
        feed.frames(60)
        feed.frames(30, without: .soundTimestamps)
        #expect(feed.counts == TransportStreamErrors())
        feed.frames(60)
        #expect(feed.counts == errors { $0.timestampErrors = 1 })
        feed.frames(18, without: .soundTimestamps)
        feed.frames(60)
        #expect(feed.counts.timestampErrors == 1)
    }

    @Test func aProgramWithoutAClockIsJudgedByArrival() {
        var feed = Feed()
        feed.writer.programs[0].clockPID = 0x1FFF
        feed.frames(60, without: .clock)
        feed.frames(30, without: .soundTimestamps)
        feed.frames(60, without: .clock)
        #expect(feed.counts.clockRepetitionErrors == 0)
        #expect(feed.counts.timestampErrors == 1)
    }

    @Test(arguments: [false, true])
    func scrambledPacketsNeedATableOfConditionalAccess(hasTable: Bool) {
        var feed = Feed()
        for _ in 0..<12 {
            feed.frames(30)
            feed.send(
                feed.writer.packet(
                    pid: Feed.audio.pid,
                    startsUnit: false,
                    payload: [1],
                    scrambling: 2
                )
            )
            guard hasTable else { continue }
            let section = TransportStreamWriter.section(table: 1, identifier: 0xFFFF, body: [])
            feed.send(feed.writer.sections([section], on: 1))
        }
        #expect(feed.counts == errors { $0.conditionalAccessErrors = hasTable ? 0 : 2 })
    }

    @Test func anotherTableOnThePIDOfConditionalAccessCounts() {
        var feed = Feed()
        feed.frames(30)
        let section = TransportStreamWriter.section(table: 2, identifier: 1, body: [])
        feed.send(feed.writer.sections([section], on: 1))
        #expect(feed.counts == errors { $0.conditionalAccessErrors = 1 })
    }
}

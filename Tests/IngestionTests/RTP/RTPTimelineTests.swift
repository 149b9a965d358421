import Ingestion
import Media
import TestSupport
import Testing

@Suite struct RTPTimelineTests {
    private static let second: Int64 = 90_000
    private static let start: Int64 = 1_700_000_000_000_000

    /// A camera and a microphone behind one network, in simulated time.
    private struct Studio {
        /// One stream of it.
        struct Source {
            let member: RTPTimeline.Member
            let clockRate: Double
            /// Where its RTP timestamps begin.
            var base: UInt32
            /// How fast its clock runs, in millionths.
            var ppm = 0.0
            /// Between what happens and its packet here, in microseconds.
            var delay: Int64 = 50_000
            /// What its sender's clock shows beyond the studio's, in microseconds.
            var senderOffset: Int64 = 0

            func timestamp(at moment: Int64) -> UInt32 {
                let elapsed = Double(moment) / 1e6 * (1 + ppm / 1e6)
                return base &+ UInt32(truncatingIfNeeded: Int64((elapsed * clockRate).rounded()))
            }

            func report(at moment: Int64) -> RTCPSenderReport {
                let wall = UInt64(3_900_000_000_000_000 + moment + senderOffset)
                let fraction = (wall % 1_000_000) << 32 / 1_000_000
                return RTCPSenderReport(
                    ssrc: 0,
                    ntp: (wall / 1_000_000) << 32 | fraction,
                    rtpTimestamp: timestamp(at: moment),
                    packets: 0,
                    octets: 0
                )
            }
        }

        var timeline: RTPTimeline
        var video: Source
        var audio: Source

        init(isSynchronised: Bool = false) throws {
            timeline = RTPTimeline(isSynchronised: isSynchronised)
            let picture = timeline.join(clockRate: 90_000, isAudio: false)
            let sound = timeline.join(clockRate: 48_000, isAudio: true)
            video = Source(
                member: try #require(picture),
                clockRate: 90_000,
                base: 4_000_000_000
            )
            audio = Source(member: try #require(sound), clockRate: 48_000, base: 1_000_000)
        }

        /// Places what happened at `moment`, in microseconds, and arrives with some jitter.
        mutating func place(
            _ source: KeyPath<Studio, Source>,
            at moment: Int64,
            jitter: Int64 = 0
        ) -> RTPTimeline.Position {
            let source = self[keyPath: source]
            return timeline.place(
                source.timestamp(at: moment),
                of: source.member,
                arrival: RTPTimelineTests.wall(moment + source.delay + jitter)
            )
        }

        mutating func report(_ source: KeyPath<Studio, Source>, at moment: Int64) {
            let source = self[keyPath: source]
            timeline.receive(
                source.report(at: moment),
                of: source.member,
                arrival: RTPTimelineTests.wall(moment + source.delay)
            )
        }
    }

    private static func wall(_ microseconds: Int64) -> WallTime {
        WallTime(microsecondsSinceEpoch: start + microseconds)
    }

    /// By how much pictures are shown after the sound of the same moment, in ticks.
    private static func lead(
        _ studio: inout Studio,
        seconds: Range<Int>,
        step: Int64 = 40_000,
        jitter: () -> Int64 = { 0 }
    ) -> Int64 {
        var difference: Int64 = 0
        for moment in stride(
            from: Int64(seconds.lowerBound) * 1_000_000,
            to: Int64(seconds.upperBound) * 1_000_000,
            by: Int(step)
        ) {
            let sound = studio.place(\.audio, at: moment, jitter: jitter())
            let picture = studio.place(\.video, at: moment, jitter: jitter())
            difference = picture.ticks - sound.ticks
        }
        return difference
    }

    @Test func aStreamAloneRunsThroughUnchanged() throws {
        var studio = try Studio()
        var random = SeededRandom(seed: 1)
        var last: Int64?
        for frame in 0..<10_000 {
            let jitter = Int64.random(in: 0...30_000, using: &random)
            let place = studio.place(\.video, at: Int64(frame) * 40_000, jitter: jitter)
            #expect(place.startsEpoch == false)
            if let last { #expect(place.ticks - last == 3_600) }
            last = place.ticks
        }
    }

    @Test func withoutReportsSoundAndPictureMeetByArrival() throws {
        var studio = try Studio()
        var random = SeededRandom(seed: 2)
        let difference = Self.lead(&studio, seconds: 0..<60) {
            Int64.random(in: 0...15_000, using: &random)
        }
        #expect(abs(difference) < 200)
        let status = studio.timeline.status(of: studio.video.member, at: Self.wall(60_000_000))
        #expect(status.source == .arrival)
        #expect(!status.leads)
    }

    @Test func soundIsNeverBent() throws {
        var studio = try Studio()
        var random = SeededRandom(seed: 3)
        var last: Int64?
        // The picture comes first, leads, and is followed by the sound, which leads from then on.
        _ = studio.place(\.video, at: 0)
        studio.video.ppm = 300
        for frame in 1..<5_000 {
            let moment = Int64(frame) * 20_000
            let jitter = Int64.random(in: 0...30_000, using: &random)
            let sound = studio.place(\.audio, at: moment, jitter: jitter)
            _ = studio.place(\.video, at: moment)
            if frame % 250 == 0 {
                studio.report(\.audio, at: moment)
                studio.report(\.video, at: moment)
            }
            if let last { #expect(sound.ticks - last == 1_800) }
            last = sound.ticks
        }
    }

    @Test func aReportCorrectsSlowlyAndOnlyThePicture() throws {
        var studio = try Studio()
        // The camera's encoder takes 300 ms longer, which only reports can tell.
        studio.video.delay = 350_000
        let before = Self.lead(&studio, seconds: 0..<5)
        #expect(abs(before - 27_000) < 200)
        studio.report(\.audio, at: 5_000_000)
        studio.report(\.video, at: 5_000_000)
        var last: (sound: Int64, picture: Int64)?
        var difference: Int64 = 0
        for frame in 0..<1_500 {
            let moment = 5_040_000 + Int64(frame) * 40_000
            if frame % 125 == 0 {
                studio.report(\.audio, at: moment)
                studio.report(\.video, at: moment)
            }
            let sound = studio.place(\.audio, at: moment).ticks
            let picture = studio.place(\.video, at: moment).ticks
            if let last {
                #expect(sound - last.sound == 3_600)
                #expect((3_528...3_672).contains(picture - last.picture))
            }
            last = (sound, picture)
            difference = picture - sound
        }
        #expect(abs(difference) < 150)
        let status = studio.timeline.status(of: studio.video.member, at: Self.wall(65_000_000))
        #expect(status.source == .senderReport)
        #expect(abs(status.correction / .milliseconds(1) + 300) < 5)
    }

    @Test func reportsThatCameFirstPutThePictureInItsPlaceAtOnce() throws {
        var studio = try Studio()
        studio.video.delay = 350_000
        studio.report(\.audio, at: 0)
        studio.report(\.video, at: 0)
        let sound = studio.place(\.audio, at: 0)
        let picture = studio.place(\.video, at: 0)
        #expect(abs(picture.ticks - sound.ticks) < 10)
    }

    @Test(arguments: [false, true])
    func clocksOfSendersThatAreNotOneAreNotCompared(isSynchronised: Bool) throws {
        var studio = try Studio(isSynchronised: isSynchronised)
        studio.timeline.setCNAME("camera", of: studio.video.member)
        studio.timeline.setCNAME("microphone", of: studio.audio.member)
        studio.video.senderOffset = 800_000
        for second in 0..<120 {
            studio.report(\.audio, at: Int64(second) * 1_000_000)
            studio.report(\.video, at: Int64(second) * 1_000_000)
            _ = Self.lead(&studio, seconds: second..<second + 1)
        }
        let difference = Self.lead(&studio, seconds: 120..<121)
        #expect(abs(difference - (isSynchronised ? 72_000 : 0)) < 200)
    }

    @Test func reportsOfClocksThatHaveNothingInCommonAreNotFollowed() throws {
        var studio = try Studio()
        studio.video.senderOffset = 3_600_000_000
        for second in 0..<30 {
            studio.report(\.audio, at: Int64(second) * 1_000_000)
            studio.report(\.video, at: Int64(second) * 1_000_000)
            let difference = Self.lead(&studio, seconds: second..<second + 1)
            #expect(abs(difference) < 200)
        }
        let status = studio.timeline.status(of: studio.video.member, at: Self.wall(30_000_000))
        #expect(status.source == .arrival)
    }

    /// The sound's clock runs 100 ppm fast against the picture's: 8.6 s in a day.
    @Test(arguments: [false, true])
    func clocksThatDriftStayWithinAFrameForADay(hasReports: Bool) throws {
        var studio = try Studio()
        var random = SeededRandom(seed: 5)
        studio.audio.ppm = 60
        studio.video.ppm = -40
        var worst: Int64 = 0
        for second in 0..<(24 * 3_600) {
            if hasReports, second % 5 == 0 {
                studio.report(\.audio, at: Int64(second) * 1_000_000)
                studio.report(\.video, at: Int64(second) * 1_000_000)
            }
            let difference = Self.lead(&studio, seconds: second..<second + 1, step: 250_000) {
                Int64.random(in: 0...10_000, using: &random)
            }
            if second > 60 { worst = max(worst, abs(difference)) }
        }
        // A frame is 3,600 ticks.
        #expect(worst < 1_800, "\(worst)")
        let status = studio.timeline.status(
            of: studio.audio.member,
            at: Self.wall(24 * 3_600_000_000)
        )
        let drift = try #require(status.driftPPM)
        #expect(abs(drift - 60) < 10)
    }

    /// 2^32 wraps after 13.3 hours at 90 kHz, and after 24.9 hours at 48 kHz.
    @Test func twoDaysGoThroughEveryWrap() throws {
        var studio = try Studio()
        var worst: Int64 = 0
        var last: Int64 = 0
        for second in 0..<(48 * 3_600) {
            let moment = Int64(second) * 1_000_000
            let sound = studio.place(\.audio, at: moment)
            let picture = studio.place(\.video, at: moment)
            guard !sound.startsEpoch, !picture.startsEpoch else {
                Issue.record("an epoch began after \(second) s")
                return
            }
            if second > 0, picture.ticks - last != Self.second {
                Issue.record("\(picture.ticks - last) ticks after \(second) s")
                return
            }
            last = picture.ticks
            worst = max(worst, abs(picture.ticks - sound.ticks))
        }
        #expect(worst < 100)
    }

    @Test(arguments: [-3_600, 3_600, 6, -1])
    func aJumpOfTheLeadingClockIsOneEpochAndTimeGoesOn(seconds: Int64) throws {
        var studio = try Studio()
        _ = Self.lead(&studio, seconds: 0..<10)
        let before = try #require(studio.timeline.newest)
        studio.audio.base &+= UInt32(truncatingIfNeeded: seconds * 48_000)
        let jumped = studio.place(\.audio, at: 10_000_000)
        #expect(jumped.startsEpoch)
        #expect((1...5_000).contains(jumped.ticks - before))
        var epochs = 0
        for frame in 1..<500 {
            let moment = 10_000_000 + Int64(frame) * 40_000
            let sound = studio.place(\.audio, at: moment)
            let picture = studio.place(\.video, at: moment)
            epochs += sound.startsEpoch || picture.startsEpoch ? 1 : 0
            #expect(abs(picture.ticks - sound.ticks) < 400)
        }
        #expect(epochs == 0)
    }

    @Test func aJumpOfAFollowerIsPutRightAndBeginsNothing() throws {
        var studio = try Studio()
        _ = Self.lead(&studio, seconds: 0..<10)
        studio.video.base &+= 1_234_567_890
        let sound = studio.place(\.audio, at: 10_000_000)
        let picture = studio.place(\.video, at: 10_000_000)
        #expect(picture.isBroken && !picture.startsEpoch)
        #expect(abs(picture.ticks - sound.ticks) < 400)
        let difference = Self.lead(&studio, seconds: 11..<30)
        #expect(abs(difference) < 200)
        let status = studio.timeline.status(of: studio.video.member, at: Self.wall(30_000_000))
        #expect(status.jumps == 1)
    }

    @Test func aPauseThatTimestampsDoNotTellOfIsAJump() throws {
        var studio = try Studio()
        _ = Self.lead(&studio, seconds: 0..<10)
        let before = try #require(studio.timeline.newest)
        studio.audio.base &-= 60 * 48_000
        let sound = studio.place(\.audio, at: 70_000_000)
        #expect(sound.startsEpoch)
        #expect(abs(sound.ticks - before - 60 * Self.second) < 5_000)
    }

    @Test func aFollowerThatHasToBeSetBackFarBeginsAnEpoch() throws {
        var studio = try Studio()
        _ = Self.lead(&studio, seconds: 0..<60)
        // The sound stalls for 7 s and goes on where it stopped, while the picture runs on.
        var epochs = 0
        for frame in 1_500..<1_675 {
            _ = studio.place(\.video, at: Int64(frame) * 40_000)
        }
        studio.audio.delay += 7_000_000
        var difference: Int64 = 0
        for frame in 1_500..<4_500 {
            let sound = studio.place(\.audio, at: Int64(frame) * 40_000)
            let picture = studio.place(\.video, at: Int64(frame) * 40_000 + 7_000_000)
            epochs += sound.startsEpoch || picture.startsEpoch ? 1 : 0
            difference = picture.ticks - sound.ticks
        }
        #expect(epochs == 1)
        #expect(abs(difference) < 400)
    }

    @Test func anOutageThatTimestampsTellOfIsNone() throws {
        var studio = try Studio()
        _ = Self.lead(&studio, seconds: 0..<10)
        let picture = studio.place(\.video, at: 70_000_000)
        let sound = studio.place(\.audio, at: 70_000_000)
        #expect(!picture.startsEpoch && !sound.startsEpoch)
        let difference = Self.lead(&studio, seconds: 71..<80)
        #expect(abs(difference) < 200)
    }

    @Test func whenSoundStopsThePictureLeadsAndNothingMoves() throws {
        var studio = try Studio()
        studio.audio.ppm = 100
        _ = Self.lead(&studio, seconds: 0..<60)
        var last = studio.place(\.video, at: 60_000_000).ticks
        for second in 61..<200 {
            let ticks = studio.place(\.video, at: Int64(second) * 1_000_000).ticks
            #expect(abs(ticks - last - Self.second) < 30)
            last = ticks
        }
        let alone = studio.timeline.status(of: studio.video.member, at: Self.wall(199_000_000))
        #expect(alone.leads)
        // The sound is back, and put beside the picture.
        let sound = studio.place(\.audio, at: 200_000_000).ticks
        #expect(abs(sound - last - Self.second) < 400)
    }

    @Test func aStreamThatTakesAnothersPlaceGoesOnFromIt() {
        var timeline = RTPTimeline()
        let first = timeline.join(clockRate: 90_000, isAudio: false) ?? -1
        let place = timeline.place(5_000, of: first, arrival: Self.wall(0))
        timeline.leave(first)
        let second = timeline.join(clockRate: 90_000, isAudio: false) ?? -1
        let next = timeline.place(4_000_000_000, of: second, arrival: Self.wall(2_000_000))
        #expect(next.startsEpoch)
        #expect(next.ticks - place.ticks == 2 * Self.second)
    }

    @Test func membersAreBounded() {
        var timeline = RTPTimeline()
        for _ in 0..<RTPTimeline.memberLimit {
            let member = timeline.join(clockRate: 90_000, isAudio: true)
            #expect(member != nil)
        }
        let another = timeline.join(clockRate: 90_000, isAudio: true)
        #expect(another == nil)
    }

    @Test func nonsenseDoesNotTrap() throws {
        var random = SeededRandom(seed: 11)
        var timeline = RTPTimeline()
        let members = [-1, 0, Int.max - 5].compactMap {
            timeline.join(clockRate: $0, isAudio: $0 == 0)
        }
        for _ in 0..<20_000 {
            let member = members.randomElement(using: &random) ?? 0
            let arrival = WallTime(
                microsecondsSinceEpoch: .random(in: Int64.min...Int64.max, using: &random)
            )
            let report = RTCPSenderReport(
                ssrc: 0,
                ntp: .random(in: 0...UInt64.max, using: &random),
                rtpTimestamp: .random(in: 0...UInt32.max, using: &random),
                packets: 0,
                octets: 0
            )
            timeline.receive(report, of: member, arrival: arrival)
            _ = timeline.place(report.rtpTimestamp, of: member, arrival: arrival)
            _ = timeline.status(of: member, at: arrival)
        }
        let nobody = timeline.place(0, of: 99, arrival: Self.wall(0))
        #expect(!nobody.startsEpoch)
    }
}

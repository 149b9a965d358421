import Media
import NIOCore
import Packaging
import Testing

/// Segments are dated by the source's clock, where it tells the time.
@Suite struct SourceTimeTests {
    /// Dates of the segments of ten seconds, in microseconds after the first arrival; what the source
    /// tells is how far ahead of it that is.
    private func dates(_ sourceTells: (Int) -> Int64?) -> [Int64] {
        let source = SyntheticSource()
        var pictures = 0
        let events = source.events.map { event -> MediaEvent in
            guard case .accessUnit(var unit) = event else { return event }
            unit.sourceTime = sourceTells(pictures).map { offset in
                WallTime(microsecondsSinceEpoch: unit.arrival.microsecondsSinceEpoch + offset)
            }
            if unit.track == SyntheticSource.videoID { pictures += 1 }
            return .accessUnit(unit)
        }
        let outputs = StreamPackager.outputs(of: events).outputs
        let audit = OutputAudit(outputs, configuration: .init())
        let start = source.pictures.first?.arrival.microsecondsSinceEpoch ?? 0
        return audit["video"].map { $0.start.programDateTime.microsecondsSinceEpoch - start }
    }

    private static let hour: Int64 = 3_600_000_000
    private static let second: Int64 = 1_000_000

    @Test func aSourceThatTellsTheTimeFromTheStartDatesEverySegment() {
        #expect(dates { _ in nil } == [0, 2, 4, 6, 8].map { $0 * Self.second })
        let dates = dates { _ in -Self.hour }
        #expect(dates == [0, 2, 4, 6, 8].map { $0 * Self.second - Self.hour })
    }

    @Test func aSourceThatTellsItLaterHasTheNextSegmentDatedByIt() {
        let dates = dates { $0 < 70 ? nil : Self.hour }
        #expect(dates.map { $0 / Self.hour } == [0, 0, 1, 1, 1])
        #expect(dates.map { $0 % Self.hour } == [0, 2, 4, 6, 8].map { $0 * Self.second })
    }

    /// Another input begins with its last keyframe, and so with a second that was shown already.
    @Test func whatIsShownAgainIsDatedAsItWas() {
        let events = SyntheticSource().events
        let second = SyntheticSource.wallStart.microsecondsSinceEpoch
        func units(_ isMeant: (Int64) -> Bool) -> [MediaEvent] {
            events.filter { event in
                guard case .accessUnit(let unit) = event else { return false }
                return isMeant(unit.arrival.microsecondsSinceEpoch - second)
            }
        }
        let tracks = MediaEvent.tracks(SyntheticSource().tracks)
        var changing = [tracks] + units { $0 < 3 * Self.second }
        for _ in 0..<10 {
            changing += [.discontinuity(.publisherChange), tracks]
            changing += units { $0 >= 2 * Self.second && $0 < 3 * Self.second }
        }
        changing += [.discontinuity(.publisherChange), tracks]
        changing += units { $0 >= 2 * Self.second }
        let outputs = StreamPackager.outputs(of: changing).outputs
        let dates = OutputAudit(outputs, configuration: .init())["video"].map {
            $0.start.programDateTime.microsecondsSinceEpoch - second
        }
        #expect(
            dates == ([0] + Array(repeating: 2, count: 12) + [4, 6, 8]).map { $0 * Self.second }
        )
    }

    @Test func aSourceThatAgreesToTwoSecondsChangesNoDate() {
        #expect(
            dates { $0 < 70 ? nil : 2 * Self.second } == [0, 2, 4, 6, 8].map { $0 * Self.second }
        )
    }

    /// A day of one picture a fifth of a second, by a clock that is off; arrivals jitter by 60 ms.
    ///
    /// - Returns: How far the date of each segment is from when its first picture came, but for the
    ///   jitter, in microseconds; and by how much dates step beyond what media time says.
    private func day(driftPPM: Int64) -> (errors: [Int64], steps: [Int64]) {
        var packager = StreamPackager(configuration: .init())
        var format = SyntheticSource.video()
        format.frameRate = Rational(5, 1)
        let track = Track(id: SyntheticSource.videoID, format: .video(format))
        _ = packager.consume(.tracks(TrackList([track])))
        var random = SeededGenerator(seed: 1)
        var errors: [Int64] = []
        var steps: [Int64] = []
        var last: (ticks: Int64, date: Int64)?
        var keyframes: [(ticks: Int64, sent: Int64)] = []
        for number in Int64(0)..<(24 * 3_600 * 5) {
            let ticks = 126_000 + number * 18_000
            let sent = number * 200_000 - number * driftPPM / 5
            let jitter = Int64.random(in: 0...60_000, using: &random)
            let unit = AccessUnit(
                track: track.id,
                pts: MediaTime(mpegTicks: ticks),
                dts: MediaTime(mpegTicks: ticks),
                payload: ByteBuffer(bytes: [1, 2, 3]),
                randomAccess: number % 10 == 0 ? .closed : .none,
                arrival: SyntheticSource.wallStart.advanced(
                    by: MediaTime(ticks: sent + jitter, timescale: 1_000_000)
                )
            )
            if unit.isKeyframe { keyframes.append((ticks, sent)) }
            // It opens with its first part, pictures after its keyframe.
            for case .openSegment(_, let start) in packager.consume(.accessUnit(unit)) {
                let keyframe = keyframes.removeFirst()
                let date =
                    start.programDateTime
                    .microsecondsSinceEpoch - SyntheticSource.wallStart.microsecondsSinceEpoch
                errors.append(date - keyframe.sent)
                if let last {
                    steps.append(date - last.date - (keyframe.ticks - last.ticks) * 100 / 9)
                }
                last = (keyframe.ticks, date)
            }
        }
        return (errors, steps)
    }

    @Test(arguments: [-100, 0, 100] as [Int64])
    func aDayOfAClockThatIsOffMovesNoDateByAPicture(driftPPM: Int64) {
        let (errors, steps) = day(driftPPM: driftPPM)
        #expect(errors.count == 43_200)
        // The jitter, a frame at 30 a second, and what a clock runs away meanwhile.
        #expect(errors.allSatisfy { (-33_000...93_000).contains($0) })
        let settled = errors.dropFirst(500)
        #expect((settled.max() ?? 0) - (settled.min() ?? 0) < 33_000)
        // No step is longer than a thousandth of a segment.
        #expect(steps.allSatisfy { abs($0) <= 2_001 })
    }
}

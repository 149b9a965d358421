import Media
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
}

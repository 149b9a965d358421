import Media

/// Decides what a ladder does without while it is behind, step by step, and takes it back.
///
/// Steps: faster presets, one at a time; half the pictures of all sizes but the largest; without the
///        largest size, the next largest, and so on: the smallest stays.
/// Time:  a step is taken when pictures have waited for `patience`, and taken back after `calm` in which
///        none had to; where that was too early, after twice as long the next time.
///
/// A value with no clock.
package struct LadderController: Sendable {
    /// Pictures that wait are too many, and a few are not.
    package static let late = 12
    private static let easy = 2
    package static let patience = Duration.seconds(3)
    package static let calm = Duration.seconds(20)
    private static let longestCalm = Duration.seconds(640)

    private let steps: [LadderEffort]
    private var level = 0
    private var calm = Self.calm
    /// Since when it is late, or easy, without a break and without another step.
    private var lateSince: ContinuousClock.Instant?
    private var easySince: ContinuousClock.Instant?
    private var wasTakenBack = false

    package init(_ rungs: [LadderRung]) {
        var effort = LadderEffort()
        var steps = [effort]
        // AV1 has but one speed here.
        let preset = rungs.first { $0.codec != .av1 }?.preset
        for _ in TranscodingPreset.allCases.prefix(while: { $0 != preset ?? .ultrafast }) {
            effort.fasterPresets += 1
            steps.append(effort)
        }
        if rungs.count > 1 {
            effort.halvesFrameRates = true
            steps.append(effort)
        }
        for _ in rungs.dropFirst() {
            effort.leftOut += 1
            steps.append(effort)
        }
        self.steps = steps
    }

    package var effort: LadderEffort { steps[level] }

    /// So many pictures wait in the longest of the ladder's queues.
    package mutating func observe(waiting count: Int, at now: ContinuousClock.Instant) {
        lateSince = count >= Self.late ? lateSince ?? now : nil
        easySince = count <= Self.easy ? easySince ?? now : nil
        if let since = lateSince, now - since >= Self.patience, level < steps.count - 1 {
            level += 1
            lateSince = now
            if wasTakenBack { calm = min(calm * 2, Self.longestCalm) }
            wasTakenBack = false
        } else if let since = easySince, now - since >= calm, level > 0 {
            level -= 1
            easySince = now
            wasTakenBack = true
        }
    }
}

package import Media

/// Finds a sender's clock behind the jitter of the network: the line under all delays.
///
/// What arrives is late by what the network adds, and never early. So of each stretch of time only
/// the shortest delay is kept; through these goes a line whose slope is the median of all slopes
/// between them, laid so low that no delay is below it. A burst of delay, or a stretch of nothing
/// but late packets, does not move it.
///
/// In:    a delay is arrival minus media time; where it starts from does not matter.
/// Units: microseconds.
/// Bound: 32 stretches, of 2 s as a rule; what is older is forgotten.
package struct ArrivalEnvelope: Sendable {
    private struct Stretch {
        let begin: Int64
        /// When what was delayed least came.
        var time: Int64
        var delay: Int64
    }

    private static let stretchLimit = 32
    /// A slope is told from jitter only over a time.
    private static let fewestForSlope = 8
    /// No clock of a working machine is further off than a thousandth.
    private static let slopeLimit = 1e-3

    private let stretchLength: Int64
    private var stretches: [Stretch] = []
    private var slope = 0.0
    /// Of the line, at `origin`.
    private var level = 0.0
    private var origin: Int64 = 0

    /// Longer stretches make the slope more exact, and known later: after nine of them.
    package init(stretchLength: Duration = .seconds(2)) {
        self.stretchLength = stretchLength.components.seconds * 1_000_000
    }

    package var isEmpty: Bool { stretches.isEmpty }

    /// How much the sender's clock runs fast against this machine's, in millionths.
    ///
    /// - Returns: `nil` while it has not been seen for long enough.
    package var driftPPM: Double? {
        stretches.count <= Self.fewestForSlope ? nil : -slope * 1e6
    }

    package mutating func add(delay: Int64, at arrival: WallTime) {
        let now = arrival.microsecondsSinceEpoch
        if stretches.isEmpty { origin = now }
        guard let last = stretches.last, 0..<stretchLength ~= now &- last.begin else {
            beginStretch(delay: delay, at: now)
            return
        }
        if delay < last.delay {
            stretches[stretches.count - 1].delay = delay
            stretches[stretches.count - 1].time = now
        }
        let residual = Double(delay) - slope * Double(now &- origin)
        if residual < level { level = residual }
    }

    /// The shortest delay to be expected at this moment; 0 before the first.
    package func delay(at now: WallTime) -> Int64 {
        let value = level + slope * Double(now.microsecondsSinceEpoch &- origin)
        return Int64(exactly: value.rounded()) ?? 0
    }

    private mutating func beginStretch(delay: Int64, at now: Int64) {
        // The clock of this machine was set back: what was seen by it is of no use.
        if let last = stretches.last, now < last.begin {
            self = ArrivalEnvelope(stretchLength: .seconds(stretchLength / 1_000_000))
            origin = now
        }
        if stretches.count == Self.stretchLimit { stretches.removeFirst() }
        stretches.append(Stretch(begin: now, time: now, delay: delay))
        layLine()
    }

    private mutating func layLine() {
        // The newest has only one packet yet.
        let whole = stretches.dropLast()
        if whole.count >= Self.fewestForSlope { slope = Self.medianSlope(whole) }
        level = .infinity
        for stretch in stretches {
            let residual = Double(stretch.delay) - slope * Double(stretch.time &- origin)
            level = min(level, residual)
        }
    }

    private static func medianSlope(_ stretches: ArraySlice<Stretch>) -> Double {
        var slopes: [Double] = []
        slopes.reserveCapacity(stretches.count * stretches.count / 2)
        for (index, first) in zip(stretches.indices, stretches) {
            for second in stretches[(index + 1)...] where second.time > first.time {
                slopes.append(
                    Double(second.delay &- first.delay) / Double(second.time &- first.time)
                )
            }
        }
        guard !slopes.isEmpty else { return 0 }
        slopes.sort()
        return min(max(slopes[slopes.count / 2], -slopeLimit), slopeLimit)
    }
}

import Media

/// The one timeline of a program: unwraps the 33-bit timestamps of all its streams together and
/// tells jumps of the source's clock from wraps, from lagging streams and from damage.
///
/// Units: ticks of the 90 kHz clock. Placed times go on through wraps (every 26.5 hours).
/// Bound: placed times stay within 2^61 ticks either way.
/// Jumps: the leading stream (the video; without one, the first audio) decides. When its time
///        leaves the timeline by more than 5 s either way, or steps back by more than 0.5 s, or
///        forward by as much after the source signalled a discontinuity, a new epoch begins. The
///        other streams follow: what they still bring from the old epoch, or already from one that
///        the leading stream has not reached, is misplaced. So there is one jump however the
///        streams are interleaved, and one whose clock is off for good cannot make it flip.
///        When the leading stream is silent, 64 misplaced units in a row make any stream's time the
///        new epoch.
///
/// Source: ISO/IEC 13818-1, 2.4.3.7 (PTS, DTS) and 2.4.3.5 (discontinuity_indicator).
package struct Timeline: Sendable {
    /// One stream's place on the timeline.
    package struct Cursor: Sendable {
        fileprivate var epoch = 0
        fileprivate var last: Int64?

        package init() {}

        /// Moves to the decoding time of the stream's next unit.
        ///
        /// - Returns: False when the time does not come after the last; the cursor then stays.
        package mutating func advance(to dts: Int64) -> Bool {
            if let last, dts <= last { return false }
            last = dts
            return true
        }

        /// As `advance(to:)`, but a time not after the last is moved one tick behind it.
        package mutating func advanceNudging(to dts: Int64) -> Int64 {
            let nudged = max(dts, last.map { $0 &+ 1 } ?? dts)
            last = nudged
            return nudged
        }
    }

    /// A PES packet's place on the timeline; `pts >= dts`.
    package struct Position: Sendable, Equatable {
        package var pts: Int64
        package var dts: Int64
        /// The clock jumped: here the timeline begins anew.
        package var startsEpoch = false
        /// The stream's first position in its epoch.
        package var isFirstInEpoch = false
        /// The times contradicted each other; `pts` was set to `dts`.
        package var isCorrected = false

        package init(pts: Int64, dts: Int64, isCorrected: Bool = false) {
            self.pts = pts
            self.dts = dts
            self.isCorrected = isCorrected
        }
    }

    private static let jumpLimit: Int64 = 5 * 90_000
    private static let stepLimit: Int64 = 45_000
    private static let misplacedLimit = 64
    private static let farthest: UInt64 = 1 << 60
    /// A PES packet begun before the signal is completed after it, so the signal outlasts one unit.
    private static let signalledUnitCount = 2

    private var unwrapper = TimestampUnwrapper(bits: 33)
    /// The decoding time placed last.
    package private(set) var newest: Int64?
    private var epoch = 0
    private var misplacedInARow = 0
    private var signalledUnits = 0

    package init() {}

    /// The source signalled that its clock begins anew.
    package mutating func expectJump() {
        signalledUnits = Self.signalledUnitCount
    }

    /// Finds the place of a PES packet.
    ///
    /// - Parameters:
    ///   - pts: As the PES header has it, 33 bits.
    ///   - dts: `nil` when it equals `pts`.
    ///   - cursor: The stream's own.
    ///   - leads: The stream is the one that decides on jumps.
    /// - Returns: `nil` when the time is misplaced.
    package mutating func place(
        pts: Int64,
        dts: Int64?,
        cursor: inout Cursor,
        leads: Bool
    ) -> Position? {
        var attempt = unwrapper
        var position = Self.unwrap(pts: pts, dts: dts, by: &attempt)
        switch judge(position.dts, cursor, leads: leads) {
        case .misplaced:
            misplacedInARow += 1
            return nil
        case .jump:
            // Only jumps can lead that far, and only a hostile source makes so many of them.
            if position.dts.magnitude > Self.farthest {
                attempt = TimestampUnwrapper(bits: 33)
                position = Self.unwrap(pts: pts, dts: dts, by: &attempt)
            }
            epoch += 1
            signalledUnits = 0
            position.startsEpoch = true
        case .onTimeline:
            break
        }
        if leads, signalledUnits > 0 { signalledUnits -= 1 }
        misplacedInARow = 0
        unwrapper = attempt
        newest = position.dts
        if cursor.epoch != epoch {
            cursor = Cursor()
            cursor.epoch = epoch
            position.isFirstInEpoch = true
        }
        return position
    }

    private static func unwrap(
        pts: Int64,
        dts: Int64?,
        by unwrapper: inout TimestampUnwrapper
    ) -> Position {
        let decoding = unwrapper.unwrap(dts ?? pts)
        // The next decoding time is compared with this one's, so the copy takes the PTS.
        var presentationUnwrapper = unwrapper
        let presentation = presentationUnwrapper.unwrap(pts)
        guard decoding...(decoding + Self.jumpLimit) ~= presentation else {
            return Position(pts: decoding, dts: decoding, isCorrected: true)
        }
        return Position(pts: presentation, dts: decoding)
    }

    private enum Judgement {
        case onTimeline
        case jump
        case misplaced
    }

    private func judge(_ dts: Int64, _ cursor: Cursor, leads: Bool) -> Judgement {
        guard let newest else { return .onTimeline }
        let hasJoined = cursor.epoch == epoch
        let distance = abs(dts - newest)
        let ownStep = cursor.last.map { dts - $0 }
        let isNearOwn = hasJoined && ownStep.map { abs($0) <= Self.jumpLimit } ?? false
        let isOff = distance > Self.jumpLimit && !isNearOwn
        if leads {
            if isOff { return .jump }
            guard hasJoined, let ownStep else { return .onTimeline }
            let hasSteppedBack = ownStep < -Self.stepLimit
            let hasSteppedAsSignalled = signalledUnits > 0 && ownStep > Self.stepLimit
            return hasSteppedBack || hasSteppedAsSignalled ? .jump : .onTimeline
        }
        if isOff { return misplacedInARow >= Self.misplacedLimit ? .jump : .misplaced }
        // Nearer to where the stream was in the old epoch than to the new one: it lags.
        if !hasJoined, let ownStep, abs(ownStep) < distance { return .misplaced }
        return .onTimeline
    }
}

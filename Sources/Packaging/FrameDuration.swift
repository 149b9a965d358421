import Media

/// How long one frame lasts: `ticks / frames` of the 90 kHz clock, so that 60000/1001 is exact.
struct FrameDuration: Sendable, Equatable {
    let ticks: Int64
    let frames: Int64

    /// - Returns: `nil` unless both are positive.
    init?(ticks: Int64, frames: Int64) {
        guard ticks > 0, frames > 0 else { return nil }
        self.ticks = ticks
        self.frames = frames
    }

    /// - Returns: `nil` for rates of no camera: below one frame in ten seconds, above 1 000 a second.
    init?(frameRate: Rational) {
        let (ticks, overflow) = Int64(frameRate.denominator)
            .multipliedReportingOverflow(by: Int64(MediaTime.mpegTimescale))
        guard !overflow, 0.1...1_000 ~= frameRate.value else { return nil }
        self.init(ticks: ticks, frames: Int64(frameRate.numerator))
    }

    /// What the decode times of consecutive frames show, helped by what the bitstream claims.
    ///
    /// The middle distance says how long a frame is, whatever was lost in between; the average of the
    /// distances near it removes the rounding of clocks that count milliseconds. A claimed rate, or a
    /// usual one, is taken when the measurement agrees with it; a claim that it contradicts is not.
    init?(measuring decodeTimes: [Int64], claimed: Rational?) {
        let distances = zip(decodeTimes.dropFirst(), decodeTimes).map(-).filter { $0 > 0 }.sorted()
        guard !distances.isEmpty else {
            guard let claimed else { return nil }
            self.init(frameRate: claimed)
            return
        }
        let middle = distances[distances.count / 2]
        let near = distances.filter { ($0 - middle).magnitude * 4 <= middle.magnitude }
        guard let measured = FrameDuration(ticks: near.reduce(0, +), frames: Int64(near.count))
        else { return nil }
        let claim = claimed.flatMap { FrameDuration(frameRate: $0) }
        if let claim, claim.isNear(measured, within: 0.02) {
            self = claim
        } else {
            self =
                Self.usual.filter { $0.isNear(measured, within: 0.004) }
                .min { $0.distance(to: measured) < $1.distance(to: measured) } ?? measured
        }
    }

    /// 23.976, 24, 25, 29.97, 30, 48, 50, 59.94, 60, 100, 119.88 and 120 frames a second.
    private static let usual: [FrameDuration] = [
        (24_000, 1_001), (24, 1), (25, 1), (30_000, 1_001), (30, 1), (48, 1), (50, 1),
        (60_000, 1_001), (60, 1), (100, 1), (120_000, 1_001), (120, 1),
    ].compactMap { Rational($0, $1).flatMap { FrameDuration(frameRate: $0) } }

    /// Frames a second.
    var rate: Rational? {
        let (numerator, overflow) = Int(frames)
            .multipliedReportingOverflow(by: Int(MediaTime.mpegTimescale))
        return overflow ? nil : Rational(numerator, Int(ticks))
    }

    var averageTicks: Double { Double(ticks) / Double(frames) }

    /// The length of `count` frames, rounded up.
    func length(of count: Int64) -> Int64 {
        let product = ticks.multipliedFullWidth(by: count)
        guard product.high == 0, let low = Int64(exactly: product.low) else { return .max }
        return low / frames + (low % frames > 0 ? 1 : 0)
    }

    /// How many frames come nearest to a length; at least one.
    func count(in length: Int64) -> Int64 {
        max(1, Int64((Double(length) / averageTicks).rounded()))
    }

    private func distance(to other: FrameDuration) -> Double {
        abs(averageTicks - other.averageTicks)
    }

    private func isNear(_ other: FrameDuration, within tolerance: Double) -> Bool {
        distance(to: other) <= tolerance * other.averageTicks
    }
}

extension FrameDuration {
    /// PART-TARGET in ticks: the whole number of frames nearest to `aim`.
    ///
    /// Frames that do not come at even distances (clocks that count milliseconds, cameras) get as much
    /// room as they were seen to need, up to 15 % of the part, so that no part is longer than this and
    /// a part with a frame less is still rare.
    func partTarget(aim: Int64, decodeTimes: [Int64]) -> Int64 {
        let length = length(of: count(in: aim))
        guard let first = decodeTimes.first else { return length }
        let errors = decodeTimes.enumerated().map { index, time in
            Double(time - first) - Double(index) * averageTicks
        }
        let spread = (errors.max() ?? 0) - (errors.min() ?? 0)
        // Rounding to the tick of the 90 kHz clock stays below one tick either way.
        guard spread >= 2 else { return length }
        let millisecond = Double(MediaTime.mpegTimescale) / 1_000
        let room = min(max(spread.rounded(.up), millisecond), Double(length) * 0.15)
        return length + Int64(room)
    }
}

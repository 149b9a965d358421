/// Measures what one publisher sends and says when it has been too much for too long.
///
/// Bound: a publisher is cut off once each of five measurements, about a second apart, was above the
///        limit; shorter bursts (a keyframe, a catch-up after loss) pass.
package struct ReceiveRate: Sendable {
    package static let secondsAboveLimit = 5

    package private(set) var bitsPerSecond = 0.0
    private let limit: Double?
    private var measuredBytes: UInt64 = 0
    private var measuredAt: ContinuousClock.Instant
    private var measurementsAboveLimit = 0

    package init(limitBitsPerSecond: Int?, now: ContinuousClock.Instant) {
        limit = limitBitsPerSecond.map(Double.init)
        measuredAt = now
    }

    /// Compares what has come since the last measurement, about a second ago, with the limit.
    ///
    /// `totalBytes` is the payload since the publisher came.
    package mutating func measure(totalBytes: UInt64, now: ContinuousClock.Instant) {
        let seconds = measuredAt.duration(to: now) / .seconds(1)
        guard seconds > 0 else { return }
        bitsPerSecond = Double(totalBytes &- measuredBytes) * 8 / seconds
        measuredBytes = totalBytes
        measuredAt = now
        guard let limit, bitsPerSecond > limit else {
            measurementsAboveLimit = 0
            return
        }
        measurementsAboveLimit += 1
    }

    package var isExceeded: Bool {
        measurementsAboveLimit >= Self.secondsAboveLimit
    }
}

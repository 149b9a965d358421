import Media

/// The last pictures of a rung: how many a second, how large, and how long each step took.
///
/// Bound: `limit` pictures, 8 s of 30 a second.
package struct LatestPictures: Sendable, Equatable {
    /// What is done with a picture, in order; each lasts from the end of the one before.
    package enum Step: Int, CaseIterable, Sendable {
        /// From the arrival of the original, with all that it waited for.
        case decode
        /// Until it is of this size.
        case scale
        /// Until it is coded, with all that it waited for and was held back.
        case encode
    }

    /// One coded picture.
    struct Sample: Equatable {
        /// In ticks of the 90 kHz clock.
        let decodeTime: Int64
        let bytes: Int
        /// When each step ended.
        let decoded, scaled, encoded: ContinuousClock.Instant
        /// When the original had come.
        let since: ContinuousClock.Instant

        func duration(of step: Step?) -> Duration {
            switch step {
            case .decode: decoded - since
            case .scale: scaled - decoded
            case .encode: encoded - scaled
            case nil: encoded - since
            }
        }
    }

    private static let limit = 256

    private var samples: [Sample] = []
    /// Of the oldest, once there are as many as may be.
    private var oldest = 0

    mutating func append(_ sample: Sample) {
        if samples.count < Self.limit {
            samples.append(sample)
        } else {
            samples[oldest] = sample
            oldest = (oldest + 1) % Self.limit
        }
    }

    /// How long the given share of pictures took at most, in one step or in all; `nil` before the first.
    package func delay(in step: Step? = nil, ofShare share: Double) -> Duration? {
        let sorted = samples.map { $0.duration(of: step) }.sorted()
        guard !sorted.isEmpty else { return nil }
        let index = Int(share * Double(sorted.count))
        return sorted[min(max(index, 0), sorted.count - 1)]
    }

    /// Pictures a second of media; `nil` before the second.
    package var frameRate: Double? {
        seconds.map { Double(samples.count - 1) / $0 }
    }

    /// Of media; `nil` before the second picture.
    package var bitsPerSecond: Double? {
        seconds.map { seconds in
            let bytes = samples.reduce(-samples[oldest].bytes) { $0 + $1.bytes }
            return Double(bytes) * 8 / seconds
        }
    }

    /// From the oldest to the newest.
    private var seconds: Double? {
        guard samples.count > 1 else { return nil }
        let newest = samples[(oldest + samples.count - 1) % samples.count]
        let ticks = newest.decodeTime - samples[oldest].decodeTime
        return ticks > 0 ? Double(ticks) / Double(MediaTime.mpegTimescale) : nil
    }
}

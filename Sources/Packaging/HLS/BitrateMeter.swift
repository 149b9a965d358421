/// The bit rates a multivariant playlist states for one rendition, or for its I-frames alone.
///
/// Peak: the largest rate of any run of consecutive whole segments that lasts half to one and a half
///       target durations; while there is no such run, the rate of the parts so far.
/// Average: over everything published.
/// Units: bits a second, rounded up.
/// Source: RFC 8216bis, 4.4.6.2 (BANDWIDTH, AVERAGE-BANDWIDTH).
package struct BitrateMeter: Sendable {
    private var bytes: UInt64 = 0
    private var microseconds: Int64 = 0
    private var peakOfSegments: Int?

    package init() {}

    package mutating func count(bytes: Int, microseconds: Int64) {
        self.bytes &+= UInt64(bytes)
        self.microseconds &+= microseconds
    }

    /// The newest of the whole segments was closed: takes the runs that end with it.
    ///
    /// `byteCount` is what counts of a segment.
    package mutating func closeRun(
        of segments: some BidirectionalCollection<Segment>,
        targetDurationSeconds: Int,
        byteCount: (Segment) -> Int
    ) {
        let target = Int64(targetDurationSeconds) * 1_000_000
        var runBytes: UInt64 = 0
        var runMicroseconds: Int64 = 0
        for segment in segments.reversed() {
            guard !segment.isGap else { return }
            runBytes &+= UInt64(byteCount(segment))
            runMicroseconds &+= segment.microseconds
            guard runMicroseconds * 2 <= target * 3 else { return }
            if runMicroseconds * 2 >= target {
                let rate = Self.rate(bytes: runBytes, microseconds: runMicroseconds)
                peakOfSegments = max(peakOfSegments ?? 0, rate)
            }
        }
    }

    /// The peak is that of whole segments.
    package var isSettled: Bool { peakOfSegments != nil }

    package var peakBitsPerSecond: Int { peakOfSegments ?? averageBitsPerSecond }

    package var averageBitsPerSecond: Int {
        Self.rate(bytes: bytes, microseconds: microseconds)
    }

    static func rate(bytes: UInt64, microseconds: Int64) -> Int {
        guard microseconds > 0 else { return 0 }
        let rate = (Double(bytes) * 8_000_000 / Double(microseconds)).rounded(.up)
        return Int(min(rate, 1e15))
    }
}

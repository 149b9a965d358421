/// Turns timestamps that wrap (33-bit MPEG, 32-bit RTP) into ticks that only grow with time.
///
/// Each value is read as the one nearest to the last: half the range forward or back. The first is
/// taken as it is, so unwrapped ticks start inside the source's own range.
/// Source: ISO/IEC 13818-1, 2.4.3.7 (33 bits at 90 kHz wrap every 26.5 hours).
package struct TimestampUnwrapper: Sendable {
    private let range: Int64
    private var last: Int64?

    /// - Parameter bits: The width of the wrapped timestamp, 2 to 62.
    package init(bits: Int) {
        range = Int64(1) << Int64(min(max(bits, 2), 62))
    }

    package mutating func unwrap(_ wrapped: Int64) -> Int64 {
        let value = wrapped & (range - 1)
        guard let last else {
            self.last = value
            return value
        }
        let half = range / 2
        var difference = (value - (last & (range - 1))) & (range - 1)
        if difference >= half { difference -= range }
        let unwrapped = last + difference
        self.last = unwrapped
        return unwrapped
    }
}

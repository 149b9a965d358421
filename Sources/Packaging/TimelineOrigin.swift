import Media

/// Brings source times to the 90 kHz clock, at or after zero, so that `tfdt` can hold them.
///
/// A source's unwrapped time may lie below zero after a jump back; the whole timeline is then moved
/// up by whole wraps of the 33-bit clock, which is what its next wrap would show. Times that are no
/// instant of any plausible source are refused.
struct TimelineOrigin: Sendable {
    /// About 1 500 years: sums of such times cannot overflow.
    private static let limit: Int64 = 1 << 52
    private static let wrap: Int64 = 1 << 33
    /// Composition offsets beyond this are damage.
    private static let longestReordering = Int64(MediaTime.mpegTimescale) * 10

    private var offset: Int64?

    mutating func reset() {
        offset = nil
    }

    /// The unit's times on the 90 kHz clock, at or after `earliest`, which is not negative.
    ///
    /// - Returns: Decode and presentation ticks, presentation not before decode; `nil` when the times
    ///            make no sense.
    mutating func place(
        _ unit: AccessUnit,
        after earliest: Int64
    ) -> (decode: Int64, presentation: Int64)? {
        let decode = unit.dts.converted(to: MediaTime.mpegTimescale).ticks
        let presentation = unit.pts.converted(to: MediaTime.mpegTimescale).ticks
        guard decode.magnitude < Self.limit, presentation.magnitude < Self.limit else { return nil }
        let missing = earliest - decode
        let offset = offset ?? (missing > 0 ? (missing / Self.wrap + 1) * Self.wrap : 0)
        self.offset = offset
        guard decode + offset >= earliest else { return nil }
        let reordering = min(max(presentation - decode, 0), Self.longestReordering)
        return (decode + offset, decode + offset + reordering)
    }
}

/// How far out of their decoding order a sender sends units, as its description says.
///
/// Source: RFC 6184, 8.1 (`sprop-interleaving-depth`, `sprop-max-don-diff`); RFC 7798, 7.1
///         (`sprop-depack-buf-nalus`, `sprop-max-don-diff`).
package struct RTPInterleaving: Sendable, Hashable {
    /// Deeper interleaving is refused: at one slice a picture it would hold back ten seconds and more.
    static let depthLimit = 1_024
    /// Of units that wait, whatever `sprop-deint-buf-req` asks for.
    static let byteLimit = 16 << 20

    /// How many units may come before one that is decoded before them; `nil` when that is not said.
    package var depth: Int?
    /// Slices count for the depth, and other units do not, as in H.264.
    package var countsSlices: Bool
    /// How much higher the number of a unit may be than that of one which comes after it; `nil` when
    /// that is not said.
    package var largestDifference: Int?

    package init(depth: Int?, countsSlices: Bool, largestDifference: Int? = nil) {
        self.depth = depth
        self.countsSlices = countsSlices
        self.largestDifference = largestDifference
    }
}

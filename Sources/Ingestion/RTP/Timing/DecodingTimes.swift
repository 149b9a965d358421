/// Decoding times for pictures of which only presentation times are known, without holding any back.
///
/// RTP tells when a picture is shown. Where at most `d` pictures come before one that is shown
/// earlier, a picture's decoding time is the (d+1)-th latest presentation time so far: it is not after
/// its own, and it grows with every picture. The first `d` pictures come before that many are known;
/// they are placed that many frames before the first that is shown, which is the keyframe.
///
/// Out:   strictly growing; not after `pts`, unless the pictures contradict what is known of their
///        order. Then the time is one tick behind the last. Where nothing is known, the depth that
///        was seen is kept, so that this happens once.
/// Delay: none. Without reordering every decoding time is the presentation time.
/// Units: ticks of the 90 kHz clock.
/// Bound: 17 times.
package struct DecodingTimes: Sendable {
    /// The specifications allow no deeper reordering (ITU-T H.264, A.3.1; ITU-T H.265, A.4.2).
    private static let depthLimit = 16

    /// The latest presentation times, latest first.
    private var latest: [Int64] = []
    private var last: Int64?
    /// What the pictures have shown where the format says nothing.
    private var seenDepth = 0

    package init() {}

    /// Takes the next picture, in decoding order.
    ///
    /// - Parameters:
    ///   - pts: When it is shown.
    ///   - reorderDepth: How many pictures at most come before one that is shown earlier; `nil`
    ///     where the format does not say.
    ///   - frameTicks: How far apart pictures are.
    /// - Returns: When it is decoded.
    package mutating func next(pts: Int64, reorderDepth: Int?, frameTicks: Int64) -> Int64 {
        let place = latest.firstIndex { $0 < pts } ?? latest.count
        if reorderDepth == nil { seenDepth = max(seenDepth, place) }
        let depth = min(max(reorderDepth ?? seenDepth, 0), Self.depthLimit)
        latest.insert(pts, at: place)
        if latest.count > Self.depthLimit + 1 { latest.removeLast() }
        let time: Int64
        if latest.count > depth {
            time = latest[depth]
        } else {
            let missing = Int64(depth + 1 - latest.count)
            time = (latest.last ?? pts) &- missing &* max(frameTicks, 1)
        }
        let grown = max(time, last.map { $0 &+ 1 } ?? time)
        last = grown
        return grown
    }

    /// The pictures that follow do not go on from those before; what was seen of their order stays.
    package mutating func beginAnew() {
        latest.removeAll(keepingCapacity: true)
        last = nil
    }
}

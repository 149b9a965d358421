import Media

/// Moves a timeline along with its sound, where that does not run by the clock of its timestamps.
///
/// Frames of sound lie on a grid of samples. Where a source has a clock of its own for its sound, the grid
/// and the timestamps part, and in the end a frame has to be left out or put in, which is heard. Instead
/// all times of the source are moved, little by little: sound is kept as it is, and pictures follow it.
///
/// Rest:  within `tolerance` nothing is moved, so that a source whose sound keeps its times, rounded or not,
///        is left as it is.
/// Where: in front of keyframes, so that only a segment's last picture is longer or shorter for it, and
///        parts stay as long as they are.
/// Speed: at most a 500th of the time that passes; the rest is left to `AudioPackager`.
/// Units: ticks of the 90 kHz clock.
struct SoundFollower: Sendable {
    /// Two milliseconds; half a frame is about ten.
    private static let tolerance: Int64 = 180
    private static let largestError: Int64 = 1_000
    /// How many frames an error must last.
    private static let smoothing: Int64 = 16
    private static let slewLimit: Int64 = 500
    /// Of the fixed point in which parts of a tick are kept.
    private static let scale: Int64 = 1 << 16

    private var error: Int64 = 0
    private var latest: Int64?

    /// What times of the source are moved by.
    private(set) var correction: Int64 = 0

    /// Takes where a frame was put minus where its time, moved as it was, says.
    mutating func observe(_ timingError: MediaTime) {
        let ticks = timingError.converted(to: MediaTime.mpegTimescale).ticks
        let now = min(max(ticks, -Self.largestError), Self.largestError) * Self.scale
        error += (now - error) / Self.smoothing
    }

    /// Makes good for half of the error, where a group of pictures begins: `time` as the source says.
    mutating func step(at time: Int64) {
        defer { latest = time }
        guard let latest else { return }
        let ticks = error / Self.scale
        let excess = ticks - min(max(ticks, -Self.tolerance), Self.tolerance)
        let limit = max(0, time - latest) / Self.slewLimit
        let step = min(max(excess / 2, -limit), limit)
        correction += step
        error -= step * Self.scale
    }
}

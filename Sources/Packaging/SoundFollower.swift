import Media

/// Moves a timeline along with its sound, where that does not run by the clock of its timestamps.
///
/// Frames of sound lie on a grid of samples. Where a source has a clock of its own for its sound, the grid
/// and the timestamps part, and in the end a frame has to be left out or put in, which is heard. Instead
/// all times of the source are moved, little by little: sound is kept as it is, and pictures follow it.
///
/// Rest:  within `tolerance` nothing is moved, so that a source whose sound keeps its times, rounded or not,
///        is left as it is.
/// Speed: at most a 500th of the time that passes; the rest is left to `AudioPackager`.
/// Units: ticks of the 90 kHz clock.
struct SoundFollower: Sendable {
    /// Two milliseconds; half a frame is about ten.
    private static let tolerance: Int64 = 180
    private static let largestError: Int64 = 1_000
    /// How many frames an error must last, and over how many it is made up for.
    private static let (smoothing, pull): (Int64, Int64) = (16, 256)
    /// Of the fixed point in which parts of a tick are kept.
    private static let scale: Int64 = 1 << 16

    private var error: Int64 = 0
    private var moved: Int64 = 0

    /// What times of the source are moved by.
    var correction: Int64 { moved / Self.scale }

    /// Takes where a frame was put minus where its time, moved as it was, says.
    mutating func observe(_ timingError: MediaTime) {
        let ticks = timingError.converted(to: MediaTime.mpegTimescale).ticks
        let now = min(max(ticks, -Self.largestError), Self.largestError) * Self.scale
        error += (now - error) / Self.smoothing
        let tolerance = Self.tolerance * Self.scale
        if error > tolerance { moved += (error - tolerance) / Self.pull }
        if error < -tolerance { moved += (error + tolerance) / Self.pull }
    }
}

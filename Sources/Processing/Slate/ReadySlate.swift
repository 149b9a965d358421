package import Media

/// A slate for the tracks of one stream, with nothing left to be made.
package struct ReadySlate: Sendable {
    /// What it can stand in for.
    package let stream: TrackList
    /// `nil` for a stream of sound alone.
    package let loop: SlateLoop?
    package let silence: [Track.ID: Silence]

    package init(stream: TrackList, loop: SlateLoop?, silence: [Track.ID: Silence]) {
        self.stream = stream
        self.loop = loop
        self.silence = silence
    }

    /// How long the last picture before it was shown, about.
    package var frameDuration: MediaTime {
        guard let loop else { return MediaTime(ticks: 20, timescale: 1_000) }
        return MediaTime(
            ticks: Int64(loop.frameRate.denominator),
            timescale: UInt32(clamping: loop.frameRate.numerator)
        )
    }
}

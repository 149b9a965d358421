/// What encoding the sound of a stream does, and what it takes; counts are since it began.
package struct SoundStatistics: Sendable, Equatable {
    /// One track in one format.
    package struct Output: Sendable, Equatable {
        /// Of the rendition that it is made of.
        package let source: String
        package let format: SoundOutputFormat
        package var frames: UInt64 = 0
        package var bytes: UInt64 = 0
        /// Hertz and channels; 0 before the first frame.
        package var sampleRate = 0
        package var channels = 0
        /// From the arrival of what completes a frame to the frame, the most of late.
        package var delay = Duration.zero
        /// What went wrong last.
        package var failure: String?

        init(source: String, format: SoundOutputFormat) {
            self.source = source
            self.format = format
        }

        mutating func count(bytes count: Int, after delay: Duration) {
            frames &+= 1
            bytes &+= UInt64(count)
            self.delay = max(delay, self.delay - (self.delay - delay) / 64)
        }
    }

    package var outputs: [Output] = []
    /// Damaged frames of the source, which are heard as silence.
    package var undecodableFrames: UInt64 = 0
    /// Not decoded because too many waited, and heard as silence.
    package var lostFrames: UInt64 = 0
    package var queued = 0
    package var cpuSeconds = 0.0

    package init() {}
}

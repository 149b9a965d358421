package import Media

/// The small picture of a stream, made when it is asked for.
///
/// Counts are since the stream began.
package struct ThumbnailSnapshot: Codable, Sendable, Equatable {
    /// `waiting` (no keyframe has come), `ready`, `failing` (the newest could not be decoded).
    package var state: String
    /// Of the JPEG.
    package var path: String
    /// It is made anew no sooner.
    package var intervalSeconds: Double
    package var decodes: UInt64
    /// Keyframes that could not be decoded.
    package var failures: UInt64
    package var cpuSeconds: Double

    package init(
        of stream: StreamName,
        state: String,
        interval: Duration,
        decodes: UInt64,
        failures: UInt64,
        cpuTime: Duration
    ) {
        self.state = state
        path = "/api/v1/streams/\(stream)/thumbnail.\(Thumbnail.Format.jpeg.rawValue)"
        intervalSeconds = (interval / .seconds(1)).roundedForDisplay
        self.decodes = decodes
        self.failures = failures
        cpuSeconds = (cpuTime / .seconds(1)).roundedForDisplay
    }
}

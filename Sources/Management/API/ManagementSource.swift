package import Media

/// Everything the management plane knows: questions that the server answers from memory, and the
/// things it can be told.
///
/// Management reads snapshots and is never on the media path. Each closure is called once for
/// each request that needs it, on any thread, and must not block.
package struct ManagementSource: Sendable {
    /// Every stream with a name on air, in the order of their names.
    package var streams: @Sendable () -> [StreamSnapshot]
    package var stream: @Sendable (StreamName) -> StreamSnapshot?
    package var health: @Sendable () -> HealthSnapshot
    package var server: @Sendable () -> ServerSnapshot
    package var descriptions: SessionDescriptions
    /// A stream's picture, and how long it may be shown before it is asked for again; may wait.
    ///
    /// Throws `ProblemDetails`.
    package var thumbnail:
        @Sendable (StreamName, Thumbnail.Format) async throws -> (
            file: Thumbnail, lifetime: Duration
        )
    /// How much of a stream's picture its sizes keep; waits for pictures.
    ///
    /// Throws `ProblemDetails`.
    package var quality: @Sendable (StreamName) async throws -> QualitySnapshot
    /// Prefers an input of a stream; `nil` prefers the first again.
    ///
    /// Throws `ProblemDetails`.
    package var selectInput: @Sendable (StreamName, StreamName?) throws -> Void

    package init(
        streams: @escaping @Sendable () -> [StreamSnapshot],
        stream: @escaping @Sendable (StreamName) -> StreamSnapshot?,
        health: @escaping @Sendable () -> HealthSnapshot,
        server: @escaping @Sendable () -> ServerSnapshot,
        descriptions: SessionDescriptions = .none,
        thumbnail:
            @escaping @Sendable (StreamName, Thumbnail.Format) async throws
            -> (file: Thumbnail, lifetime: Duration),
        quality: @escaping @Sendable (StreamName) async throws -> QualitySnapshot,
        selectInput: @escaping @Sendable (StreamName, StreamName?) throws -> Void
    ) {
        self.streams = streams
        self.stream = stream
        self.health = health
        self.server = server
        self.descriptions = descriptions
        self.thumbnail = thumbnail
        self.quality = quality
        self.selectInput = selectInput
    }
}

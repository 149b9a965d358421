package import NIOCore

/// What a player asks for at the live edge, and when it came; without its decoder.
///
/// Two chains of requests, as players have them: playlists, each waited for until it tells of a part
/// more, and parts, one after the other, as soon as a playlist tells of them.
/// Units: seconds of media from the end of the first playlist that it waited for.
package struct LiveEdgeViewer: Sendable {
    package struct Part: Sendable {
        package let uri: String
        package let start: Double
        package let duration: Double
        package let instant: ContinuousClock.Instant
        package let status: Int
        package let bytes: ByteBuffer
    }

    private let viewer: Viewer
    private let path: String
    package private(set) var parts: [Part] = []
    /// When the first playlist that it waited for came.
    private var start = ContinuousClock.Instant.now
    /// Seconds behind the end of a playlist at which it asks players to stay.
    package private(set) var holdBack = 0.0
    package private(set) var partTarget = 0.0

    /// `path` is that of a media playlist.
    package init(_ viewer: Viewer, path: String) {
        self.viewer = viewer
        self.path = path
    }

    /// Watches until it has asked for so much media.
    package mutating func watch(seconds: Double) async throws {
        let (viewer, path) = (viewer, path)
        var playlist = try MediaPlaylist(try await viewer.waitFor(path).text)
        playlist = try await Self.next(after: playlist, of: path, by: viewer)
        start = .now
        holdBack = playlist.serverControl["PART-HOLD-BACK"].flatMap(Double.init) ?? 0
        partTarget = playlist.partTarget ?? 0
        var known = Set(playlist.allParts.map(\.uri))
        var end = 0.0
        while end < seconds {
            let current = playlist
            let new = current.allParts.filter { known.insert($0.uri).inserted }
            async let following = Self.next(after: current, of: path, by: viewer)
            for part in new {
                try await take(part, at: end)
                end += part.duration
            }
            playlist = try await following
        }
    }

    private static func next(
        after playlist: MediaPlaylist,
        of path: String,
        by viewer: Viewer
    ) async throws -> MediaPlaylist {
        try await viewer.playlist(
            "\(path)?_HLS_msn=\(playlist.openMediaSequence)&_HLS_part=\(playlist.openParts.count)"
        )
    }

    private mutating func take(_ part: MediaPlaylist.Part, at start: Double) async throws {
        let folder = MediaPlaylist.folder(of: path)
        let answer = try await viewer.ask(folder + part.uri)
        parts.append(
            Part(
                uri: part.uri,
                start: start,
                duration: part.duration,
                instant: .now,
                status: answer.status,
                bytes: answer.body
            )
        )
    }

    // MARK: What a player would have felt

    /// Seconds of media that a player had left when each part came, had it begun to play at once, as far behind the
    /// live edge as it is asked to stay; less than nothing is a stall.
    package var reserves: [Double] {
        parts.map { holdBack + $0.start - start.duration(to: $0.instant) / .seconds(1) }
    }

    /// How many seconds later than with `other` each part came that both have.
    package func delays(against other: LiveEdgeViewer) -> [Double] {
        let instants = Dictionary(
            other.parts.map { ($0.uri, $0.instant) },
            uniquingKeysWith: { first, _ in first }
        )
        return parts.compactMap { part in
            instants[part.uri].map { $0.duration(to: part.instant) / .seconds(1) }
        }
    }
}

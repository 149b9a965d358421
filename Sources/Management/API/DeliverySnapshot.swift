package import Media

/// What viewers can get of a stream, and what they are waiting for.
package struct DeliverySnapshot: Codable, Sendable, Equatable {
    /// One rendition as the multivariant playlist offers it.
    package struct Rendition: Codable, Sendable, Equatable {
        /// `video`, `audio1`.
        package var id: String
        package var averageBandwidthBitsPerSecond: Int
        package var peakBandwidthBitsPerSecond: Int
        /// The newest segment begun; left out before the first.
        package var lastMediaSequence: UInt64?

        package init(
            id: String,
            averageBandwidthBitsPerSecond: Int,
            peakBandwidthBitsPerSecond: Int,
            lastMediaSequence: UInt64?
        ) {
            self.id = id
            self.averageBandwidthBitsPerSecond = averageBandwidthBitsPerSecond
            self.peakBandwidthBitsPerSecond = peakBandwidthBitsPerSecond
            self.lastMediaSequence = lastMediaSequence
        }
    }

    /// Paths on the HTTPS listener.
    package var playlistURL: String
    package var watchURL: String
    package var renditions: [Rendition]
    /// Requests held open until something is published. Each low-latency viewer has about one open
    /// for each rendition it plays, so this follows the audience.
    package var waiters: Int
    package var storedBytes: Int
    package var storedSegments: Int
    package var storedParts: Int
    package var playlistRenders: UInt64

    package init(
        stream: StreamName,
        renditions: [Rendition] = [],
        waiters: Int = 0,
        storedBytes: Int = 0,
        storedSegments: Int = 0,
        storedParts: Int = 0,
        playlistRenders: UInt64 = 0
    ) {
        playlistURL = "/live/\(stream)/playlist.m3u8"
        watchURL = "/watch/\(stream)"
        self.renditions = renditions
        self.waiters = waiters
        self.storedBytes = storedBytes
        self.storedSegments = storedSegments
        self.storedParts = storedParts
        self.playlistRenders = playlistRenders
    }
}

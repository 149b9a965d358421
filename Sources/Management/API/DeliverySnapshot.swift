package import Media
package import Packaging

/// What viewers can get of a stream, and how many take it.
package struct DeliverySnapshot: Codable, Sendable, Equatable {
    /// One rendition as the multivariant playlist offers it.
    package struct Rendition: Codable, Sendable, Equatable {
        /// `video`, `audio1`.
        package var id: String
        package var averageBandwidthBitsPerSecond: Int
        package var peakBandwidthBitsPerSecond: Int
        /// The newest segment begun; left out before the first.
        package var lastMediaSequence: UInt64?
        package var lastPart: UInt64?
        package var listedSegments: Int

        init(_ statistics: SegmentStoreStatistics.Rendition) {
            id = statistics.id.description
            averageBandwidthBitsPerSecond = statistics.averageBitrateBitsPerSecond
            peakBandwidthBitsPerSecond = statistics.peakBitrateBitsPerSecond
            lastMediaSequence = statistics.lastMediaSequence
            lastPart = statistics.lastPart
            listedSegments = statistics.listedSegments
        }
    }

    /// Paths on the HTTPS listener.
    package var playlistPath: String
    package var watchPath: String
    package var renditions: [Rendition]
    /// Connections that asked for a playlist in the last seconds; caches in between hide theirs.
    package var viewers: Int
    /// From the first publisher's connection to the first part that could be played.
    package var firstPartAfterMilliseconds: Double?
    /// Requests held open until something is published.
    package var waiters: Int
    package var timedOutWaiters: UInt64
    package var rejectedWaiters: UInt64
    package var storedBytes: Int
    package var storedSegments: Int
    package var storedParts: Int
    /// Segments let go early, because the store reached its limit of bytes.
    package var evictedSegments: UInt64
    package var rejectedParts: UInt64
    package var playlistRenders: UInt64

    package init(
        stream: StreamName,
        store: SegmentStoreStatistics,
        viewers: Int,
        firstPartAfter: Duration? = nil
    ) {
        playlistPath = "/live/\(stream)/playlist.m3u8"
        watchPath = "/watch/\(stream)"
        renditions = store.renditions.map(Rendition.init)
        self.viewers = viewers
        firstPartAfterMilliseconds = firstPartAfter.map {
            ($0 / .milliseconds(1)).roundedForDisplay
        }
        waiters = store.waiters
        timedOutWaiters = store.timedOutWaiters
        rejectedWaiters = store.rejectedWaiters
        storedBytes = store.bytesHeld
        storedSegments = store.segments
        storedParts = store.parts
        evictedSegments = store.evictedSegments
        rejectedParts = store.rejectedParts
        playlistRenders = store.playlistRenders
    }
}

/// A snapshot of one stream's store.
///
/// Units: rates are bits a second of media. Counts are since the store was made unless said.
package struct SegmentStoreStatistics: Sendable, Equatable {
    package struct Rendition: Sendable, Equatable {
        package let id: Packaging.Rendition.ID
        /// Over everything published so far.
        package let averageBitrateBitsPerSecond: Int
        /// As BANDWIDTH is defined; see `BitrateMeter`.
        package let peakBitrateBitsPerSecond: Int
        /// `nil` before the first part.
        package let lastMediaSequence: UInt64?
        /// Index of the newest part within `lastMediaSequence`.
        package let lastPart: UInt64?
        /// Segments its playlist lists now, the growing one included.
        package let listedSegments: Int
    }

    /// Bytes of media and of initializations held now.
    package var bytesHeld = 0
    /// Held now, those that left the playlist but can still be fetched included.
    package var segments = 0
    package var parts = 0
    /// Viewers waiting now.
    package var waiters = 0
    /// Media playlists rendered: one for each rendition that a call of `apply` changed.
    package var playlistRenders: UInt64 = 0
    package var multivariantRenders: UInt64 = 0
    /// Parts refused: no open segment, a media sequence number that does not grow, or a limit.
    package var rejectedParts: UInt64 = 0
    /// Segments let go before their time because of `PackagingConfiguration.memoryLimitBytes`.
    package var evictedSegments: UInt64 = 0
    /// Waits refused because `SegmentStore.Limits.waiters` was reached.
    package var rejectedWaiters: UInt64 = 0
    package var timedOutWaiters: UInt64 = 0
    /// In the order the packager offers them.
    package var renditions: [Rendition] = []

    package init() {}
}

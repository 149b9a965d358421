/// What the API says of one stream.
///
/// Counts are since its publisher came, unless said otherwise.
///
/// JSON: the same names in snake_case; what is not known is left out.
package struct StreamSnapshot: Codable, Sendable, Equatable {
    package enum State: String, Codable, Sendable, CaseIterable {
        /// Somebody sends RTP, and what it is is not known yet.
        case detecting
        /// The publisher is there; nothing can be played yet.
        case waiting
        case live
        /// Nothing comes of its inputs; a slate is shown in their place.
        case slate
        /// The publisher left; the playlists wait for its return.
        case interrupted
        /// The playlists have their end.
        case ended
    }

    package var name: String
    package var state: State
    /// When the stream came into this state.
    package var since: Timestamp
    /// `nil` while nobody publishes.
    ///
    /// Of a stream with inputs: who is on air.
    package var publisher: PublisherSnapshot?
    /// `nil` for a stream that is published to by its own name.
    package var inputs: InputsSnapshot?
    /// `nil` where none is configured.
    package var slate: SlateSnapshot?
    /// `nil` where there never is one.
    package var thumbnail: ThumbnailSnapshot?
    /// Of a sender that is looked at.
    package var detection: DetectionSnapshot?
    package var tracks: [TrackSnapshot]
    package var ingest: IngestSnapshot?
    /// What lies between the publisher and each consumer of the stream.
    package var queues: [QueueSnapshot]
    /// `nil` where none is wanted.
    package var transcoding: TranscodingSnapshot?
    package var packaging: PackagingSnapshot?
    package var delivery: DeliverySnapshot

    package init(
        name: String,
        state: State,
        since: Timestamp,
        publisher: PublisherSnapshot?,
        inputs: InputsSnapshot? = nil,
        slate: SlateSnapshot? = nil,
        thumbnail: ThumbnailSnapshot? = nil,
        tracks: [TrackSnapshot],
        ingest: IngestSnapshot?,
        queues: [QueueSnapshot] = [],
        transcoding: TranscodingSnapshot? = nil,
        packaging: PackagingSnapshot?,
        delivery: DeliverySnapshot
    ) {
        self.name = name
        self.state = state
        self.since = since
        self.publisher = publisher
        self.inputs = inputs
        self.slate = slate
        self.thumbnail = thumbnail
        self.tracks = tracks
        self.ingest = ingest
        self.queues = queues
        self.transcoding = transcoding
        self.packaging = packaging
        self.delivery = delivery
    }
}

/// The answer of `GET /api/v1/streams`.
package struct StreamList: Codable, Sendable, Equatable {
    package var streams: [StreamSnapshot]

    package init(streams: [StreamSnapshot]) {
        self.streams = streams
    }
}

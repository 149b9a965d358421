/// Everything that travels down the flow, in one band: a consumer needs no side channel.
///
/// Order: `tracks` comes before the first access unit of any track it lists. A change of codec or
///        of resolution is a `discontinuity` and then new `tracks`. After `end`, a publisher that
///        comes back starts with `discontinuity` and `tracks` again.
package enum MediaEvent: Sendable {
    case tracks(TrackList)
    case accessUnit(AccessUnit)
    case discontinuity(DiscontinuityReason)
    case end(EndReason)
}

/// Why the timeline, or the bitstream, does not go on from what came before.
package enum DiscontinuityReason: String, Sendable, Hashable, CaseIterable {
    case timestampJump = "timestamp_jump"
    case formatChange = "format_change"
    case publisherChange = "publisher_change"
}

/// Why a publisher's contribution stopped.
package enum EndReason: String, Sendable, Hashable, CaseIterable {
    case disconnected
    case idle
    case takenOver = "taken_over"
    case refused
    case shutdown
}

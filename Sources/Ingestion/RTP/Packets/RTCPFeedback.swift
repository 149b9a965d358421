/// What a receiver asks of a sender before the next report is due.
///
/// Source: RFC 4585, 6; RFC 5104, 4.3.1.
package enum RTCPFeedback: Sendable, Equatable {
    /// Send these packets again: sequence numbers in the order in which they are missed.
    case negativeAcknowledgement(media: UInt32, lost: [UInt16])
    /// Pictures cannot be decoded: send a keyframe.
    case pictureLoss(media: UInt32)
    /// Send a keyframe; asked again with the same number, it is the same request.
    case fullIntraRequest(media: UInt32, commandSequence: UInt8)
}

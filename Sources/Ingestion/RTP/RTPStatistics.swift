package import Media

/// A snapshot of one RTP contribution; counts are since it came.
package struct RTPStatistics: Sendable, Equatable {
    /// What is done with the packets of one SSRC.
    package enum State: Sendable, Equatable {
        /// Not believed yet: too few packets came in a row.
        case probation
        /// It would replace a stream that still comes.
        case waiting
        case carried
        /// Packets of another SSRC, sent again.
        case retransmission
        /// It cannot be carried; why, in words.
        case notCarried(String)
        /// It said BYE, or another took its place.
        case left
    }

    package struct Stream: Sendable, Equatable {
        package var ssrc: UInt32
        /// Which of the session's media it belongs to; `nil` when none was declared.
        package var medium: Int?
        package var payloadType: UInt8
        package var format: RTPPayloadFormat?
        package var track: Track.ID?
        package var state: State
        package var cname: String?
        package var reception = RTPReceptionStatistics()
        package var reordering = RTPReorderBuffer.Statistics()
        package var units = RTPElementaryStream.Statistics()
        /// What would cure that nothing can be decoded; `nil` when nothing is wrong.
        package var hint: String?
        package var clock = RTPTimeline.Status()

        package init(ssrc: UInt32, medium: Int?, payloadType: UInt8, state: State) {
            self.ssrc = ssrc
            self.medium = medium
            self.payloadType = payloadType
            self.state = state
        }
    }

    /// In the order in which they came; bounded.
    package var streams: [Stream] = []
    package var accessUnits: UInt64 = 0
    package var discontinuities: UInt64 = 0
    /// Units whose time did not come after that of the one before, dropped.
    package var misplacedUnits: UInt64 = 0
    /// Packets that came again by retransmission or were rebuilt by FEC.
    package var recoveredPackets: UInt64 = 0
    /// `nil` while no FEC packet came.
    package var correction: RTPForwardErrorCorrection.Statistics?
    /// Packets of SSRCs beyond the limit.
    package var refusedPackets: UInt64 = 0
    /// Packets that were asked for again, and keyframes that were asked for.
    package var packetsRequested: UInt64 = 0
    package var keyframesRequested: UInt64 = 0
    /// Of an MPEG transport stream.
    package var transportStream: TransportStreamStatistics?

    package init() {}

    mutating func add(_ other: RTPForwardErrorCorrection.Statistics?) {
        guard let other else { return }
        var sum = correction ?? .init()
        sum.received &+= other.received
        sum.recovered &+= other.recovered
        sum.invalid &+= other.invalid
        sum.insufficient &+= other.insufficient
        correction = sum
    }
}

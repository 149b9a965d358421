package import Media

/// A session that the operator tells of: how its packets are known, and what they carry.
///
/// Each fact that is given must fit; the declaration with the most facts that fit wins. Two that could
/// both fit with as many are refused (`conflicts`): a stream is never guessed.
package struct RTPDeclaration: Sendable, Equatable {
    package enum Payload: String, Sendable, CaseIterable {
        case rtp
        /// A transport stream in plain UDP datagrams.
        case mpegts
    }

    package var stream: StreamName
    /// `nil`: the port that all share.
    package var port: Int?
    package var rtcpPort: Int?
    /// FEC is taken two and four ports above `port`; of the port that all share, the listener says.
    package var hasCorrection = false
    package var source: AddressRange?
    package var ssrc: UInt32?
    package var payload = Payload.rtp
    package var group: IPAddress?
    /// An interface's name, or its address.
    package var interface: String?
    /// `nil`: what comes is recognised from its packets.
    package var description: SessionDescription?
    /// Ports of the description that are opened beside the one that all share.
    package private(set) var describedPorts: Set<UInt16> = []
    /// Its text, as it was given.
    package var descriptionText = ""

    package init(stream: StreamName) {
        self.stream = stream
    }

    /// How many facts a packet must fit.
    var facts: Int {
        (source == nil ? 0 : 1) + (ssrc == nil ? 0 : 1) + (description == nil ? 0 : 1)
    }

    func matches(_ sender: RTPSourceTable.Source, payloadType: UInt8) -> Bool {
        if let source, !source.contains(sender.peer.address) { return false }
        if let ssrc, ssrc != sender.ssrc { return false }
        guard let description else { return sender.port == nil }
        return description.media.contains { media in
            ownPort(of: media) == sender.port && media.names(payloadType)
                && media.names(ssrc: sender.ssrc) && media.allows(sender.peer.address)
        }
    }

    /// The medium that a packet is of; `nil` where ports do not tell.
    func medium(ofPacketTo port: UInt16?, payloadType: UInt8) -> Int? {
        guard !describedPorts.isEmpty else { return nil }
        return description?.media.firstIndex {
            ownPort(of: $0) == port && $0.names(payloadType)
        }
    }

    /// The media of the description that come to this port.
    func media(at port: UInt16?) -> [MediaDescription] {
        description?.media.filter { $0.kind != .other && $0.port != 0 && ownPort(of: $0) == port }
            ?? []
    }

    /// Where a medium comes to; `nil`: the port that all share, or that of the declaration.
    private func ownPort(of medium: MediaDescription) -> UInt16? {
        describedPorts.contains(medium.port) ? medium.port : nil
    }

    /// Has the ports that the description names be opened, but for the one that all share.
    ///
    /// A port of the declaration goes before: then all comes there.
    package mutating func takeDescribedPorts(besides shared: Int) {
        guard port == nil, let description else {
            describedPorts = []
            return
        }
        let named = description.media.filter { $0.kind != .other && $0.port != 0 }.map(\.port)
        describedPorts = Set(named.filter { Int($0) != shared })
    }

    /// Why a packet could belong to either of two sessions; `nil` when none can.
    package func conflict(with other: RTPDeclaration) -> String? {
        guard stream != other.stream else { return "are two sessions of one name" }
        guard port == other.port else { return nil }
        guard payload == other.payload else { return "share a port, and one has no RTP headers" }
        guard facts == other.facts else { return nil }
        if let ssrc, let theirs = other.ssrc, ssrc != theirs { return nil }
        if let source, let theirs = other.source, !source.overlaps(theirs) { return nil }
        guard let description, let theirs = other.description else {
            return "cannot be told apart"
        }
        let isShared = description.media.contains { medium in
            theirs.media.contains {
                other.ownPort(of: $0) == ownPort(of: medium) && medium.overlaps($0)
            }
        }
        return isShared ? "have a payload type in common and cannot be told apart" : nil
    }
}

extension MediaDescription {
    /// Whether packets of this payload type are of this medium, whether they can be carried or not.
    func names(_ payloadType: UInt8) -> Bool {
        payloads[payloadType] != nil || retransmissions[payloadType] != nil
            || unknownEncodings[payloadType] != nil
    }

    fileprivate func names(ssrc: UInt32) -> Bool {
        ssrcs.isEmpty || ssrcs.contains(ssrc) || retransmissionSSRCs[ssrc] != nil
    }

    fileprivate func allows(_ address: IPAddress) -> Bool {
        sources.isEmpty || sources.contains { IPAddress($0) == address }
    }

    /// Whether a packet could be of both.
    fileprivate func overlaps(_ other: MediaDescription) -> Bool {
        let types = Set(payloads.keys).union(retransmissions.keys).union(unknownEncodings.keys)
        return types.contains(where: other.names)
            && Self.mayMeet(ssrcs, other.ssrcs) && Self.mayMeet(sources, other.sources)
    }

    /// Two lists of what is allowed, of which an empty one allows everything.
    private static func mayMeet<Value: Equatable>(_ first: [Value], _ second: [Value]) -> Bool {
        first.isEmpty || second.isEmpty || first.contains(where: second.contains)
    }
}

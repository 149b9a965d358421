/// One `m=` line and what belongs to it: which packets come where, and what they carry.
package struct MediaDescription: Sendable, Equatable {
    package enum Kind: Sendable, Equatable {
        case video
        case audio
        /// Text, messages and the like: listed, not received.
        case other
    }

    /// An RTX payload: the packets of another payload type, sent again (RFC 4588).
    package struct Retransmission: Sendable, Equatable {
        /// `apt`: the payload type of what is sent again.
        package var payloadType: UInt8
        /// `rtx-time`: how long the sender keeps packets; `nil` when it does not say.
        package var storageTime: Duration?

        package init(payloadType: UInt8, storageTime: Duration? = nil) {
            self.payloadType = payloadType
            self.storageTime = storageTime
        }
    }

    package var kind: Kind
    /// Where packets come; 0 says the sender does not send this.
    package var port: UInt16
    /// From `c=`, without `/ttl`; the group when it is multicast, `nil` when there is none.
    package var address: String?
    /// Sources that may send, from `a=source-filter: incl`; empty when any may.
    package var sources: [String] = []
    /// What is carried, by payload type.
    package var payloads: [UInt8: RTPPayloadFormat] = [:]
    /// Encodings that are announced, but not known here, by payload type.
    package var unknownEncodings: [UInt8: String] = [:]
    package var retransmissions: [UInt8: Retransmission] = [:]
    /// `a=rtcp:`; else the port after the media's (RFC 3605), or the same one when multiplexed.
    package var rtcpPort: UInt16
    package var isRTCPMultiplexed = false
    /// `a=ssrc:`, in the order of the lines.
    package var ssrcs: [UInt32] = []
    /// RTX streams by the SSRC they are sent with, from `a=ssrc-group:FID`, to the original's.
    package var retransmissionSSRCs: [UInt32: UInt32] = [:]
    package var cname: String?
    package var hasNACK = false
    package var hasPLI = false
    package var hasFIR = false
    package var mediaID: String?
    /// ISO 639-2 or RFC 5646, as `a=lang:` has it.
    package var language: String?

    package init(kind: Kind, port: UInt16) {
        self.kind = kind
        self.port = port
        rtcpPort = port == .max ? port : port + 1
    }

    /// Whether `address` is a group: 224.0.0.0/4 or ff00::/8.
    package var isMulticast: Bool {
        guard let address else { return false }
        if address.utf8.contains(UInt8(ascii: ":")) {
            return address.utf8.prefix(2).elementsEqual("ff".utf8)
        }
        let first = address.split(separator: ".").first.flatMap { UInt8($0) }
        return first.map { (224...239).contains($0) } ?? false
    }
}

/// Why a session description was refused: the line, what is wrong with it, and the cure.
package struct SessionDescriptionError: Error, Sendable, Equatable, CustomStringConvertible {
    /// A closed list, so that it can be tested and counted.
    package enum Reason: Sendable, Equatable {
        case tooLong
        case notADescription
        case malformedLine
        case malformedConnection
        case malformedMedia
        case malformedPayloadMap
        case malformedParameters
        case interleaving
        case badAddress
        case tooManyMedia
        case tooManyPayloads
        case noMedia
        case nothingCarried
        case copies
    }

    /// From 1; 0 where the whole text is meant.
    package let line: Int
    package let reason: Reason
    /// Where words help: what stands there, cut to a length fit for a message.
    package let excerpt: String

    init(line: Int, reason: Reason, excerpt: Substring = "") {
        self.line = line
        self.reason = reason
        self.excerpt = String(excerpt.prefix(80))
    }

    /// A sentence for operators: where, what, and what to do about it.
    package var description: String {
        let place = line > 0 ? "line \(line): " : ""
        return excerpt.isEmpty ? place + words : "\(place)\(words) (found: \(excerpt))"
    }

    private var words: String {
        switch reason {
        case .tooLong:
            "the description is too long; at most \(SessionDescription.byteLimit) bytes in "
                + "\(SessionDescription.lineLimit) lines are read"
        case .notADescription:
            "a description begins with v=0; send the SDP itself, as text"
        case .malformedLine:
            "each line is a letter, an equals sign and a value"
        case .malformedConnection:
            "write c=IN IP4 address or c=IN IP6 address"
        case .malformedMedia:
            "write m=video or m=audio, the port, RTP/AVP, and the payload types"
        case .malformedPayloadMap:
            "write a=rtpmap:type encoding/clock rate"
        case .malformedParameters:
            "the format parameters cannot be read; copy the fmtp line as the sender printed it"
        case .interleaving:
            "units out of decoding order are taken with sprop-interleaving-depth (H.264) up to "
                + "\(RTPInterleaving.depthLimit) units and \(RTPInterleaving.byteLimit) bytes; have the "
                + "sender use packetization-mode=1"
        case .badAddress:
            "this is no address; write an IPv4 or IPv6 address, not a name"
        case .tooManyMedia:
            "at most \(SessionDescription.mediaLimit) m= lines are read"
        case .tooManyPayloads:
            "at most \(SessionDescription.payloadLimit) payload types to an m= line are read"
        case .noMedia:
            "no m= line: the description names nothing to receive"
        case .nothingCarried:
            "no payload that can be carried; wanted: H264, H265, AV1, jxsv, MP2T, mpeg4-generic, "
                + "MP4A-LATM, opus, L16 or L24"
        case .copies:
            "copies of a stream (DUP) in one description are not merged; give each way a description "
                + "and a port of its own, and list both in streams[].inputs with mode: hitless"
        }
    }
}

package import Media

/// Recognises what an unannounced sender sends: H.264, HEVC, AV1, JPEG XS or MPEG-TS.
///
/// Never a guess. A format is found when packets in a row have its structure, what a decoder must
/// know could be parsed out of them, and no other format could be it too. Sound cannot be told from
/// its packets: it needs an SDP.
///
/// Bound: parameter sets by the counts of their specifications; no packet is kept.
package struct RTPPayloadDetector: Sendable {
    /// Why nothing is found yet.
    package enum Hint: Sendable, Hashable {
        /// Too little was seen.
        case morePackets
        /// The structure is there, but nothing that tells how to decode it.
        case noParameterSets(VideoFormat.Codec)
        /// Pictures in another order than that of decoding, without a word of how far they are moved.
        case interleaved
        /// The packets are of none of the formats.
        case unrecognised

        /// What an operator can do.
        package var words: String {
            switch self {
            case .morePackets:
                "waiting for more packets"
            case .noParameterSets(.h264), .noParameterSets(.hevc):
                "no parameter sets in band: set config-interval=-1 or send an SDP"
            case .noParameterSets(.av1):
                "no sequence header in band: send one with each keyframe"
            case .noParameterSets(.jpegXS):
                "no picture header in band: begin each picture with its codestream header"
            case .interleaved:
                "interleaved H.264 (packetization-mode=2): send an SDP, which tells its depth"
            case .unrecognised:
                "the payload is none of H.264, HEVC, AV1, JPEG XS and MPEG-TS: send an SDP"
            }
        }
    }

    package enum Verdict: Sendable, Hashable {
        case undecided(Hint)
        case found(RTPPayloadFormat)
    }

    /// Packets in a row that a video format is not found without.
    private static let provingPackets = 4
    /// Packets in a row that show a format's structure, whatever is missing.
    private static let tellingPackets = 16

    private var candidates = [
        RTPVideoCandidate(codec: .h264),
        RTPVideoCandidate(codec: .hevc),
        RTPVideoCandidate(codec: .av1),
        RTPVideoCandidate(codec: .jpegXS),
    ]
    /// Sync bytes in a row at the distance of transport packets, and the packets that had them.
    private var syncBytes = 0
    private var syncedPackets = 0
    private var packets = 0
    private var lastSequenceNumber: UInt16?

    package init() {}

    /// Takes a packet of one source and one payload type, in order as far as they came so.
    package mutating func receive(_ packet: RTPPacket, payload: Span<UInt8>) -> Verdict {
        guard !payload.isEmpty else { return verdict }
        packets += 1
        let isNext = lastSequenceNumber.map { $0 &+ 1 == packet.sequenceNumber } ?? false
        lastSequenceNumber = packet.sequenceNumber
        followTransportStream(payload)
        for index in candidates.indices { candidates[index].receive(payload, isNext: isNext) }
        return verdict
    }

    private var verdict: Verdict {
        // TR 101 290 asks for five sync bytes.
        if syncedPackets > 1, syncBytes >= 5 {
            return .found(RTPPayloadFormat(encoding: .mpegTS, clockRate: 90_000))
        }
        let proven = candidates.filter { $0.isProven && $0.packetsInRow >= Self.provingPackets }
        if proven.count == 1, let format = proven.first?.format { return .found(format) }
        guard packets >= Self.tellingPackets else { return .undecided(.morePackets) }
        let telling = candidates.filter { $0.packetsInRow >= Self.tellingPackets }
        if telling.count == 1, let candidate = telling.first {
            if candidate.isInterleaved { return .undecided(.interleaved) }
            if !candidate.hasParameterSets {
                return .undecided(.noParameterSets(candidate.codec))
            }
        }
        return .undecided(telling.isEmpty ? .unrecognised : .morePackets)
    }

    private mutating func followTransportStream(_ payload: Span<UInt8>) {
        let size = TransportPacket.byteCount
        let starts = stride(from: 0, to: payload.count, by: size)
        guard payload.count % size == 0, starts.allSatisfy({ payload[$0] == 0x47 }) else {
            syncBytes = 0
            syncedPackets = 0
            return
        }
        syncBytes += payload.count / size
        syncedPackets += 1
    }
}

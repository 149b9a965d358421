import Media
import NIOCore

/// What becomes of the packets of one RTP stream once they are in order.
struct RTPCarriage {
    /// One of the two is set, or neither for an MPEG transport stream; optionals, not an enum,
    /// because they are changed in place.
    private var elementary: RTPElementaryStream?
    private var writer: RTPTrackWriter?
    let format: RTPPayloadFormat
    let payloadType: UInt8

    /// Carries an elementary stream as a track.
    ///
    /// - Returns: `nil` for an MPEG transport stream.
    init?(
        _ format: RTPPayloadFormat,
        payloadType: UInt8,
        track: TrackDescription,
        member: RTPTimeline.Member
    ) {
        guard let elementary = RTPElementaryStream(format) else { return nil }
        self.format = format
        self.payloadType = payloadType
        self.elementary = elementary
        writer = RTPTrackWriter(track: track, member: member)
    }

    /// Carries an MPEG transport stream.
    init(transportStream format: RTPPayloadFormat, payloadType: UInt8) {
        self.format = format
        self.payloadType = payloadType
    }

    var track: TrackDescription? { writer?.track }
    var member: RTPTimeline.Member? { writer?.member }
    var needsKeyframe: Bool { writer?.needsKeyframe ?? false }
    var statistics: RTPElementaryStream.Statistics { elementary?.statistics ?? .init() }
    private var missingParameterSets: Bool { elementary?.missingParameterSets ?? false }

    /// Why nothing of it is carried to viewers, and what to do; `nil` when nothing is wrong.
    var hint: String? {
        missingParameterSets ? cure : nil
    }

    /// What to do where parameter sets are missing.
    private var cure: String {
        switch format.kind {
        case .video(.h264), .video(.hevc):
            "pictures come, but no parameter sets: have the sender repeat them in band "
                + "(config-interval=-1 in GStreamer), or give an SDP with sprop parameters"
        case .video(.av1):
            "pictures come, but no sequence header: have the sender repeat it with each keyframe"
        default:
            "sound comes, but not its configuration: give an SDP with config in its fmtp line"
        }
    }

    mutating func receive(
        _ output: RTPReorderBuffer.Output,
        arrival: WallTime,
        program: inout RTPProgram,
        _ emit: (MediaEvent) -> Void
    ) {
        switch output {
        case .lost:
            elementary?.lose()
            writer?.lose()
            if writer == nil { program.loseTransportStream() }
        case .packet(let packet, let datagram):
            // Another payload type in between: comfort noise, tones.
            guard packet.payloadType == payloadType else { return }
            guard let track = writer?.track else {
                datagram.withUnsafeReadableBytes { bytes in
                    program.receiveTransportStream(
                        UnsafeRawBufferPointer(rebasing: bytes[packet.payload]),
                        arrival: arrival,
                        emit
                    )
                }
                return
            }
            program.hear(track.id)
            let payload = datagram.readableBytesUInt8Span.extracting(packet.payload)
            elementary?.receive(packet, payload: payload) { unit in
                writer?.write(unit, arrival: arrival, program: &program, emit)
            }
        }
    }

    mutating func finish(
        arrival: WallTime,
        program: inout RTPProgram,
        _ emit: (MediaEvent) -> Void
    ) {
        elementary?.finish { unit in
            writer?.write(unit, arrival: arrival, program: &program, emit)
        }
    }
}

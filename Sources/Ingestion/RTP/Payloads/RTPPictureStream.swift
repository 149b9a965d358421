import Media

/// The packets of one RTP stream of pictures, in order, to access units.
struct RTPPictureStream: Sendable {
    private let payload: any RTPVideoPayload
    private var parser: VideoBitstreamParser
    private var assembly = RTPPictureAssembly()
    private var fragments: [RTPFragment] = []
    /// Of the picture that its marker ended last; `nil` once a packet was lost or another came.
    private var markedTimestamp: UInt32?
    /// Whether the marker means the end of a picture: until packets of a picture come after it.
    private var trustsMarker = true
    private var hasSeenMarker = false
    private var units: UInt64 = 0
    private var damagedUnits: UInt64 = 0

    init(_ format: RTPPayloadFormat, codec: VideoFormat.Codec) {
        payload =
            switch format.encoding {
            case .hevc(let hasDONL): HEVCPayload(hasDONL: hasDONL)
            case .av1: AV1Payload()
            case .jpegXS: JPEGXSPayload()
            default: H264Payload()
            }
        parser = VideoBitstreamParser(codec: codec)
        for set in format.parameterSets where !set.isEmpty {
            _ = parser.parse(set.span, units: [0..<set.count])
        }
    }

    var statistics: RTPElementaryStream.Statistics {
        RTPElementaryStream.Statistics(
            units: units,
            damagedUnits: damagedUnits,
            undecodableUnits: parser.droppedUnits
        )
    }

    var missingParameterSets: Bool { parser.droppedUnits > 0 && !parser.hasParameterSets }

    mutating func receive(
        _ packet: RTPPacket,
        _ bytes: Span<UInt8>,
        emit: (RTPUnit) -> Void
    ) {
        if markedTimestamp == packet.timestamp { trustsMarker = false }
        markedTimestamp = nil
        begin(packet.timestamp, emit)
        fragments.removeAll(keepingCapacity: true)
        do throws(RTPPayloadError) {
            try payload.read(bytes, into: &fragments)
        } catch {
            assembly.damage(at: packet.timestamp)
            fragments.removeAll(keepingCapacity: true)
        }
        for index in fragments.indices {
            let timestamp = packet.timestamp &+ fragments[index].timestampOffset
            begin(timestamp, emit)
            assembly.append(fragments[index], of: bytes, timestamp: timestamp)
        }
        guard packet.marker else { return }
        hasSeenMarker = true
        guard trustsMarker, let ended = assembly.timestamp else { return }
        finishPicture(emit)
        markedTimestamp = ended
    }

    mutating func lose() {
        assembly.lose()
        markedTimestamp = nil
    }

    /// The stream is over: a picture without the marker that others had is not whole.
    mutating func finish(emit: (RTPUnit) -> Void) {
        if !hasSeenMarker || !trustsMarker { finishPicture(emit) }
    }

    /// What comes next is of this time: a picture of another is complete.
    private mutating func begin(_ timestamp: UInt32, _ emit: (RTPUnit) -> Void) {
        if let current = assembly.timestamp, current != timestamp { finishPicture(emit) }
    }

    private mutating func finishPicture(_ emit: (RTPUnit) -> Void) {
        guard let timestamp = assembly.timestamp else { return }
        defer { assembly.clear() }
        guard assembly.isWhole else {
            damagedUnits &+= 1
            return
        }
        let bytes = assembly.buffer
        for unit in parser.parse(bytes.span, units: assembly.units) {
            units &+= 1
            emit(
                RTPUnit(
                    timestamp: timestamp,
                    payload: unit.payload,
                    randomAccess: unit.randomAccess,
                    isDisposable: unit.isDisposable,
                    temporalLayer: unit.temporalLayer,
                    newFormat: unit.newFormat.map { .video($0) },
                    samples: nil
                )
            )
        }
    }
}

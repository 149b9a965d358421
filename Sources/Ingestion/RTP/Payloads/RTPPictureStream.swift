import Media

/// The packets of one RTP stream of pictures, in order, to access units.
struct RTPPictureStream: Sendable {
    private let payload: any RTPVideoPayload
    private var parser: VideoBitstreamParser
    /// Where units come out of their decoding order.
    private var deinterleaver: RTPDeinterleaver?
    /// Where packets of JPEG XS are transmitted in any order.
    private var sorter = JPEGXSFrameSorter()
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
        deinterleaver = format.interleaving.map { RTPDeinterleaver($0) }
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
        let isReadable = read(bytes)
        guard deinterleaver == nil else {
            if !isReadable { deinterleaver?.lose() }
            deinterleave(packet, bytes, emit)
            return
        }
        if let piece = fragments.first, let place = piece.place {
            let payload = bytes.extracting(piece.bytes)
            sorter.receive(place, payload, of: packet, isLast: piece.isLast)
            takeSorted(isEnded: false, emit)
            return
        }
        enter(packet.timestamp, emit)
        if !isReadable {
            assembly.damage(at: packet.timestamp)
            sorter.lose()
        }
        for index in fragments.indices {
            let timestamp = packet.timestamp &+ fragments[index].timestampOffset
            begin(timestamp, emit)
            assembly.append(fragments[index], of: bytes, timestamp: timestamp)
        }
        if packet.marker { leave(emit) }
    }

    mutating func lose() {
        guard deinterleaver == nil else {
            deinterleaver?.lose()
            return
        }
        sorter.lose()
        loseInOrder()
    }

    private mutating func loseInOrder() {
        assembly.lose()
        markedTimestamp = nil
    }

    /// The stream is over: a picture without the marker that others had is not whole.
    mutating func finish(emit: (RTPUnit) -> Void) {
        takeInOrder(isEnded: true, emit)
        takeSorted(isEnded: true, emit)
        if !hasSeenMarker || !trustsMarker { finishPicture(emit) }
    }

    /// Takes a payload apart.
    ///
    /// - Returns: Whether it could be; if not, there are no fragments.
    private mutating func read(_ bytes: Span<UInt8>) -> Bool {
        fragments.removeAll(keepingCapacity: true)
        do throws(RTPPayloadError) {
            try payload.read(bytes, into: &fragments)
            return true
        } catch {
            fragments.removeAll(keepingCapacity: true)
            return false
        }
    }

    private mutating func deinterleave(
        _ packet: RTPPacket,
        _ bytes: Span<UInt8>,
        _ emit: (RTPUnit) -> Void
    ) {
        for (index, fragment) in fragments.enumerated() {
            deinterleaver?.receive(
                fragment,
                of: bytes,
                timestamp: packet.timestamp &+ fragment.timestampOffset,
                isMarked: packet.marker && index == fragments.count - 1
            )
        }
        takeInOrder(isEnded: false, emit)
    }

    private mutating func takeInOrder(isEnded: Bool, _ emit: (RTPUnit) -> Void) {
        while let unit = deinterleaver?.next(isEnded: isEnded) {
            if unit.followsLoss { loseInOrder() }
            enter(unit.timestamp, emit)
            var whole = RTPFragment(bytes: unit.bytes.indices)
            whole.canBeginPicture = unit.canBeginPicture
            assembly.append(whole, of: unit.bytes.span, timestamp: unit.timestamp)
            if unit.isMarked { leave(emit) }
        }
    }

    private mutating func takeSorted(isEnded: Bool, _ emit: (RTPUnit) -> Void) {
        while let output = sorter.next(isEnded: isEnded) {
            guard case .frame(let frame) = output else {
                damagedUnits &+= 1
                continue
            }
            begin(frame.timestamp, emit)
            let bytes = frame.bytes
            for piece in frame.pieces {
                var fragment = RTPFragment(bytes: piece.bytes)
                fragment.isFirst = piece.place.packet == 0
                fragment.isLast = piece.isLast
                fragment.canBeginPicture = piece.place.unit == 0 && piece.place.field == 0
                assembly.append(fragment, of: bytes.span, timestamp: frame.timestamp)
            }
            finishPicture(emit)
        }
    }

    /// A packet of this time is here, or a unit where each may be of another.
    private mutating func enter(_ timestamp: UInt32, _ emit: (RTPUnit) -> Void) {
        if markedTimestamp == timestamp { trustsMarker = false }
        markedTimestamp = nil
        begin(timestamp, emit)
    }

    /// The marker is here.
    private mutating func leave(_ emit: (RTPUnit) -> Void) {
        hasSeenMarker = true
        guard trustsMarker, let ended = assembly.timestamp else { return }
        finishPicture(emit)
        markedTimestamp = ended
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

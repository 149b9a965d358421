import Media

/// The packets of one RTP stream of sound, in order, to frames.
///
/// Source: RFC 3640, 3.2.3.1 (fragments of AAC); RFC 6416, 6 (LATM); RFC 7587, 4 (Opus).
struct RTPSoundStream: Sendable {
    private enum Packing {
        case aac(AACPayload)
        /// An element a packet, or one in several, the last of which has the marker.
        case latm
        case opus
    }

    /// As `AudioBitstreamParser` holds back at most.
    private static let limitBytes = 65_536

    private var packing: Packing?
    private var parser: AudioPacketParser
    private let clockRate: Int
    /// A frame of which packets are to come.
    private var partial: [UInt8] = []
    private var partialTimestamp: UInt32?
    /// LATM: elements in several packets were seen.
    private var hasFragments = false
    /// LATM: what comes up to the next marker may lack its head.
    private var skipsToMarker = false

    private(set) var statistics = RTPElementaryStream.Statistics()

    init(_ format: RTPPayloadFormat) {
        clockRate = max(format.clockRate, 1)
        switch format.encoding {
        case .aac(let packing):
            self.packing = AACPayload(packing).map { .aac($0) }
            parser = AudioPacketParser(framing: .aac(configuration: packing.config))
        case .latm(let configuration, let isConfigInBand):
            packing = .latm
            parser = AudioPacketParser(
                framing: .latm(configuration: configuration, isConfigInBand: isConfigInBand)
            )
        default:
            packing = .opus
            parser = AudioPacketParser(framing: .opus(channels: format.channels ?? 2))
        }
    }

    var missingConfiguration: Bool {
        statistics.undecodableUnits > 0 && !parser.hasConfiguration
    }

    mutating func receive(
        _ packet: RTPPacket,
        _ payload: Span<UInt8>,
        emit: (RTPUnit) -> Void
    ) {
        switch packing {
        case .aac(var reader):
            receiveAAC(packet, payload, &reader, emit)
            packing = .aac(reader)
        case .latm:
            receiveElement(packet, payload, emit)
        case .opus:
            deliver(payload, timestamp: packet.timestamp, emit)
        case nil:
            statistics.undecodableUnits &+= 1
        }
    }

    mutating func lose() {
        dropPartial()
        skipsToMarker = hasFragments
    }

    private mutating func receiveAAC(
        _ packet: RTPPacket,
        _ payload: Span<UInt8>,
        _ reader: inout AACPayload,
        _ emit: (RTPUnit) -> Void
    ) {
        if partialTimestamp != packet.timestamp { dropPartial() }
        do throws(RTPPayloadError) {
            switch try reader.read(payload) {
            case .units:
                dropPartial()
                var timestamp = packet.timestamp
                for range in reader.units {
                    timestamp &+= deliver(payload.extracting(range), timestamp: timestamp, emit)
                }
            case .fragment(let range, let size):
                hold(payload.extracting(range), timestamp: packet.timestamp)
                if partial.count == size {
                    deliverPartial(emit)
                } else if packet.marker || partial.count > size {
                    dropPartial()
                }
            }
        } catch {
            dropPartial()
            statistics.damagedUnits &+= 1
        }
    }

    private mutating func receiveElement(
        _ packet: RTPPacket,
        _ payload: Span<UInt8>,
        _ emit: (RTPUnit) -> Void
    ) {
        if partialTimestamp != packet.timestamp { deliverPartial(emit) }
        guard !skipsToMarker else {
            skipsToMarker = !packet.marker
            return
        }
        guard packet.marker, partial.isEmpty else {
            hasFragments = true
            hold(payload, timestamp: packet.timestamp)
            if packet.marker { deliverPartial(emit) }
            return
        }
        deliver(payload, timestamp: packet.timestamp, emit)
    }

    private mutating func hold(_ bytes: Span<UInt8>, timestamp: UInt32) {
        partialTimestamp = timestamp
        guard partial.count + bytes.count <= Self.limitBytes else {
            dropPartial()
            return
        }
        bytes.withUnsafeBufferPointer { partial.append(contentsOf: $0) }
    }

    private mutating func dropPartial() {
        if !partial.isEmpty { statistics.damagedUnits &+= 1 }
        partial.removeAll(keepingCapacity: true)
        partialTimestamp = nil
    }

    private mutating func deliverPartial(_ emit: (RTPUnit) -> Void) {
        guard let timestamp = partialTimestamp, !partial.isEmpty else { return }
        let bytes = partial
        deliver(bytes.span, timestamp: timestamp, emit)
        partial.removeAll(keepingCapacity: true)
        partialTimestamp = nil
    }

    /// Hands on the frames of one whole packet or element.
    ///
    /// - Returns: How long they sound, in ticks of the payload's clock.
    @discardableResult
    private mutating func deliver(
        _ bytes: Span<UInt8>,
        timestamp: UInt32,
        _ emit: (RTPUnit) -> Void
    ) -> UInt32 {
        let frames = parser.parse(bytes)
        guard let rate = parser.format?.sampleRate, !frames.isEmpty else {
            if parser.hasConfiguration {
                statistics.damagedUnits &+= 1
            } else {
                statistics.undecodableUnits &+= 1
            }
            return 0
        }
        var elapsed = 0
        for frame in frames {
            let start = elapsed * clockRate / rate
            elapsed += frame.samples
            statistics.units &+= 1
            emit(
                RTPUnit(
                    timestamp: timestamp &+ UInt32(truncatingIfNeeded: start),
                    payload: frame.payload,
                    randomAccess: .closed,
                    isDisposable: false,
                    newFormat: frame.newFormat.map { .audio($0) },
                    samples: elapsed * clockRate / rate - start
                )
            )
        }
        return UInt32(truncatingIfNeeded: elapsed * clockRate / rate)
    }
}

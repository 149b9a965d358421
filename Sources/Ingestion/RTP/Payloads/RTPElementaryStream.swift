import Media

/// The packets of one RTP stream to access units.
///
/// In:     packets in order, each once; `lose` where some are missing.
/// Out:    a unit as soon as its last packet is here: at the marker, or, where a sender sets none or
///         sets it too early, at the next timestamp.
/// Damage: a picture of which a packet is missing or cannot be read is dropped whole.
/// Bound:  one picture of 16 MiB, one sound frame of 64 KiB, five units of linear PCM.
package struct RTPElementaryStream: Sendable {
    /// What came out, and what did not.
    package struct Statistics: Sendable, Hashable {
        /// Emitted.
        package var units: UInt64 = 0
        /// Dropped because a part of them is missing or cannot be read.
        package var damagedUnits: UInt64 = 0
        /// Whole, but before anything they could be decoded from.
        package var undecodableUnits: UInt64 = 0
    }

    package let format: RTPPayloadFormat
    /// One of the three is set; optionals, not an enum, because they are changed in place.
    private var pictures: RTPPictureStream?
    private var sounds: RTPSoundStream?
    private var samples: RTPLinearPCMStream?

    /// - Returns: `nil` for an MPEG transport stream, whose packets are an `IngestSession`'s.
    package init?(_ format: RTPPayloadFormat) {
        self.format = format
        switch format.kind {
        case .video(let codec):
            pictures = RTPPictureStream(format, codec: codec)
        case .audio(.linearPCM):
            samples = RTPLinearPCMStream(format)
        case .audio:
            sounds = RTPSoundStream(format)
        case .transportStream:
            return nil
        }
    }

    package var statistics: Statistics {
        pictures?.statistics ?? sounds?.statistics ?? samples?.statistics ?? Statistics()
    }

    /// Units come, but nothing that tells how to decode them: the parameter sets of pictures, the
    /// sequence header of AV1, the configuration of AAC.
    package var missingParameterSets: Bool {
        pictures?.missingParameterSets ?? sounds?.missingConfiguration ?? false
    }

    /// Takes the packet that follows the one before; `payload` is its payload alone.
    package mutating func receive(
        _ packet: RTPPacket,
        payload: Span<UInt8>,
        emit: (RTPUnit) -> Void
    ) {
        guard !payload.isEmpty else { return }
        pictures?.receive(packet, payload, emit: emit)
        sounds?.receive(packet, payload, emit: emit)
        samples?.receive(packet, payload, emit: emit)
    }

    /// Packets are missing before the next: a picture or a frame that was begun cannot be completed.
    package mutating func lose() {
        pictures?.lose()
        sounds?.lose()
        samples?.lose()
    }

    /// The stream is over: hands on the last picture when it is whole.
    package mutating func finish(emit: (RTPUnit) -> Void) {
        pictures?.finish(emit: emit)
    }
}

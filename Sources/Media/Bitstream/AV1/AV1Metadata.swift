package import NIOCore

extension PictureNotes {
    /// What a temporal unit of AV1 says beside its picture; `nil` of other codecs.
    ///
    /// Decoders give it to the frame behind it, which may be one that is shown much later. It belongs to the one
    /// frame that its temporal unit shows.
    ///
    /// Source: AV1 5.8.2, 5.8.7, 6.7.2.
    package init?(in payload: ByteBuffer, of codec: VideoFormat.Codec?) {
        guard codec == .av1 else { return nil }
        self.init()
        let bytes = payload.readableBytesUInt8Span
        var rest = 0..<bytes.count
        while !rest.isEmpty,
            let unit = try? AV1OpenBitstreamUnit(bytes, in: rest, isWhole: false)
        {
            rest = unit.payload.upperBound..<bytes.count
            guard unit.kind == AV1OpenBitstreamUnit.Kind.metadata, !unit.payload.isEmpty else {
                continue
            }
            // metadata_type, of which one byte is enough
            let message = bytes.extracting(unit.payload.dropFirst())
            switch bytes[unit.payload.lowerBound] {
            case 4: captions.append(ClosedCaptions(registeredUserData: message))
            case 5: timecode = (try? Timecode(av1: message)) ?? timecode
            default: continue
            }
        }
    }
}

extension ClosedCaptions {
    /// Those of a message of ITU-T T.35; none of messages of other kinds.
    fileprivate init(registeredUserData message: Span<UInt8>) {
        let head = Self.registeredHeader
        guard message.count > head.count + 2, head.indices.allSatisfy({ message[$0] == head[$0] })
        else {
            self.init()
            return
        }
        let flags = message[head.count]
        let count = flags & 0x40 == 0 ? 0 : 3 * Int(flags & 0x1F)
        let start = head.count + 2
        let end = min(start + count, message.count)
        self.init([UInt8](copying: message.extracting(start..<end)))
    }
}

extension Timecode {
    /// Only whole ones: what leaves hours or seconds to the pictures before is not taken.
    fileprivate init(av1 message: Span<UInt8>) throws(BitstreamError) {
        var reader = BitReader(message)
        // counting_type
        try reader.skip(5)
        guard try reader.flag() else { throw .invalid }
        // discontinuity_flag
        try reader.skip(1)
        let isDropFrame = try reader.flag()
        let frames = try reader.int(9)
        let seconds = try reader.int(6)
        let minutes = try reader.int(6)
        let hours = try reader.int(5)
        self.init(
            hours: min(hours, 23),
            minutes: min(minutes, 59),
            seconds: min(seconds, 59),
            frames: frames,
            isDropFrame: isDropFrame
        )
    }
}

/// NAL units of H.264 in RTP packets.
///
/// Taken are all packet types of all three modes. Those of the interleaved mode tell each unit's place in
/// decoding order.
///
/// Source: RFC 6184, 5.2 (types), 5.5 (decoding order), 5.6 (single), 5.7.1 (STAP), 5.7.2 (MTAP),
///         5.8 (FU).
struct H264Payload: RTPVideoPayload {
    /// Source: RFC 6184, Table 1.
    private enum PacketType {
        static let stapA: UInt8 = 24
        static let stapB: UInt8 = 25
        static let mtap16: UInt8 = 26
        static let mtap24: UInt8 = 27
        static let fuA: UInt8 = 28
        static let fuB: UInt8 = 29
    }

    func read(
        _ payload: Span<UInt8>,
        into fragments: inout [RTPFragment]
    ) throws(RTPPayloadError) {
        switch payload[0] & 0x1F {
        case 1...23:
            fragments.append(Self.unit(0..<payload.count, of: payload))
        case PacketType.stapA:
            try Self.readAggregate(payload, isOrdered: false, timeBytes: 0, into: &fragments)
        case PacketType.stapB:
            try Self.readAggregate(payload, isOrdered: true, timeBytes: 0, into: &fragments)
        case PacketType.mtap16:
            try Self.readAggregate(payload, isOrdered: true, timeBytes: 2, into: &fragments)
        case PacketType.mtap24:
            try Self.readAggregate(payload, isOrdered: true, timeBytes: 3, into: &fragments)
        case PacketType.fuA:
            fragments.append(try Self.fragment(payload, headerCount: 2))
        case PacketType.fuB:
            // The decoding order number is in the first fragment, which alone is an FU-B.
            var fragment = try Self.fragment(payload, headerCount: 4)
            if fragment.isFirst { fragment.decodingOrder = payload.bigEndian16(at: 2) }
            fragments.append(fragment)
        default:
            // 0, 30 and 31: whatever they may become, not a part of a picture.
            break
        }
    }

    /// Sizes and NAL units by turns; where the type has them, a decoding order number first, and
    /// differences to it and time offsets behind the sizes.
    private static func readAggregate(
        _ payload: Span<UInt8>,
        isOrdered: Bool,
        timeBytes: Int,
        into fragments: inout [RTPFragment]
    ) throws(RTPPayloadError) {
        guard !isOrdered || payload.count >= 3 else { throw .truncated }
        var order = isOrdered ? payload.bigEndian16(at: 1) : 0
        let firstOrder = order
        var position = isOrdered ? 3 : 1
        // DOND stands before each time offset.
        let unitHeader = timeBytes == 0 ? 0 : 1 + timeBytes
        while position < payload.count {
            guard payload.count - position >= 2 else { throw .truncated }
            // An MTAP's size counts the unit alone.
            let size = Int(payload.bigEndian16(at: position))
            position += 2
            guard payload.count - position >= unitHeader + size else { throw .truncated }
            if timeBytes > 0 { order = firstOrder &+ UInt16(payload[position]) }
            var offset: UInt32 = 0
            for index in 0..<timeBytes {
                offset = offset << 8 | UInt32(payload[position + 1 + index])
            }
            position += unitHeader
            if size > 0 {
                var fragment = unit(position..<(position + size), of: payload)
                fragment.timestampOffset = offset
                fragment.decodingOrder = isOrdered ? order : nil
                fragments.append(fragment)
            }
            // In a STAP-B one number follows the other.
            order &+= 1
            position += size
        }
    }

    private static func fragment(
        _ payload: Span<UInt8>,
        headerCount: Int
    ) throws(RTPPayloadError) -> RTPFragment {
        guard payload.count > headerCount else { throw .truncated }
        let header = payload[0] & 0xE0 | payload[1] & 0x1F
        var fragment = RTPFragment(bytes: headerCount..<payload.count)
        fragment.isFirst = payload[1] & 0x80 != 0
        fragment.isLast = payload[1] & 0x40 != 0
        guard fragment.isFirst else { return fragment }
        fragment.header = UInt16(header)
        fragment.headerCount = 1
        fragment.canBeginPicture = canBeginPicture(header, next: payload[headerCount])
        return fragment
    }

    private static func unit(_ range: Range<Int>, of payload: Span<UInt8>) -> RTPFragment {
        var fragment = RTPFragment(bytes: range)
        let next = range.count > 1 ? payload[range.lowerBound + 1] : 0
        fragment.canBeginPicture = canBeginPicture(payload[range.lowerBound], next: next)
        return fragment
    }

    /// Whether an access unit can begin with this NAL unit: it is not a slice, or it is the slice of
    /// the first macroblock (`first_mb_in_slice`, which is 0 as the single bit 1).
    private static func canBeginPicture(_ header: UInt8, next: UInt8) -> Bool {
        switch header & 0x1F {
        case 1, 2, 5: next & 0x80 != 0
        case 6...9, 14...18: true
        default: false
        }
    }
}

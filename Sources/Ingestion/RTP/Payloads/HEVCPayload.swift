/// NAL units of HEVC in RTP packets.
///
/// With DONL each unit tells its place in decoding order. Of a packet with payload content information,
/// what it wraps is taken.
///
/// Source: RFC 7798, 4.4.1 (single), 4.4.2 (AP), 4.4.3 (FU), 4.4.4 (PACI).
struct HEVCPayload: RTPVideoPayload {
    private enum PacketType {
        static let aggregation: UInt8 = 48
        static let fragmentation: UInt8 = 49
        static let contentInformation: UInt8 = 50
    }

    let hasDONL: Bool

    func read(
        _ payload: Span<UInt8>,
        into fragments: inout [RTPFragment]
    ) throws(RTPPayloadError) {
        guard payload.count > 2 else { throw .truncated }
        try read(
            payload,
            from: 2,
            header: payload.bigEndian16(at: 0),
            mayWrap: true,
            into: &fragments
        )
    }

    /// Reads what follows the payload header, which may have been rebuilt.
    private func read(
        _ payload: Span<UInt8>,
        from position: Int,
        header: UInt16,
        mayWrap: Bool,
        into fragments: inout [RTPFragment]
    ) throws(RTPPayloadError) {
        switch Self.type(of: header) {
        case PacketType.aggregation:
            try readAggregate(payload, from: position, into: &fragments)
        case PacketType.fragmentation:
            fragments.append(try fragment(payload, from: position, payloadHeader: header))
        case PacketType.contentInformation where mayWrap:
            try readWrapped(payload, header: header, into: &fragments)
        case 0..<PacketType.aggregation:
            let start = position + (hasDONL ? 2 : 0)
            guard start < payload.count else { throw .truncated }
            var fragment = RTPFragment(bytes: start..<payload.count)
            fragment.header = header
            fragment.headerCount = 2
            fragment.canBeginPicture = Self.canBeginPicture(header, next: payload[start])
            if hasDONL { fragment.decodingOrder = payload.bigEndian16(at: position) }
            fragments.append(fragment)
        default:
            // 51 to 63: not a part of a picture.
            break
        }
    }

    /// A size before each unit; DONL before the first, a DON difference before each other.
    private func readAggregate(
        _ payload: Span<UInt8>,
        from start: Int,
        into fragments: inout [RTPFragment]
    ) throws(RTPPayloadError) {
        var position = start
        var orderBytes = hasDONL ? 2 : 0
        var order: UInt16 = 0
        while position < payload.count {
            guard payload.count - position >= orderBytes + 2 else { throw .truncated }
            switch orderBytes {
            case 2: order = payload.bigEndian16(at: position)
            case 1: order &+= UInt16(payload[position]) + 1
            default: break
            }
            position += orderBytes
            orderBytes = hasDONL ? 1 : 0
            let size = Int(payload.bigEndian16(at: position))
            position += 2
            guard payload.count - position >= size else { throw .truncated }
            guard size >= 2 else { throw .invalid }
            var fragment = RTPFragment(bytes: position..<(position + size))
            fragment.canBeginPicture = Self.canBeginPicture(
                payload.bigEndian16(at: position),
                next: size > 2 ? payload[position + 2] : 0
            )
            if hasDONL { fragment.decodingOrder = order }
            fragments.append(fragment)
            position += size
        }
    }

    private func fragment(
        _ payload: Span<UInt8>,
        from position: Int,
        payloadHeader: UInt16
    ) throws(RTPPayloadError) -> RTPFragment {
        guard position < payload.count else { throw .truncated }
        let fragmentHeader = payload[position]
        let isFirst = fragmentHeader & 0x80 != 0
        // DONL is in the first fragment alone.
        let start = position + (isFirst && hasDONL ? 3 : 1)
        guard start < payload.count else { throw .truncated }
        var fragment = RTPFragment(bytes: start..<payload.count)
        fragment.isFirst = isFirst
        fragment.isLast = fragmentHeader & 0x40 != 0
        guard isFirst else { return fragment }
        fragment.header = payloadHeader & 0x81FF | UInt16(fragmentHeader & 0x3F) << 9
        fragment.headerCount = 2
        fragment.canBeginPicture = Self.canBeginPicture(fragment.header, next: payload[start])
        if hasDONL { fragment.decodingOrder = payload.bigEndian16(at: position + 1) }
        return fragment
    }

    /// `A`, `cType`, `PHSsize` and the flags stand before as many bytes of extension as they say.
    private func readWrapped(
        _ payload: Span<UInt8>,
        header: UInt16,
        into fragments: inout [RTPFragment]
    ) throws(RTPPayloadError) {
        guard payload.count > 4 else { throw .truncated }
        let fields = payload.bigEndian16(at: 2)
        let start = 4 + Int(fields >> 4 & 0x1F)
        guard start < payload.count else { throw .truncated }
        // The wrapped header's F bit is A, its type cType; the rest is that of this packet.
        let wrapped = fields & 0x8000 | (fields >> 9 & 0x3F) << 9 | header & 0x01FF
        try read(payload, from: start, header: wrapped, mayWrap: false, into: &fragments)
    }

    private static func type(of header: UInt16) -> UInt8 {
        UInt8(truncatingIfNeeded: header >> 9) & 0x3F
    }

    /// Whether an access unit can begin with this NAL unit: parameter sets, delimiters, prefix SEI,
    /// or a slice with `first_slice_segment_in_pic_flag`.
    private static func canBeginPicture(_ header: UInt16, next: UInt8) -> Bool {
        switch type(of: header) {
        case 0...31: next & 0x80 != 0
        case 32...35, 39, 41...44: true
        default: false
        }
    }
}

/// Picture segments of JPEG XS in RTP packets, sent in order.
///
/// In the codestream mode a packetization unit is a picture segment, in the slice mode the head of
/// one or a slice: either way, one unit after another makes the picture.
///
/// Shape: T (1 bit), K (1), L (1), I (2), F counter (5), SEP counter (11), P counter (11).
/// Source: RFC 9134, 4.2 and 4.3.
struct JPEGXSPayload: RTPVideoPayload {
    static let headerByteCount = 4
    /// The SEP counter of the head of a picture segment in the slice mode.
    private static let headCounter: UInt32 = 0x7FF

    func read(
        _ payload: Span<UInt8>,
        into fragments: inout [RTPFragment]
    ) throws(RTPPayloadError) {
        guard payload.count > Self.headerByteCount else { throw .truncated }
        let header = UInt32(payload.bigEndian16(at: 0)) << 16 | UInt32(payload.bigEndian16(at: 2))
        let isSequential = header & 0x8000_0000 != 0
        let isSliceMode = header & 0x4000_0000 != 0
        let interlacing = header >> 27 & 3
        guard interlacing != 1 else { throw .invalid }
        guard isSequential else { throw .interleaved }
        let separateCounter = header >> 11 & 0x7FF
        let packetCounter = header & 0x7FF
        var fragment = RTPFragment(bytes: Self.headerByteCount..<payload.count)
        // In the codestream mode the SEP counter counts on where the P counter overruns.
        fragment.isFirst = packetCounter == 0 && (isSliceMode || separateCounter == 0)
        fragment.isLast = header & 0x2000_0000 != 0
        // The second field of a frame follows the first.
        let isHead = !isSliceMode || separateCounter == Self.headCounter
        fragment.canBeginPicture = isHead && interlacing != 3
        fragments.append(fragment)
    }
}

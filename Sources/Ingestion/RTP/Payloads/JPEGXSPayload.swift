/// Picture segments of JPEG XS in RTP packets.
///
/// In the codestream mode a packetization unit is a picture segment, in the slice mode the head of
/// one or a slice: either way, one unit after another makes the picture. Packets of the slice mode may
/// be transmitted in any order; then each tells its place in the frame.
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
        guard interlacing != 1, isSequential || isSliceMode else { throw .invalid }
        let separateCounter = header >> 11 & 0x7FF
        let packetCounter = header & 0x7FF
        var fragment = RTPFragment(bytes: Self.headerByteCount..<payload.count)
        // In the codestream mode the SEP counter counts on where the P counter overruns.
        fragment.isFirst = packetCounter == 0 && (isSliceMode || separateCounter == 0)
        fragment.isLast = header & 0x2000_0000 != 0
        // The second field of a frame follows the first.
        let isHead = !isSliceMode || separateCounter == Self.headCounter
        fragment.canBeginPicture = isHead && interlacing != 3
        if !isSequential {
            fragment.place = JPEGXSPlace(
                frame: Int(header >> 22 & 0x1F),
                field: interlacing == 3 ? 1 : 0,
                unit: isHead ? 0 : Int(separateCounter) + 1,
                packet: Int(packetCounter)
            )
        }
        fragments.append(fragment)
    }
}

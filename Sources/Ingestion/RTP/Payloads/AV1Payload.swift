/// OBUs of AV1 in RTP packets.
///
/// Shape: the aggregation header (Z, Y, W, N), then OBU elements, each behind its length as LEB128
///        except the last of a packet that tells their number in W.
/// Source: RTP Payload Format For AV1, 4.4 (aggregation header), 4.5 (elements).
struct AV1Payload: RTPVideoPayload {
    func read(
        _ payload: Span<UInt8>,
        into fragments: inout [RTPFragment]
    ) throws(RTPPayloadError) {
        let header = payload[0]
        let continues = header & 0x80 != 0
        let isContinued = header & 0x40 != 0
        let count = Int(header >> 4 & 3)
        // A coded video sequence cannot begin within an OBU.
        guard header & 0x08 == 0 || !continues else { throw .invalid }
        let first = fragments.count
        var position = 1
        while position < payload.count {
            let isLast = count > 0 && fragments.count - first == count - 1
            let size =
                isLast
                ? payload.count - position
                : try Self.readSize(payload, at: &position)
            guard size <= payload.count - position else { throw .truncated }
            var fragment = RTPFragment(bytes: position..<(position + size))
            fragment.canBeginPicture = size > 0 && Self.canBeginPicture(payload[position])
            fragments.append(fragment)
            position += size
        }
        guard fragments.count > first, count == 0 || fragments.count - first == count else {
            throw .invalid
        }
        if continues { fragments[first].isFirst = false }
        if isContinued { fragments[fragments.count - 1].isLast = false }
    }

    /// Source: AV1 Bitstream & Decoding Process Specification, 4.10.5.
    private static func readSize(
        _ payload: Span<UInt8>,
        at position: inout Int
    ) throws(RTPPayloadError) -> Int {
        var size = 0
        for index in 0..<5 {
            guard position < payload.count else { throw .truncated }
            let byte = payload[position]
            position += 1
            size |= Int(byte & 0x7F) << (7 * index)
            if byte & 0x80 == 0 { return size }
        }
        throw .invalid
    }

    /// Whether a temporal unit can begin with this OBU: a sequence header or a temporal delimiter.
    ///
    /// Before a frame another may have been, which is not shown.
    private static func canBeginPicture(_ header: UInt8) -> Bool {
        (1...2).contains(header >> 3 & 0xF)
    }
}

/// Some bytes of a packet's payload: a unit of the bitstream, or a piece of one.
///
/// A unit is what the payload format fragments and aggregates: a NAL unit, an OBU, a packetization
/// unit of JPEG XS.
struct RTPFragment: Sendable, Equatable {
    /// In the payload.
    var bytes: Range<Int>
    /// Goes before `bytes`, high byte first: the header that a fragmented NAL unit lost.
    var header: UInt16 = 0
    /// How many bytes of `header` there are, 0 to 2.
    var headerCount = 0
    /// The first of its unit.
    var isFirst = true
    /// The last of its unit.
    var isLast = true
    /// To add to the packet's timestamp.
    var timestampOffset: UInt32 = 0
    /// The unit's place in decoding order, modulo 2^16, where the format tells it; of the first alone.
    var decodingOrder: UInt16?
    /// Where it belongs in a frame of JPEG XS whose packets are transmitted in any order.
    var place: JPEGXSPlace?
    /// A picture can begin with it: with its first fragment in hand, nothing of the picture can have
    /// come before.
    var canBeginPicture = false
}

/// What a payload cannot be.
///
/// The picture or frame that it belongs to is dropped.
enum RTPPayloadError: Error {
    /// A header or a unit goes on past the end of the payload.
    case truncated
    /// A field has a value that the payload format does not allow.
    case invalid
    /// Frames of AAC are sent out of their order.
    case interleaved
}

/// Takes the payloads of a video format apart.
///
/// Bound: keeps nothing between packets.
protocol RTPVideoPayload: Sendable {
    /// Appends the fragments of one payload, in decoding order unless they tell another.
    ///
    /// The bytes are those of one packet, never empty. What is appended before an error is thrown is
    /// not used.
    func read(
        _ payload: Span<UInt8>,
        into fragments: inout [RTPFragment]
    ) throws(RTPPayloadError)
}

extension Span<UInt8> {
    /// The two bytes at `index`, of which both are there.
    func bigEndian16(at index: Int) -> UInt16 {
        UInt16(truncatingIfNeeded: bigEndian(at: index, byteCount: 2))
    }
}

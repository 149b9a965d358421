/// What tells one packet from another: 64 bits made of all its bytes.
///
/// Two packets with equal digests are taken for the same bytes; of the packets that are compared with
/// each other, about one pair in 10^10 seconds of 50 Mbit/s would be so by chance. Null packets are
/// all one: they say nothing, and one is as good as another.
///
/// A packet is *telling* when it may be like no other. One whose payload is a single byte over and over
/// is not: filler and silence come in runs, in which each packet is that of sixteen before.
enum PacketDigest {
    /// Of every null packet, and of nothing else.
    static let null: UInt64 = 0

    private static let first: UInt64 = 0xA076_1D64_78BD_642F
    private static let second: UInt64 = 0xE703_7ED1_A0B4_28DB

    /// The digest of a packet that is not a null packet.
    ///
    /// `packet` has 188 bytes.
    @inline(__always)
    static func make(_ packet: Span<UInt8>) -> UInt64 {
        let bytes = packet.bytes
        var state = first
        for offset in stride(from: 0, to: 176, by: 16) {
            state = fold(word(bytes, offset) ^ state, word(bytes, offset + 8) ^ second)
        }
        // The last twelve bytes, and four before them once more.
        state = fold(word(bytes, 172) ^ state, word(bytes, 180) ^ second)
        return isUniform(bytes) ? (state | 2) & ~1 : state | 1
    }

    /// The digest of an RTP packet, but for its SSRC and number.
    ///
    /// CSRCs, header extension and padding are left out: a way may have its own.
    static func make(_ packet: RTPPacket, in datagram: Span<UInt8>) -> UInt64 {
        let bytes = datagram.bytes
        let payload = packet.payload
        guard payload.upperBound <= bytes.byteCount else { return null }
        let kind = UInt64(packet.payloadType) << 1 | (packet.marker ? 1 : 0)
        var state = fold(
            (UInt64(packet.timestamp) << 8 | kind) ^ first,
            UInt64(payload.count) ^ second
        )
        guard payload.count >= 16 else {
            return payload.reduce(state) { fold($0 ^ UInt64(datagram[$1]), first) }
        }
        for offset in stride(from: payload.lowerBound, to: payload.upperBound - 16, by: 16) {
            state = fold(word(bytes, offset) ^ state, word(bytes, offset + 8) ^ second)
        }
        // The last sixteen bytes, of which some come once more.
        let last = payload.upperBound - 16
        return fold(word(bytes, last) ^ state, word(bytes, last + 8) ^ second)
    }

    @inline(__always)
    static func isTelling(_ digest: UInt64) -> Bool { digest & 1 != 0 }

    /// Whether the last two thirds of a packet are the same bytes over and over.
    @inline(__always)
    private static func isUniform(_ bytes: RawSpan) -> Bool {
        let last = word(bytes, 180)
        for offset in stride(from: 172, through: 60, by: -8) where word(bytes, offset) != last {
            return false
        }
        return true
    }

    @inline(__always)
    private static func word(_ bytes: RawSpan, _ offset: Int) -> UInt64 {
        bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self)
    }

    @inline(__always)
    private static func fold(_ left: UInt64, _ right: UInt64) -> UInt64 {
        let product = left.multipliedFullWidth(by: right)
        return product.high ^ product.low
    }
}

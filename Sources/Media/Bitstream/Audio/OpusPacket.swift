/// What an Opus packet says of itself in its first bytes.
enum OpusPacket {
    /// Opus always decodes at this rate.
    static let sampleRate = 48_000

    /// The length of a packet in samples a channel, from its TOC byte; `nil` for none that exists.
    ///
    /// Source: RFC 6716, 3.1 and 3.2.5.
    static func samples(in packet: Span<UInt8>) -> Int? {
        guard !packet.isEmpty else { return nil }
        let configuration = Int(packet[0] >> 3)
        let frame =
            switch configuration {
            // SILK: 10, 20, 40, 60 ms; hybrid: 10, 20 ms; CELT: 2.5, 5, 10, 20 ms.
            case 0..<12: [480, 960, 1920, 2880][configuration & 3]
            case 12..<16: [480, 960][configuration & 1]
            default: [120, 240, 480, 960][configuration & 3]
            }
        var count: Int
        switch packet[0] & 3 {
        case 0: count = 1
        case 1, 2: count = 2
        default:
            guard packet.count > 1 else { return nil }
            count = Int(packet[1] & 0x3F)
        }
        // At most 120 ms.
        guard count > 0, frame * count <= 5760 else { return nil }
        return frame * count
    }
}

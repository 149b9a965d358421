import NIOCore

/// Opus in MPEG-TS: packets behind control headers.
///
/// Shape: 11 bits `0x3FF`, flags, the packet's size in bytes of up to 255, trims, extension, packet.
/// Source: the mapping of Opus into MPEG-TS registered as `Opus`; RFC 6716, 3.1 for the packet.
struct OpusParser: AudioFrameParser {
    private let mapping: OpusChannelMapping?

    /// - Parameter channelConfiguration: `channel_config_code`.
    init(channelConfiguration: UInt8) {
        mapping = OpusChannelMapping(configuration: channelConfiguration)
    }

    func scan(_ bytes: Span<UInt8>) -> AudioFrameScan {
        guard bytes.count >= 2 else {
            return bytes.isEmpty || bytes[0] == 0x7F ? .incomplete : .invalid
        }
        guard bytes[0] == 0x7F, bytes[1] & 0xE0 == 0xE0 else { return .invalid }
        guard let header = try? OpusControlHeader(bytes) else { return .incomplete }
        let length = header.byteCount + header.packetSize
        guard header.packetSize > 0, length <= AudioBitstreamParser.backlogLimit else {
            return .invalid
        }
        return length <= bytes.count ? .frame(length) : .incomplete
    }

    mutating func parse(_ frame: Span<UInt8>) -> AudioFrame? {
        guard let mapping, let header = try? OpusControlHeader(frame) else { return nil }
        let packet = frame.extracting(droppingFirst: header.byteCount)
        guard let samples = OpusPacket.samples(in: packet) else { return nil }
        return AudioFrame(
            payload: ByteBuffer(copying: packet),
            format: mapping.format(samplesPerPacket: samples)
        )
    }
}

/// `opus_control_header()`, sizes only: trimming belongs to the ends of a programme.
private struct OpusControlHeader {
    let byteCount: Int
    let packetSize: Int

    init(_ bytes: Span<UInt8>) throws(BitstreamError) {
        var position = 2
        func next() throws(BitstreamError) -> Int {
            guard position < bytes.count else { throw .truncated }
            defer { position += 1 }
            return Int(bytes[position])
        }
        guard bytes.count >= 2 else { throw .truncated }
        var size = 0
        while true {
            let byte = try next()
            size += byte
            if byte != 255 || size > AudioBitstreamParser.backlogLimit { break }
        }
        packetSize = size
        // start_trim_flag, end_trim_flag, control_extension_flag
        if bytes[1] & 0x10 != 0 { position += 2 }
        if bytes[1] & 0x08 != 0 { position += 2 }
        if bytes[1] & 0x04 != 0 {
            let length = try next()
            position += length
        }
        byteCount = position
    }
}

package import NIOCore

/// A frame of silence in the format of a track, to stand where sound is missing.
///
/// AAC is written from its syntax, MP3 and Opus from the header of a frame that came; AC-3 and E-AC-3
/// have no short form of silence: the last frame is repeated.
package enum SilentFrame {
    /// A frame that lasts as long as any of the track and sounds like nothing.
    ///
    /// - Parameters:
    ///   - format: Of the track.
    ///   - last: A frame of the same track; empty when none has come yet.
    /// - Returns: The payload of a sample.
    package static func make(_ format: AudioFormat, like last: ByteBuffer) -> ByteBuffer {
        switch format.codec {
        case .aac: rawDataBlock(format.decoderConfiguration) ?? last
        case .opus: opusPacket(like: last, format: format)
        case .mp3: mp3Frame(like: last)
        case .ac3, .eac3: last
        case .linearPCM: ByteBuffer(repeating: 0, count: LinearPCM(format)?.unitBytes ?? 0)
        }
    }

    /// A packet with no data says that its sound was not sent.
    ///
    /// Source: RFC 6716, 3.1 and 3.2.1 (a length of zero is discontinuous transmission).
    private static func opusPacket(like last: ByteBuffer, format: AudioFormat) -> ByteBuffer {
        // Without a packet to go by: CELT, full band, 20 ms.
        let fallback: UInt8 = format.channels > 1 ? 0xFC : 0xF8
        let header = last.getInteger(at: last.readerIndex, as: UInt8.self) ?? fallback
        return ByteBuffer(bytes: [header & 0xFC])
    }

    /// The header with an empty side information: no bits are spent on any granule.
    ///
    /// Source: ISO/IEC 11172-3, 2.4.1.7.
    private static func mp3Frame(like last: ByteBuffer) -> ByteBuffer {
        guard last.readableBytes > 4 else { return last }
        var frame = ByteBuffer()
        frame.reserveCapacity(last.readableBytes)
        frame.writeImmutableBuffer(last.getSlice(at: last.readerIndex, length: 4) ?? ByteBuffer())
        frame.writeRepeatingByte(0, count: last.readableBytes - 4)
        if let flags = frame.getInteger(at: 1, as: UInt8.self) {
            frame.setInteger(flags | 0x01, at: 1)  // protection_bit: no CRC follows
        }
        return frame
    }

    /// Channel elements with no scale factor bands, hence no spectrum.
    ///
    /// - Returns: `nil` for object types and channel layouts that are not written here.
    /// Source: ISO/IEC 14496-3, 4.4.2.1 and tables 1.19 and 4.3 to 4.50.
    private static func rawDataBlock(_ configuration: ByteBuffer) -> ByteBuffer? {
        let bytes = configuration.readableBytesView
        guard bytes.count >= 2, let first = bytes.first else { return nil }
        let second = bytes[bytes.startIndex + 1]
        let objectType = first >> 3
        let hasExplicitRate = first & 0x07 == 0x07 && second & 0x80 != 0
        // Main, LC, SSR and LTP share the syntax; SBR and PS come on top of LC.
        guard [1, 2, 3, 4, 5, 29].contains(objectType), !hasExplicitRate else { return nil }
        guard let elements = channelElements[second >> 3 & 0x0F] else { return nil }
        var bits = BitAccumulator()
        var tags: [ChannelElement: UInt8] = [:]
        for element in elements {
            let tag = tags[element, default: 0]
            tags[element] = tag + 1
            bits.append(element.rawValue, count: 3)
            bits.append(tag, count: 4)
            if element == .pair { bits.append(0, count: 1) }  // common_window
            for _ in 0..<(element == .pair ? 2 : 1) {
                bits.append(0, count: 8)  // global_gain
                bits.append(0, count: 8)  // ics_info: long window, max_sfb 0,
                bits.append(0, count: 3)  // no prediction
                bits.append(0, count: 3)  // no pulses, no TNS, no gain control
            }
        }
        bits.append(7, count: 3)  // ID_END
        return ByteBuffer(bytes: bits.bytes)
    }

    private enum ChannelElement: UInt8 {
        case single = 0
        case pair = 1
        case lowFrequency = 3
    }

    private static let channelElements: [UInt8: [ChannelElement]] = [
        1: [.single],
        2: [.pair],
        3: [.single, .pair],
        4: [.single, .pair, .single],
        5: [.single, .pair, .pair],
        6: [.single, .pair, .pair, .lowFrequency],
        7: [.single, .pair, .pair, .pair, .lowFrequency],
    ]

    private struct BitAccumulator {
        private(set) var bytes: [UInt8] = []
        private var bitCount = 0

        mutating func append(_ value: UInt8, count: Int) {
            for shift in (0..<count).reversed() {
                if bitCount % 8 == 0 { bytes.append(0) }
                bytes[bytes.count - 1] |= (value >> UInt8(shift) & 1) << UInt8(7 - bitCount % 8)
                bitCount += 1
            }
        }
    }
}

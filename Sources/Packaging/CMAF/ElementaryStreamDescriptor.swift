import Media
import NIOCore

/// The ES_Descriptor inside `esds`.
///
/// Layout: ES_Descriptor { DecoderConfigDescriptor { DecoderSpecificInfo }, SLConfigDescriptor }, each
///         a tag, a length in groups of seven bits, and a body.
/// Source: ISO/IEC 14496-1, 7.2.6.5 to 7.2.6.8 and 8.3.3; ISO/IEC 14496-14, 3.1.2.
enum ElementaryStreamDescriptor {
    private static let decoderConfigByteCount = 13

    static func write(_ format: AudioFormat, into esds: inout BoxWriter) {
        let specificInfo = format.decoderConfiguration
        let specificByteCount =
            specificInfo.readableBytes == 0 ? 0 : descriptorByteCount(specificInfo.readableBytes)
        let configByteCount = decoderConfigByteCount + specificByteCount

        writeHeader(
            tag: 0x03,
            byteCount: 3 + descriptorByteCount(configByteCount) + descriptorByteCount(1),
            into: &esds
        )
        esds.write(UInt16(0))  // ES_ID: zero inside a file
        esds.write(UInt8(0))

        writeHeader(tag: 0x04, byteCount: configByteCount, into: &esds)
        esds.write(objectType(of: format))
        esds.write(UInt8(0x15))  // streamType audio, reserved bit set
        esds.writeZeros(11)  // buffer size and bit rates: not known of a live source

        if specificByteCount > 0 {
            writeHeader(tag: 0x05, byteCount: specificInfo.readableBytes, into: &esds)
            esds.write(specificInfo)
        }
        writeHeader(tag: 0x06, byteCount: 1, into: &esds)
        esds.write(UInt8(0x02))  // predefined: as in MP4 files
    }

    /// MPEG-4 audio, or MPEG-1 audio for MP3 (MPEG-2 audio at its halved rates).
    private static func objectType(of format: AudioFormat) -> UInt8 {
        guard format.codec == .mp3 else { return 0x40 }
        return format.sampleRate < 32_000 ? 0x69 : 0x6B
    }

    private static func descriptorByteCount(_ bodyByteCount: Int) -> Int {
        1 + lengthByteCount(bodyByteCount) + bodyByteCount
    }

    private static func lengthByteCount(_ value: Int) -> Int {
        var count = 1
        while count < 4, value >> (7 * count) != 0 { count += 1 }
        return count
    }

    private static func writeHeader(tag: UInt8, byteCount: Int, into box: inout BoxWriter) {
        box.write(tag)
        for group in (0..<lengthByteCount(byteCount)).reversed() {
            let bits = UInt8(truncatingIfNeeded: byteCount >> (7 * group)) & 0x7F
            box.write(bits | (group == 0 ? 0 : 0x80))
        }
    }
}

import Media
import NIOCore

/// The sample entry of a track: which decoder, and how to set it up.
///
/// Source: ISO/IEC 14496-12, 12.1.3 and 12.2.3; ISO/IEC 14496-15, 5.4.2 and 8.4.1; AV1 Codec ISO Media
///         File Format Binding, 2.2; Encapsulation of Opus in ISOBMFF, 4.3; ETSI TS 102 366, F.
enum SampleEntry {
    static func write(_ track: CMAFTrack, into stsd: inout BoxWriter) {
        stsd.box(track.sampleEntry) { entry in
            entry.writeZeros(6)
            entry.write(UInt16(1))  // data_reference_index
            switch track.media {
            case .video(let format):
                writeVisual(format, track.decoderConfiguration, into: &entry)
            case .audio(let format):
                writeAudio(format, track.decoderConfiguration, into: &entry)
            }
        }
    }

    private static func writeVisual(
        _ format: VideoFormat,
        _ decoderConfiguration: FourCC,
        into entry: inout BoxWriter
    ) {
        entry.writeZeros(16)
        entry.write(UInt16(clamping: format.width))
        entry.write(UInt16(clamping: format.height))
        entry.write(UInt32(0x0048_0000))  // 72 dpi
        entry.write(UInt32(0x0048_0000))
        entry.writeZeros(4)
        entry.write(UInt16(1))  // frame_count
        entry.writeZeros(32)  // compressorname
        entry.write(UInt16(0x0018))  // depth
        entry.write(Int16(-1))
        entry.box(decoderConfiguration) { $0.write(format.decoderConfiguration) }
        if let colour = format.colour { writeColour(colour, into: &entry) }
        entry.box("pasp") { box in
            if let ratio = format.sampleAspectRatio, ratio.numerator > 0 {
                box.write(UInt32(clamping: ratio.numerator))
                box.write(UInt32(clamping: ratio.denominator))
            } else {
                box.write(UInt32(1))
                box.write(UInt32(1))
            }
        }
    }

    private static func writeColour(_ colour: VideoFormat.Colour, into entry: inout BoxWriter) {
        entry.box("colr") { box in
            box.write(FourCC("nclx").rawValue)
            box.write(UInt16(colour.primaries))
            box.write(UInt16(colour.transfer))
            box.write(UInt16(colour.matrix))
            box.write(UInt8(colour.isFullRange ? 0x80 : 0))
        }
    }

    private static func writeAudio(
        _ format: AudioFormat,
        _ decoderConfiguration: FourCC,
        into entry: inout BoxWriter
    ) {
        entry.writeZeros(8)
        entry.write(UInt16(clamping: format.channels))
        entry.write(UInt16(16))  // samplesize
        entry.writeZeros(4)
        // 16.16; a rate that does not fit is in the decoder configuration only.
        entry.write(UInt32(UInt16(exactly: format.sampleRate) ?? 0) << 16)
        switch format.codec {
        case .aac, .mp3:
            entry.fullBox(decoderConfiguration) {
                ElementaryStreamDescriptor.write(format, into: &$0)
            }
        case .opus, .ac3, .eac3, .linearPCM:
            entry.box(decoderConfiguration) { $0.write(format.decoderConfiguration) }
        }
    }
}

import NIOCore

/// AAC in LATM behind LOAS sync words.
///
/// Carried are streams of one frame an element; others give no frames.
/// Source: ISO/IEC 14496-3, 1.7.2 (AudioSyncStream).
struct LATMParser: AudioFrameParser {
    private var multiplex = LATMMultiplex()

    func scan(_ bytes: Span<UInt8>) -> AudioFrameScan {
        guard bytes.count >= 3 else {
            let isPossible =
                bytes.isEmpty || (bytes[0] == 0x56 && (bytes.count == 1 || bytes[1] & 0xE0 == 0xE0))
            return isPossible ? .incomplete : .invalid
        }
        guard bytes[0] == 0x56, bytes[1] & 0xE0 == 0xE0 else { return .invalid }
        let length = 3 + (Int(bytes[1] & 0x1F) << 8 | Int(bytes[2]))
        return length <= bytes.count ? .frame(length) : .incomplete
    }

    mutating func parse(_ frame: Span<UInt8>) -> AudioFrame? {
        var reader = BitReader(frame.extracting(droppingFirst: min(3, frame.count)))
        guard let frames = try? multiplex.readElement(&reader, isConfigInBand: true),
            frames.count == 1
        else { return nil }
        return frames.first
    }
}

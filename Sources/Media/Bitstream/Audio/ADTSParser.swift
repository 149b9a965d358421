import NIOCore

/// AAC in ADTS frames.
///
/// Spectral band replication is not signalled in ADTS headers: such streams are described, and
/// signalled to players, by their core, which players take as a hint to look for themselves.
/// Source: ISO/IEC 14496-3, 1.A.2.2 and 1.A.3.2.
struct ADTSParser: AudioFrameParser {
    private var cached: (header: ADTSHeader, format: AudioFormat)?

    func scan(_ bytes: Span<UInt8>) -> AudioFrameScan {
        if bytes.count < 7 {
            let isPossible =
                bytes.isEmpty || (bytes[0] == 0xFF && (bytes.count == 1 || bytes[1] & 0xF6 == 0xF0))
            return isPossible ? .incomplete : .invalid
        }
        guard let header = ADTSHeader(bytes) else { return .invalid }
        return header.frameLength <= bytes.count ? .frame(header.frameLength) : .incomplete
    }

    /// Frames of several raw data blocks are not carried: nothing tells where each begins.
    mutating func parse(_ frame: Span<UInt8>) -> AudioFrame? {
        guard let header = ADTSHeader(frame), header.rawDataBlocks == 1 else { return nil }
        let block = frame.extracting(droppingFirst: header.byteCount)
        guard !block.isEmpty else { return nil }
        let payload = ByteBuffer(copying: block)
        if let cached, cached.header.hasSameFormat(as: header) {
            return AudioFrame(payload: payload, format: cached.format)
        }
        let config = AudioSpecificConfig(
            objectType: header.objectType,
            rateIndex: header.rateIndex,
            channelConfiguration: header.channelConfiguration,
            program: header.channelConfiguration == 0 ? Self.program(in: block) : nil
        )
        guard let format = config?.format else { return nil }
        cached = (header, format)
        return AudioFrame(payload: payload, format: format)
    }

    /// The program configuration that begins a raw data block (`id_syn_ele` ID_PCE).
    private static func program(in block: Span<UInt8>) -> AACProgramConfig? {
        var reader = BitReader(block.extracting(first: min(block.count, 400)))
        guard (try? reader.bits(3)) == 5 else { return nil }
        return try? AACProgramConfig(&reader)
    }
}

/// `adts_fixed_header()` and `adts_variable_header()`.
private struct ADTSHeader {
    let objectType: Int
    let rateIndex: Int
    let channelConfiguration: Int
    let byteCount: Int
    let frameLength: Int
    let rawDataBlocks: Int

    init?(_ bytes: Span<UInt8>) {
        // syncword, layer 0
        guard bytes.count >= 7, bytes[0] == 0xFF, bytes[1] & 0xF6 == 0xF0 else { return nil }
        byteCount = bytes[1] & 1 == 1 ? 7 : 9
        objectType = Int(bytes[2] >> 6) + 1
        rateIndex = Int(bytes[2] >> 2 & 0xF)
        channelConfiguration = Int(bytes[2] & 1) << 2 | Int(bytes[3] >> 6)
        frameLength = Int(bytes[3] & 3) << 11 | Int(bytes[4]) << 3 | Int(bytes[5] >> 5)
        rawDataBlocks = Int(bytes[6] & 3) + 1
        guard rateIndex <= 12, frameLength >= byteCount else { return nil }
    }

    func hasSameFormat(as other: ADTSHeader) -> Bool {
        objectType == other.objectType && rateIndex == other.rateIndex
            && channelConfiguration == other.channelConfiguration
    }
}

import NIOCore

/// MPEG-1 and MPEG-2 audio: layers I, II and III.
///
/// A frame keeps its header.
///
/// Source: ISO/IEC 11172-3, 2.4.1.3 and 2.4.2.3; ISO/IEC 13818-3, 2.4.2.3.
struct MPEGAudioParser: AudioFrameParser {
    func scan(_ bytes: Span<UInt8>) -> AudioFrameScan {
        guard bytes.count >= 4 else {
            return bytes.isEmpty || bytes[0] == 0xFF ? .incomplete : .invalid
        }
        guard let header = MPEGAudioHeader(bytes) else { return .invalid }
        return header.frameLength <= bytes.count ? .frame(header.frameLength) : .incomplete
    }

    mutating func parse(_ frame: Span<UInt8>) -> AudioFrame? {
        guard let header = MPEGAudioHeader(frame) else { return nil }
        return AudioFrame(payload: ByteBuffer(copying: frame), format: header.format)
    }
}

/// The four bytes with which each frame begins.
private struct MPEGAudioHeader {
    /// 1, 2 or 3.
    let layer: Int
    let sampleRate: Int
    let channels: Int
    let samples: Int
    let frameLength: Int

    init?(_ bytes: Span<UInt8>) {
        guard bytes.count >= 4, bytes[0] == 0xFF, bytes[1] & 0xE0 == 0xE0 else { return nil }
        let version = bytes[1] >> 3 & 3
        let layerCode = Int(bytes[1] >> 1 & 3)
        let bitrateIndex = Int(bytes[2] >> 4)
        let rateIndex = Int(bytes[2] >> 2 & 3)
        // Reserved values, and the free format, whose frame length no header tells.
        guard version != 1, layerCode != 0, (1...14).contains(bitrateIndex), rateIndex < 3
        else { return nil }
        layer = 4 - layerCode
        let isVersion1 = version == 3
        let table =
            switch (isVersion1, layer) {
            case (true, 1): Self.bitratesLayer1
            case (true, 2): Self.bitratesLayer2
            case (true, _): Self.bitratesLayer3
            case (false, 1): Self.bitratesLowerRateLayer1
            case (false, _): Self.bitratesLowerRate
            }
        let bitrate = table[bitrateIndex - 1] * 1000
        let halvings = version == 3 ? 0 : version == 2 ? 1 : 2
        sampleRate = [44_100, 48_000, 32_000][rateIndex] >> halvings
        channels = bytes[3] >> 6 == 3 ? 1 : 2
        samples = layer == 1 ? 384 : layer == 3 && !isVersion1 ? 576 : 1152
        let padding = Int(bytes[2] >> 1 & 1)
        frameLength =
            layer == 1
            ? (12 * bitrate / sampleRate + padding) * 4
            : samples / 8 * bitrate / sampleRate + padding
    }

    var format: AudioFormat {
        AudioFormat(
            codec: .mp3,
            codecString: "mp4a.40.\(31 + layer)",
            profile: "Layer " + String(repeating: "I", count: layer),
            sampleRate: sampleRate,
            channels: channels,
            channelLayout: channels == 1 ? "mono" : "stereo",
            samplesPerAccessUnit: samples,
            decoderConfiguration: ByteBuffer()
        )
    }

    // kbit/s, from bitrate_index 1.
    private static let bitratesLayer1 = [
        32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448,
    ]
    private static let bitratesLayer2 = [
        32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384,
    ]
    private static let bitratesLayer3 = [
        32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320,
    ]
    private static let bitratesLowerRateLayer1 = [
        32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256,
    ]
    private static let bitratesLowerRate = [
        8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160,
    ]
}

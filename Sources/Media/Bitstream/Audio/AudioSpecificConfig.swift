import NIOCore

/// What a decoder of AAC must know, as MP4 and LATM carry it.
///
/// Source: ISO/IEC 14496-3, 1.6.2.1 (AudioSpecificConfig), 4.4.1 (GASpecificConfig).
struct AudioSpecificConfig: Sendable, Hashable {
    /// Of the core: 1 Main, 2 LC, 3 SSR, 4 LTP.
    ///
    /// Other object types are not carried.
    let objectType: Int
    /// Of the core.
    let sampleRate: Int
    let channels: Int
    let channelLayout: String
    private(set) var samplesPerFrame = 1024
    /// Of the output, when spectral band replication is signalled explicitly.
    private(set) var extensionSampleRate: Int?
    private(set) var hasParametricStereo = false
    /// The configuration itself, from its first bit.
    private(set) var bytes: [UInt8] = []

    /// Reads a configuration whose first bit begins the first byte of `reader`.
    ///
    /// When `isWhole`, the reader holds nothing else, so that a backward compatible extension may be
    /// looked for at the end.
    init(_ reader: inout BitReader, isWhole: Bool) throws(BitstreamError) {
        var objectType = try Self.readObjectType(&reader)
        sampleRate = try Self.readSampleRate(&reader)
        let channelConfiguration = try reader.int(4)
        if objectType == 5 || objectType == 29 {
            hasParametricStereo = objectType == 29
            extensionSampleRate = try Self.readSampleRate(&reader)
            objectType = try Self.readObjectType(&reader)
        }
        guard (1...4).contains(objectType) else { throw .invalid }
        self.objectType = objectType
        // frameLengthFlag, dependsOnCoreCoder, extensionFlag
        if try reader.flag() { samplesPerFrame = 960 }
        if try reader.flag() { try reader.skip(14) }
        guard try !reader.flag() else { throw .invalid }
        if channelConfiguration == 0 {
            channels = try AACProgramConfig(&reader).channels
            channelLayout = ChannelLayout.name(forChannels: channels)
        } else {
            guard let layout = Self.layout(of: channelConfiguration) else { throw .invalid }
            (channels, channelLayout) = layout
        }
        if isWhole, extensionSampleRate == nil {
            let beforeExtension = reader
            let hasExtension = try? readCompatibleExtension(&reader)
            if hasExtension != true { reader = beforeExtension }
        }
        bytes = reader.bytesRead
    }

    /// A configuration of AAC as ADTS headers describe it.
    ///
    /// `rateIndex` is `sampling_frequency_index`; `program` is needed for `channel_configuration` 0.
    init?(objectType: Int, rateIndex: Int, channelConfiguration: Int, program: AACProgramConfig?) {
        guard rateIndex < Self.sampleRates.count else { return nil }
        self.objectType = objectType
        sampleRate = Self.sampleRates[rateIndex]
        var writer = BitWriter()
        writer.write(objectType, bits: 5)
        writer.write(rateIndex, bits: 4)
        writer.write(channelConfiguration, bits: 4)
        writer.write(0, bits: 3)
        if channelConfiguration == 0 {
            guard let program else { return nil }
            channels = program.channels
            channelLayout = ChannelLayout.name(forChannels: channels)
            program.write(to: &writer)
        } else {
            guard let layout = Self.layout(of: channelConfiguration) else { return nil }
            (channels, channelLayout) = layout
        }
        bytes = writer.bytes
    }

    /// Spectral band replication that decoders which do not know it pass over.
    ///
    /// Source: 1.6.5.
    private mutating func readCompatibleExtension(
        _ reader: inout BitReader
    ) throws(BitstreamError) -> Bool {
        guard try reader.bits(11) == 0x2B7, try Self.readObjectType(&reader) == 5,
            try reader.flag()
        else { return false }
        extensionSampleRate = try Self.readSampleRate(&reader)
        let beforeStereo = reader
        if (try? reader.bits(11)) == 0x548 {
            hasParametricStereo = try reader.flag()
        } else {
            reader = beforeStereo
        }
        return true
    }

    private static func readObjectType(_ reader: inout BitReader) throws(BitstreamError) -> Int {
        let type = try reader.int(5)
        return type == 31 ? 32 + (try reader.int(6)) : type
    }

    private static func readSampleRate(_ reader: inout BitReader) throws(BitstreamError) -> Int {
        let index = try reader.int(4)
        let rate: Int
        if index == 15 {
            rate = try reader.int(24)
        } else {
            guard index < sampleRates.count else { throw .invalid }
            rate = sampleRates[index]
        }
        guard (4000...192_000).contains(rate) else { throw .invalid }
        return rate
    }

    private static let sampleRates = [
        96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025,
        8000, 7350,
    ]

    /// Source: ISO/IEC 14496-3, Table 1.19.
    private static func layout(of configuration: Int) -> (channels: Int, name: String)? {
        switch configuration {
        case 1...6: (configuration, ChannelLayout.name(forChannels: configuration))
        case 7, 12: (8, "7.1")
        case 11: (7, "6.1")
        case 14: (8, "5.1.2")
        default: nil
        }
    }
}

extension AudioSpecificConfig {
    var format: AudioFormat {
        let outputRate = extensionSampleRate ?? sampleRate
        let outputChannels = hasParametricStereo && channels == 1 ? 2 : channels
        // Replication doubles the rate, or leaves it where it is.
        let factor = outputRate > sampleRate ? 2 : 1
        let signalledType = hasParametricStereo ? 29 : extensionSampleRate != nil ? 5 : objectType
        let profile =
            switch signalledType {
            case 29: "HE-AAC v2"
            case 5: "HE-AAC"
            case 1: "AAC Main"
            case 3: "AAC SSR"
            case 4: "AAC LTP"
            default: "AAC-LC"
            }
        return AudioFormat(
            codec: .aac,
            codecString: "mp4a.40.\(signalledType)",
            profile: profile,
            sampleRate: outputRate,
            channels: outputChannels,
            channelLayout: outputChannels == channels ? channelLayout : "stereo",
            samplesPerAccessUnit: samplesPerFrame * factor,
            decoderConfiguration: ByteBuffer(bytes: bytes)
        )
    }
}

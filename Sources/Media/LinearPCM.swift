import NIOCore

/// Sound that is not coded: how its samples lie in an access unit, and what they are.
///
/// Shape: for each instant the sample of every channel, signed, high byte first.
///
/// Source: RFC 3551, 4.5.11 (L16); RFC 3190, 4 (L24).
package struct LinearPCM: Sendable, Hashable {
    /// Samples a channel in an access unit: as many as AAC has in a frame.
    package static let unitSamples = 1_024
    /// As session descriptions have them.
    private static let (rates, channelCounts) = (1...1_000_000, 1...255)

    /// Of a sample: 16 or 24.
    package let bits: Int
    package let sampleRate: Int
    package let channels: Int

    /// - Returns: `nil` for numbers that no source has.
    package init?(bits: Int, sampleRate: Int, channels: Int) {
        guard bits == 16 || bits == 24, Self.rates.contains(sampleRate),
            Self.channelCounts.contains(channels)
        else { return nil }
        self.bits = bits
        self.sampleRate = sampleRate
        self.channels = channels
    }

    /// - Returns: `nil` for a format that is not linear PCM.
    package init?(_ format: AudioFormat) {
        let configuration = format.decoderConfiguration
        guard format.codec == .linearPCM,
            let bits = configuration.getInteger(at: configuration.readerIndex, as: UInt8.self)
        else { return nil }
        self.init(bits: Int(bits), sampleRate: format.sampleRate, channels: format.channels)
    }

    /// The samples of one instant.
    package var instantBytes: Int { channels * bits / 8 }
    package var unitBytes: Int { Self.unitSamples * instantBytes }

    package var format: AudioFormat {
        AudioFormat(
            codec: .linearPCM,
            codecString: "",
            profile: "\(bits) bit",
            sampleRate: sampleRate,
            channels: channels,
            channelLayout: ChannelLayout.name(forChannels: channels),
            samplesPerAccessUnit: Self.unitSamples,
            decoderConfiguration: ByteBuffer(bytes: [UInt8(bits)])
        )
    }
}

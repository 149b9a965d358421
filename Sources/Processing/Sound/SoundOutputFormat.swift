package import Media

/// One format that the sound of streams is offered in beside its own.
package struct SoundOutputFormat: Sendable, Hashable {
    /// Less is speech over the telephone.
    private static let leastBitsPerSecond = 16_000

    package var codec = AudioFormat.Codec.aac
    /// `nil`: what is usual for the codec.
    package var bitsPerSecond: Int?
    /// One or two; sound that has fewer stays as it is.
    package var channels = 2

    package init() {}

    /// What its encoder keeps to, where the source has as many channels.
    package var targetBitsPerSecond: Int {
        bitsPerSecond ?? (codec == .opus ? 48_000 : 64_000) * channels
    }

    /// A path component such as `aac-128k`.
    package var name: String {
        let rate = targetBitsPerSecond
        let text = rate % 1_000 == 0 ? "\(rate / 1_000)k" : "\(rate)"
        return "\(codec.rawValue.lowercased())-\(text)\(channels == 1 ? "-mono" : "")"
    }

    /// How this sound is encoded.
    func settings(for source: AudioFormat) -> SampleEncoder.Settings {
        let channels = source.channels > 0 ? min(source.channels, channels) : channels
        let rates = [8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000]
        let keepsRate = codec == .aac && rates.contains(source.sampleRate)
        let sampleRate = keepsRate ? source.sampleRate : 48_000
        // A frame of AAC has room for 6,144 bits a channel.
        let most = (codec == .aac ? 6 * sampleRate : 256_000) * channels
        return SampleEncoder.Settings(
            codec: codec,
            sampleRate: sampleRate,
            channels: channels,
            bitsPerSecond: min(max(targetBitsPerSecond, Self.leastBitsPerSecond), most)
        )
    }
}

package import Media
package import NIOCore

extension VideoFormat {
    /// H.264 High, 1280×720, where a test does not care what it is.
    package static func sample(
        width: Int = 1_280,
        height: Int = 720,
        decoderConfiguration: ByteBuffer = ByteBuffer()
    ) -> VideoFormat {
        VideoFormat(
            codec: .h264,
            codecString: "avc1.64001f",
            profile: "High",
            level: "3.1",
            width: width,
            height: height,
            decoderConfiguration: decoderConfiguration
        )
    }
}

extension AudioFormat {
    /// AAC-LC, stereo, 48 kHz, where a test does not care what it is.
    package static let sample = AudioFormat(
        codec: .aac,
        codecString: "mp4a.40.2",
        profile: "AAC-LC",
        sampleRate: 48_000,
        channels: 2,
        channelLayout: "stereo",
        samplesPerAccessUnit: 1_024,
        decoderConfiguration: ByteBuffer(bytes: [0x11, 0x90])
    )
}

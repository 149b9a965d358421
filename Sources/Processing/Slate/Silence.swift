package import Media
package import NIOCore

/// One access unit of silence for a track of sound.
package struct Silence: Sendable {
    /// That of the track; Dolby's may have another bit rate, and never more than 5.1 channels.
    package let format: AudioFormat
    package let payload: ByteBuffer

    package init(format: AudioFormat, payload: ByteBuffer) {
        self.format = format
        self.payload = payload
    }

    /// Silence in the format of a track.
    ///
    /// Dolby's is encoded, within milliseconds; the others have a short form (`SilentFrame`).
    ///
    /// - Parameters:
    ///   - format: Of the track.
    ///   - sample: An access unit of the track; empty when none has come.
    /// - Returns: `nil` when the format cannot be silent without an access unit to go by.
    package static func make(_ format: AudioFormat, like sample: ByteBuffer) -> Silence? {
        switch format.codec {
        case .aac, .opus, .mp3, .linearPCM:
            let payload = SilentFrame.make(format, like: sample)
            return payload.readableBytes > 0 ? Silence(format: format, payload: payload) : nil
        case .ac3, .eac3:
            return encoded(format)
        }
    }

    private static func encoded(_ format: AudioFormat) -> Silence? {
        let bytes = try? SilenceEncoder.encode(
            format.codec,
            sampleRate: format.sampleRate,
            channelMask: channelMask(format)
        )
        var parser = AudioBitstreamParser(framing: format.codec == .ac3 ? .ac3 : .eac3)
        guard let bytes, let made = parser.parse(bytes.span, pts: .zero(timescale: 90_000)).first,
            let madeFormat = made.newFormat
        else { return nil }
        return Silence(format: madeFormat, payload: made.payload)
    }

    /// The loudspeakers that `acmod` and `lfeon` name.
    ///
    /// Source: ETSI TS 102 366, F.4 and F.6 (where they are in the boxes).
    private static func channelMask(_ format: AudioFormat) -> UInt64 {
        let box = format.decoderConfiguration.readableBytesView.map { UInt32($0) }
        let (mode, hasLowFrequency): (Int, Bool)
        switch format.codec {
        case .ac3 where box.count >= 3:
            let bits = box[0] << 16 | box[1] << 8 | box[2]
            (mode, hasLowFrequency) = (Int(bits >> 11 & 7), bits >> 10 & 1 == 1)
        case .eac3 where box.count >= 4:
            let bits = box[2] << 8 | box[3]
            (mode, hasLowFrequency) = (Int(bits >> 1 & 7), bits & 1 == 1)
        default:
            (mode, hasLowFrequency) = (2, false)
        }
        // Front left 1, right 2, centre 4; low frequency 8; back centre 0x100; sides 0x200, 0x400.
        let masks: [UInt64] = [3, 4, 3, 7, 0x103, 0x107, 0x603, 0x607]
        return masks[mode] | (hasLowFrequency ? 8 : 0)
    }
}

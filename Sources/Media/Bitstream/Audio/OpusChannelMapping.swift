import NIOCore

/// How the streams of an Opus packet become channels.
///
/// Source: the `channel_config_code` of the Opus audio descriptor; RFC 7845, 5.1.1 for families
///         and orders; Encapsulation of Opus in ISO Base Media File Format, 4.3.2 for `dOps`.
struct OpusChannelMapping: Sendable {
    let channels: Int
    private let family: UInt8
    private let streams: UInt8
    private let coupled: UInt8
    private let order: [UInt8]

    /// - Returns: `nil` for codes that have no meaning without more of the descriptor.
    init?(configuration: UInt8) {
        let code = Int(configuration)
        switch code {
        case 0:
            // Two programmes, one a channel.
            (channels, family, streams, coupled, order) = (2, 255, 2, 0, [0, 1])
        case 1...8:
            channels = code
            family = code > 2 ? 1 : 0
            streams = [1, 1, 2, 2, 3, 4, 4, 5][code - 1]
            coupled = [0, 1, 1, 2, 2, 2, 3, 3][code - 1]
            order = Self.vorbisOrders[code - 1]
        case 0x82...0x88:
            // Every channel a stream of its own.
            channels = code - 0x80
            family = 1
            streams = UInt8(channels)
            coupled = 0
            order = (0..<UInt8(channels)).map { $0 }
        default:
            return nil
        }
    }

    private static let vorbisOrders: [[UInt8]] = [
        [0], [0, 1], [0, 2, 1], [0, 1, 2, 3], [0, 4, 1, 2, 3], [0, 4, 1, 2, 3, 5],
        [0, 4, 1, 2, 3, 5, 6], [0, 6, 1, 2, 3, 4, 5, 7],
    ]

    var layoutName: String {
        family == 255 ? "dual mono" : ChannelLayout.name(forChannels: channels)
    }

    func format(samplesPerPacket: Int) -> AudioFormat {
        AudioFormat(
            codec: .opus,
            codecString: "Opus",
            sampleRate: OpusPacket.sampleRate,
            channels: channels,
            channelLayout: layoutName,
            samplesPerAccessUnit: samplesPerPacket,
            decoderConfiguration: decoderConfiguration
        )
    }

    /// The payload of `dOps`.
    ///
    /// Its pre-skip is 0: a live stream has no beginning to leave out.
    private var decoderConfiguration: ByteBuffer {
        var record = ByteBuffer()
        record.writeInteger(UInt8(0))
        record.writeInteger(UInt8(channels))
        record.writeInteger(UInt16(0))
        record.writeInteger(UInt32(OpusPacket.sampleRate))
        record.writeInteger(Int16(0))
        record.writeInteger(family)
        if family != 0 {
            record.writeInteger(streams)
            record.writeInteger(coupled)
            record.writeBytes(order)
        }
        return record
    }
}

/// Names of the usual loudspeaker arrangements.
enum ChannelLayout {
    static func name(forChannels channels: Int) -> String {
        switch channels {
        case 1: "mono"
        case 2: "stereo"
        case 3: "3.0"
        case 4: "4.0"
        case 5: "5.0"
        case 6: "5.1"
        case 7: "6.1"
        case 8: "7.1"
        default: "\(channels) channels"
        }
    }
}

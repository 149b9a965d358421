package import NIOCore

/// Frames of sound out of packets that a packet format has told apart.
///
/// In:    whole packets: a raw_data_block of AAC, an AudioMuxElement of LATM, or an Opus packet.
/// Out:   their frames in order, as access units' payloads.
/// Gap:   any bytes are accepted; a packet that cannot be read gives no frames.
package struct AudioPacketParser: Sendable {
    package enum Framing: Sendable {
        /// With the AudioSpecificConfig that stands apart from it.
        case aac(configuration: [UInt8])
        /// With its StreamMuxConfig, or `nil` when it is in the elements.
        case latm(configuration: [UInt8]?, isConfigInBand: Bool)
        /// One or two channels; other arrangements are not told by RTP.
        case opus(channels: Int)
    }

    package struct Frame: Sendable {
        /// Shape as `AccessUnit.payload` says; owned.
        package var payload: ByteBuffer
        /// Samples a channel, at the format's rate.
        package var samples: Int
        /// The format from this frame on, when it differs from that of the frame before; always
        /// there on the first.
        package var newFormat: AudioFormat?
    }

    private enum Contents {
        case aac(AudioFormat)
        case latm(LATMMultiplex, isConfigInBand: Bool)
        case opus(OpusChannelMapping)
        /// What must be known to read it was not given, or cannot be read.
        case unknown
    }

    private var contents: Contents
    /// `nil` until a frame was found.
    package private(set) var format: AudioFormat?

    package init(framing: Framing) {
        contents =
            switch framing {
            case .aac(let configuration):
                Self.format(of: configuration).map { .aac($0) } ?? .unknown
            case .latm(let configuration?, let isConfigInBand):
                (try? LATMMultiplex(configuration: configuration)).map {
                    .latm($0, isConfigInBand: isConfigInBand)
                } ?? (isConfigInBand ? .latm(LATMMultiplex(), isConfigInBand: true) : .unknown)
            case .latm(nil, let isConfigInBand):
                isConfigInBand ? .latm(LATMMultiplex(), isConfigInBand: true) : .unknown
            case .opus(let channels):
                OpusChannelMapping(configuration: channels == 1 ? 1 : 2).map { .opus($0) }
                    ?? .unknown
            }
    }

    /// Whether what a decoder must know is known.
    package var hasConfiguration: Bool {
        switch contents {
        case .aac, .opus: true
        case .latm(let multiplex, _): multiplex.format != nil
        case .unknown: false
        }
    }

    /// Takes one packet apart.
    ///
    /// - Returns: No frames for a packet that cannot be read.
    package mutating func parse(_ packet: Span<UInt8>) -> [Frame] {
        guard !packet.isEmpty else { return [] }
        switch contents {
        case .aac(let format):
            return [announce(AudioFrame(payload: ByteBuffer(copying: packet), format: format))]
        case .latm(var multiplex, let isConfigInBand):
            var reader = BitReader(packet)
            let frames = try? multiplex.readElement(&reader, isConfigInBand: isConfigInBand)
            contents = .latm(multiplex, isConfigInBand: isConfigInBand)
            // What leaves bytes over is a piece of another element.
            guard let frames, multiplex.hasOtherData || reader.bitsLeft < 8 else { return [] }
            return frames.map { announce($0) }
        case .opus(let mapping):
            guard let samples = OpusPacket.samples(in: packet) else { return [] }
            let isSame = format?.samplesPerAccessUnit == samples
            let format = (isSame ? format : nil) ?? mapping.format(samplesPerPacket: samples)
            return [announce(AudioFrame(payload: ByteBuffer(copying: packet), format: format))]
        case .unknown:
            return []
        }
    }

    private mutating func announce(_ frame: AudioFrame) -> Frame {
        let isNew = frame.format != format
        format = frame.format
        return Frame(
            payload: frame.payload,
            samples: frame.format.samplesPerAccessUnit,
            newFormat: isNew ? frame.format : nil
        )
    }

    /// The format that an AudioSpecificConfig tells; `nil` for one that cannot be read.
    package static func format(of configuration: [UInt8]) -> AudioFormat? {
        var reader = BitReader(configuration.span)
        return (try? AudioSpecificConfig(&reader, isWhole: true))?.format
    }

    /// Opus of one or two channels; `nil` for others.
    package static func opusFormat(channels: Int, samplesPerPacket: Int) -> AudioFormat? {
        guard (1...2).contains(channels) else { return nil }
        return OpusChannelMapping(configuration: UInt8(channels))?
            .format(samplesPerPacket: samplesPerPacket)
    }
}

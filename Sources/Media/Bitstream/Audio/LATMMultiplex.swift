import NIOCore

/// AAC frames out of AudioMuxElements.
///
/// Carried are multiplexes of one programme and one layer; others give no frames.
///
/// Source: ISO/IEC 14496-3, 1.7.3.
struct LATMMultiplex: Sendable {
    private var configuration: StreamMuxConfig?
    private(set) var format: AudioFormat?

    /// Bits of another kind follow the frames of an element.
    var hasOtherData: Bool { configuration?.hasOtherData ?? false }

    init() {}

    /// A multiplex whose configuration comes apart from it.
    ///
    /// GStreamer's payloader ends it with the AudioSpecificConfig; what follows has but one usual value.
    init(configuration bytes: [UInt8]) throws(BitstreamError) {
        var reader = BitReader(bytes.span)
        configure(try StreamMuxConfig(&reader, mayLackItsEnd: true))
    }

    /// Reads one element: the frames of one span of time, one after another.
    ///
    /// When `isConfigInBand`, the element begins with `useSameStreamMux` (`muxConfigPresent`).
    mutating func readElement(
        _ reader: inout BitReader,
        isConfigInBand: Bool
    ) throws(BitstreamError) -> [AudioFrame] {
        if isConfigInBand, try !reader.flag() { configure(try StreamMuxConfig(&reader)) }
        guard let configuration, let format else { throw .invalid }
        var frames: [AudioFrame] = []
        for _ in 0..<configuration.framesPerElement {
            frames.append(AudioFrame(payload: try Self.readPayload(&reader), format: format))
        }
        return frames
    }

    private mutating func configure(_ latest: StreamMuxConfig) {
        if latest.audio != configuration?.audio { format = latest.audio.format }
        configuration = latest
    }

    private static func readPayload(_ reader: inout BitReader) throws(BitstreamError) -> ByteBuffer
    {
        // PayloadLengthInfo
        var length = 0
        while true {
            let byte = try reader.int(8)
            length += byte
            if byte != 255 { break }
        }
        guard length > 0, length * 8 <= reader.bitsLeft else { throw .truncated }
        var payload = ByteBuffer(exactCapacity: length)
        for _ in 0..<(length / 4) { payload.writeInteger(try reader.bits(32)) }
        for _ in 0..<(length % 4) { payload.writeInteger(try reader.byte()) }
        return payload
    }
}

/// `StreamMuxConfig()`.
///
/// Source: ISO/IEC 14496-3, 1.7.3.2.
private struct StreamMuxConfig: Sendable {
    let audio: AudioSpecificConfig
    let framesPerElement: Int
    let hasOtherData: Bool

    /// No AudioSpecificConfig of AAC is longer: a full program configuration with its comment.
    private static let configurationByteLimit = 400
    /// Bits behind the AudioSpecificConfig, at least.
    private static let endSize = 13

    init(_ reader: inout BitReader, mayLackItsEnd: Bool = false) throws(BitstreamError) {
        let isVersion1 = try reader.flag()
        // audioMuxVersionA
        if isVersion1, try reader.flag() { throw .invalid }
        // taraBufferFullness
        if isVersion1 { _ = try Self.readValue(&reader) }
        let hasSameTimeFraming = try reader.flag()
        let subFrames = try reader.int(6)
        let programs = try reader.int(4)
        let layers = try reader.int(3)
        guard hasSameTimeFraming, programs == 0, layers == 0 else { throw .invalid }
        framesPerElement = subFrames + 1
        if isVersion1 {
            let length = try Self.readValue(&reader)
            guard length <= reader.bitsLeft else { throw .truncated }
            var inner = reader.realigned(byteLimit: Self.configurationByteLimit)
            inner.limit(toBits: length)
            audio = try AudioSpecificConfig(&inner, isWhole: true)
            try reader.skip(length)
        } else {
            var inner = reader.realigned(byteLimit: Self.configurationByteLimit)
            audio = try AudioSpecificConfig(&inner, isWhole: false)
            try reader.skip(inner.position)
        }
        guard !mayLackItsEnd || reader.bitsLeft >= Self.endSize else {
            hasOtherData = false
            return
        }
        // frameLengthType 0: a length before each payload.
        guard try reader.bits(3) == 0 else { throw .invalid }
        // latmBufferFullness
        try reader.skip(8)
        hasOtherData = try Self.skipOtherData(&reader, isVersion1: isVersion1)
        // crcCheckPresent
        if try reader.flag() { try reader.skip(8) }
    }

    private static func skipOtherData(
        _ reader: inout BitReader,
        isVersion1: Bool
    ) throws(BitstreamError) -> Bool {
        // otherDataPresent: its bits follow the payload and are not read.
        guard try reader.flag() else { return false }
        if isVersion1 {
            _ = try readValue(&reader)
        } else {
            while try reader.flag() { try reader.skip(8) }
            try reader.skip(8)
        }
        return true
    }

    /// A value behind its length in bytes: `LatmGetValue()`.
    private static func readValue(_ reader: inout BitReader) throws(BitstreamError) -> Int {
        let bytes = try reader.int(2) + 1
        return try reader.int(8 * bytes)
    }
}

import NIOCore

/// AAC in LATM behind LOAS sync words.
///
/// Carried are streams of one programme, one layer and one frame an element; others give no frames.
/// Source: ISO/IEC 14496-3, 1.7.2 (AudioSyncStream), 1.7.3 (AudioMuxElement).
struct LATMParser: AudioFrameParser {
    private var configuration: StreamMuxConfig?
    private var format: AudioFormat?

    func scan(_ bytes: Span<UInt8>) -> AudioFrameScan {
        guard bytes.count >= 3 else {
            let isPossible =
                bytes.isEmpty || (bytes[0] == 0x56 && (bytes.count == 1 || bytes[1] & 0xE0 == 0xE0))
            return isPossible ? .incomplete : .invalid
        }
        guard bytes[0] == 0x56, bytes[1] & 0xE0 == 0xE0 else { return .invalid }
        let length = 3 + (Int(bytes[1] & 0x1F) << 8 | Int(bytes[2]))
        return length <= bytes.count ? .frame(length) : .incomplete
    }

    mutating func parse(_ frame: Span<UInt8>) -> AudioFrame? {
        var reader = BitReader(frame.extracting(droppingFirst: min(3, frame.count)))
        guard let payload = try? readElement(&reader), let format else { return nil }
        return AudioFrame(payload: payload, format: format)
    }

    private mutating func readElement(_ reader: inout BitReader) throws(BitstreamError)
        -> ByteBuffer
    {
        // useSameStreamMux
        if try !reader.flag() {
            let latest = try StreamMuxConfig(&reader)
            if latest.audio != configuration?.audio { format = latest.audio.format }
            configuration = latest
        }
        guard configuration != nil else { throw .invalid }
        // PayloadLengthInfo
        var length = 0
        while true {
            let byte = try reader.int(8)
            length += byte
            if byte != 255 { break }
        }
        guard length > 0, length * 8 <= reader.bitsLeft else { throw .truncated }
        var payload = ByteBufferAllocator().buffer(capacity: length)
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

    /// No AudioSpecificConfig of AAC is longer: a full program configuration with its comment.
    private static let configurationByteLimit = 400

    init(_ reader: inout BitReader) throws(BitstreamError) {
        let isVersion1 = try reader.flag()
        // audioMuxVersionA
        if isVersion1, try reader.flag() { throw .invalid }
        // taraBufferFullness
        if isVersion1 { _ = try Self.readValue(&reader) }
        let hasSameTimeFraming = try reader.flag()
        let subFrames = try reader.int(6)
        let programs = try reader.int(4)
        let layers = try reader.int(3)
        guard hasSameTimeFraming, subFrames == 0, programs == 0, layers == 0 else { throw .invalid }
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
        // frameLengthType 0: a length before each payload.
        guard try reader.bits(3) == 0 else { throw .invalid }
        // latmBufferFullness
        try reader.skip(8)
        try Self.skipOtherData(&reader, isVersion1: isVersion1)
        // crcCheckPresent
        if try reader.flag() { try reader.skip(8) }
    }

    private static func skipOtherData(
        _ reader: inout BitReader,
        isVersion1: Bool
    ) throws(BitstreamError) {
        // otherDataPresent: its bits follow the payload and are not read.
        guard try reader.flag() else { return }
        if isVersion1 {
            _ = try readValue(&reader)
        } else {
            while try reader.flag() { try reader.skip(8) }
            try reader.skip(8)
        }
    }

    /// A value behind its length in bytes: `LatmGetValue()`.
    private static func readValue(_ reader: inout BitReader) throws(BitstreamError) -> Int {
        let bytes = try reader.int(2) + 1
        return try reader.int(8 * bytes)
    }
}

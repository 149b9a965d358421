/// The smallest access units that parsers take for real: headers that an encoder wrote, and as much
/// filling as is asked for.
package enum SampleStreams {
    private static let startCode: [UInt8] = [0, 0, 0, 1]
    private static let accessUnitDelimiter: [UInt8] = [0x09, 0xF0]
    /// Constrained Baseline, 64 × 64, 30 frames a second.
    private static let sequenceParameterSet: [UInt8] = [
        0x67, 0x42, 0xC0, 0x0A, 0xDA, 0x10, 0x9B, 0x01, 0x10, 0x00, 0x00, 0x03, 0x00, 0x10, 0x00,
        0x00, 0x03, 0x03, 0xC0, 0xF1, 0x22, 0x6A,
    ]
    /// The same at 128 × 128.
    private static let otherSequenceParameterSet: [UInt8] = [
        0x67, 0x42, 0xC0, 0x0B, 0xDA, 0x08, 0x11, 0xB0, 0x11, 0x00, 0x00, 0x03, 0x00, 0x01, 0x00,
        0x00, 0x03, 0x00, 0x3C, 0x0F, 0x14, 0x2A, 0xA0,
    ]
    private static let pictureParameterSet: [UInt8] = [0x68, 0xCE, 0x3C, 0x80]
    private static let keyframeSlice: [UInt8] = [0x65, 0x88, 0x84, 0x0A, 0x20, 0xC6, 0x00, 0x44]
    private static let slice: [UInt8] = [0x41, 0x9A, 0x20, 0x24, 0x97, 0x57, 0x5F, 0x5C]

    /// An H.264 IDR picture with its parameter sets, in byte stream format.
    package static func h264Keyframe(byteCount: Int = 1_000, isOtherFormat: Bool = false) -> [UInt8]
    {
        let parameterSets = isOtherFormat ? otherSequenceParameterSet : sequenceParameterSet
        let bytes =
            startCode + accessUnitDelimiter + startCode + parameterSets + startCode
            + pictureParameterSet + startCode + keyframeSlice
        return bytes + filling(byteCount - bytes.count)
    }

    /// An H.264 P picture.
    package static func h264Picture(byteCount: Int = 400) -> [UInt8] {
        let bytes = startCode + accessUnitDelimiter + startCode + slice
        return bytes + filling(byteCount - bytes.count)
    }

    /// An H.264 P picture with parameter sets before it: intra refresh without a recovery point.
    package static func h264Described(byteCount: Int = 400) -> [UInt8] {
        let bytes =
            startCode + accessUnitDelimiter + startCode + sequenceParameterSet + startCode
            + pictureParameterSet + startCode + slice
        return bytes + filling(byteCount - bytes.count)
    }

    /// ADTS: AAC-LC, 48 kHz, stereo, 1,024 samples of silence.
    package static let aacFrame: [UInt8] = [
        0xFF, 0xF1, 0x4C, 0x80, 0x01, 0xBF, 0xFC, 0x21, 0x10, 0x04, 0x60, 0x8C, 0x1C,
    ]
    /// 1,024 samples at 48 kHz in ticks of 90 kHz.
    package static let aacFrameTicks: Int64 = 1_920

    /// Bytes that hold no start code and no 0x47.
    private static func filling(_ count: Int) -> [UInt8] {
        [UInt8](repeating: 0xB5, count: max(count, 0))
    }
}

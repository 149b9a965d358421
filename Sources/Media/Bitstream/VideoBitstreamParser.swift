/// Cuts a video elementary stream into access units and reads what it says of itself.
///
/// In:    H.264 and HEVC in byte stream format (Annex B); AV1 in start code format or as low
///        overhead OBUs, told apart by parsing; JPEG XS with or without its elementary stream header.
///        Or, where a packet format told them apart, the units themselves.
/// Out:   access units in decoding order, the first one a keyframe with its format.
/// Bound: parameter sets by the counts of their specifications; nothing else is kept between calls.
/// Gap:   any bytes are accepted. What cannot be decoded is dropped and counted.
package struct VideoBitstreamParser: Sendable {
    private var parser: any VideoElementaryParser

    package init(codec: VideoFormat.Codec) {
        parser =
            switch codec {
            case .h264: H264Parser()
            case .hevc: HEVCParser()
            case .av1: AV1Parser()
            case .jpegXS: JPEGXSParser()
            }
    }

    /// `nil` until the first parameter sets and keyframe were seen.
    package var format: VideoFormat? { parser.format }

    /// Pictures that no decoder could have used: before the first keyframe, or without their
    /// parameter sets.
    package var droppedUnits: UInt64 { parser.droppedUnits }

    /// Whether everything a decoder must know came, so that the next keyframe can be decoded.
    package var hasParameterSets: Bool { parser.hasParameterSets }

    /// Takes the bytes of one PES packet, normally one access unit.
    ///
    /// - Returns: Complete access units; what this call was given is not looked at again.
    package mutating func parse(_ bytes: Span<UInt8>) -> [VideoUnit] {
        parser.parse(bytes)
    }

    /// Takes units that are told apart already: NAL units without start codes, OBUs with or without
    /// their size, or pieces of JPEG XS codestreams.
    ///
    /// `units` are their places in `bytes`, in decoding order.
    ///
    /// - Returns: As `parse(_:)`.
    package mutating func parse(_ bytes: Span<UInt8>, units: [Range<Int>]) -> [VideoUnit] {
        parser.parse(bytes, units: units)
    }
}

/// The part of `VideoBitstreamParser` that differs by codec.
protocol VideoElementaryParser: Sendable {
    var format: VideoFormat? { get }
    var droppedUnits: UInt64 { get }
    var hasParameterSets: Bool { get }
    mutating func parse(_ bytes: Span<UInt8>) -> [VideoUnit]
    mutating func parse(_ bytes: Span<UInt8>, units: [Range<Int>]) -> [VideoUnit]
}

/// The video parameter set of HEVC: its id, and the timing that some encoders put only here.
///
/// Source: ITU-T H.265 7.3.2.1.
struct HEVCVideoParameterSet: Sendable {
    let id: Int
    private(set) var timing: (unitsInTick: UInt32, timeScale: UInt32)?

    /// Reads a whole NAL unit, its header included.
    init(_ unit: Span<UInt8>) throws(BitstreamError) {
        var reader = BitReader(unescaping: unit)
        try reader.skip(16)
        id = try reader.int(4)
        timing = try? Self.readTiming(&reader)
    }

    private static func readTiming(
        _ reader: inout BitReader
    ) throws(BitstreamError) -> (unitsInTick: UInt32, timeScale: UInt32)? {
        // base layer flags, max_layers_minus1
        try reader.skip(8)
        let subLayers = try reader.int(3)
        try reader.skip(17)
        _ = try HEVCProfileTierLevel(&reader, subLayers: subLayers)
        let hasEachSubLayer = try reader.flag()
        for _ in 0..<(hasEachSubLayer ? subLayers + 1 : 1) {
            for _ in 0..<3 { _ = try reader.ue() }
        }
        let maximumLayerID = try reader.int(6)
        let layerSets = try reader.ue(max: 1023)
        try reader.skip(layerSets * (maximumLayerID + 1))
        guard try reader.flag() else { return nil }
        var usability = VideoUsability()
        try usability.readTiming(&reader)
        return usability.timing
    }
}

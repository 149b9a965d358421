import NIOCore

/// AC-3 syncframes and E-AC-3 access units, told apart by `bsid`.
///
/// An E-AC-3 access unit is what makes six blocks of every substream: one or more frames of the
/// independent substream 0, each followed by its dependent and the other independent substreams.
/// Where one ends shows in the frame after it; once it is known how many frames make a unit, the
/// last unit of a PES packet is not held back.
/// Source: ETSI TS 102 366, E.1.2.2 and Annex F.
struct DolbyParser: AudioFrameParser {
    /// Eight independent and eight dependent substreams for each, in single blocks.
    private static let frameLimit = 6 * 72

    private var framesPerUnit: Int?
    private var cached: (traits: [DolbySyncFrame.Traits], format: AudioFormat)?

    func scan(_ bytes: Span<UInt8>) -> AudioFrameScan {
        var position = 0
        var blocks = 0
        for count in 0..<Self.frameLimit {
            let rest = bytes.extracting(droppingFirst: position)
            if blocks == 6, rest.isEmpty, count == framesPerUnit { return .frame(position) }
            guard rest.count >= 8 else {
                return Self.mayBegin(rest) ? .incomplete : blocks == 6 ? .frame(position) : .invalid
            }
            guard let frame = DolbySyncFrame(rest) else {
                return blocks == 6 ? .frame(position) : .invalid
            }
            let traits = frame.traits
            guard traits.isEnhanced else {
                if count > 0 { return blocks == 6 ? .frame(position) : .invalid }
                return frame.byteCount <= bytes.count ? .frame(frame.byteCount) : .incomplete
            }
            let isFirstSubstream = !traits.isDependent && traits.substream == 0
            if isFirstSubstream {
                if blocks == 6 { return .frame(position) }
                blocks += traits.blocks
            }
            guard blocks > 0, blocks <= 6 else { return .invalid }
            guard frame.byteCount <= rest.count else { return .incomplete }
            position += frame.byteCount
        }
        return .invalid
    }

    private static func mayBegin(_ bytes: Span<UInt8>) -> Bool {
        (bytes.count < 1 || bytes[0] == 0x0B) && (bytes.count < 2 || bytes[1] == 0x77)
    }

    mutating func parse(_ unit: Span<UInt8>) -> AudioFrame? {
        var traits: [DolbySyncFrame.Traits] = []
        var position = 0
        while let frame = DolbySyncFrame(unit.extracting(droppingFirst: position)),
            frame.byteCount <= unit.count - position
        {
            traits.append(frame.traits)
            position += frame.byteCount
        }
        guard position == unit.count, let first = traits.first else { return nil }
        if first.isEnhanced { framesPerUnit = traits.count }
        let payload = ByteBuffer(copying: unit)
        if let cached, cached.traits == traits {
            return AudioFrame(payload: payload, format: cached.format)
        }
        let format =
            first.isEnhanced
            ? AudioFormat(eac3: traits, first, byteCount: unit.count)
            : AudioFormat(ac3: first)
        cached = (traits, format)
        return AudioFrame(payload: payload, format: format)
    }
}

import Media

/// A video format that the packets of an unannounced sender may have.
struct RTPVideoCandidate: Sendable {
    /// What the head of a unit says, strictly: types that encoders do not send are not believed.
    private enum UnitKind {
        case parameterSet
        case picture
        case other
    }

    private static let parameterSetLimit = 16

    let codec: VideoFormat.Codec
    private let payload: any RTPVideoPayload
    private var parser: VideoBitstreamParser
    private var parameterSets: [[UInt8]] = []
    private var fragments: [RTPFragment] = []
    /// A unit goes on in the next packet.
    private var isUnitOpen = false
    private var hasPicture = false
    /// Units tell their place in decoding order; how far they are moved, only an SDP says.
    private(set) var isInterleaved = false
    /// Packets in a row that have the format's structure.
    private(set) var packetsInRow = 0

    init(codec: VideoFormat.Codec) {
        self.codec = codec
        parser = VideoBitstreamParser(codec: codec)
        payload =
            switch codec {
            case .h264: H264Payload()
            case .hevc: HEVCPayload(hasDONL: false)
            case .av1: AV1Payload()
            case .jpegXS: JPEGXSPayload()
            }
    }

    var hasParameterSets: Bool {
        codec == .jpegXS ? parser.format != nil : parser.hasParameterSets
    }

    var isProven: Bool { hasParameterSets && hasPicture && !isInterleaved }

    var format: RTPPayloadFormat {
        let encoding: RTPPayloadFormat.Encoding =
            switch codec {
            case .h264: .h264
            case .hevc: .hevc(hasDONL: false)
            case .av1: .av1
            case .jpegXS: .jpegXS
            }
        return RTPPayloadFormat(
            encoding: encoding,
            clockRate: 90_000,
            parameterSets: parameterSets
        )
    }

    /// Looks at one payload; when `isNext`, it follows the one before.
    mutating func receive(_ bytes: Span<UInt8>, isNext: Bool) {
        fragments.removeAll(keepingCapacity: true)
        do throws(RTPPayloadError) {
            try payload.read(bytes, into: &fragments)
        } catch {
            fragments.removeAll(keepingCapacity: true)
        }
        guard !fragments.isEmpty, accepts(bytes, isNext: isNext) else {
            refute()
            return
        }
        packetsInRow += 1
    }

    private mutating func accepts(_ bytes: Span<UInt8>, isNext: Bool) -> Bool {
        for fragment in fragments {
            if fragment.decodingOrder != nil { isInterleaved = true }
            if fragment.place != nil {
                guard let kind = kind(of: fragment, in: bytes) else { return false }
                take(fragment, kind, of: bytes)
                // In any order, packets contradict nothing: none counts before the head of a picture.
                guard hasParameterSets else { return false }
                continue
            }
            if fragment.isFirst {
                guard !isNext || !isUnitOpen, let kind = kind(of: fragment, in: bytes) else {
                    return false
                }
                take(fragment, kind, of: bytes)
            } else if isNext, !isUnitOpen, packetsInRow > 0 {
                return false
            }
            isUnitOpen = !fragment.isLast
        }
        return true
    }

    private mutating func take(_ fragment: RTPFragment, _ kind: UnitKind, of bytes: Span<UInt8>) {
        // Each picture of JPEG XS tells what a decoder must know.
        if kind == .picture || codec == .jpegXS { hasPicture = true }
        guard kind == .parameterSet, fragment.isLast || codec == .jpegXS else { return }
        var unit: [UInt8] = []
        unit.reserveCapacity(fragment.bytes.count + 2)
        if fragment.headerCount == 2 { unit.append(UInt8(fragment.header >> 8)) }
        if fragment.headerCount > 0 { unit.append(UInt8(truncatingIfNeeded: fragment.header)) }
        bytes.extracting(fragment.bytes).withUnsafeBufferPointer { unit.append(contentsOf: $0) }
        _ = parser.parse(unit.span, units: [0..<unit.count])
        guard codec != .jpegXS, !parameterSets.contains(unit),
            parameterSets.count < Self.parameterSetLimit
        else { return }
        parameterSets.append(unit)
    }

    private mutating func refute() {
        guard packetsInRow > 0 else { return }
        self = RTPVideoCandidate(codec: codec)
    }

    /// - Returns: `nil` when no such unit is sent.
    private func kind(of fragment: RTPFragment, in bytes: Span<UInt8>) -> UnitKind? {
        guard !fragment.bytes.isEmpty else { return nil }
        var head = bytes[fragment.bytes.lowerBound]
        var next = fragment.bytes.count > 1 ? bytes[fragment.bytes.lowerBound + 1] : 0
        if fragment.headerCount > 0 { (head, next) = (UInt8(fragment.header & 0xFF), head) }
        if fragment.headerCount > 1 { (head, next) = (UInt8(fragment.header >> 8), head) }
        switch codec {
        case .h264: return Self.h264Kind(head)
        case .hevc: return Self.hevcKind(head, next)
        case .av1: return Self.av1Kind(head)
        case .jpegXS: return fragment.canBeginPicture ? .parameterSet : .picture
        }
    }

    private static func h264Kind(_ header: UInt8) -> UnitKind? {
        guard header & 0x80 == 0 else { return nil }
        // What a decoder begins with is referred to (nal_ref_idc).
        let isReference = header & 0x60 != 0
        return switch header & 0x1F {
        case 1: .picture
        case 5: isReference ? .picture : nil
        case 7, 8: isReference ? .parameterSet : nil
        case 6, 9...12: .other
        default: nil
        }
    }

    private static func hevcKind(_ first: UInt8, _ second: UInt8) -> UnitKind? {
        // forbidden_zero_bit, nuh_layer_id, nuh_temporal_id_plus1.
        guard first & 0x81 == 0, second & 0xF8 == 0, second & 7 != 0 else { return nil }
        return switch first >> 1 {
        case 0...9, 16...21: .picture
        case 32...34: .parameterSet
        case 35...40: .other
        default: nil
        }
    }

    private static func av1Kind(_ header: UInt8) -> UnitKind? {
        // obu_forbidden_bit, obu_reserved_1bit.
        guard header & 0x81 == 0 else { return nil }
        return switch header >> 3 {
        case 1: .parameterSet
        case 3, 4, 6, 7: .picture
        case 2, 5, 15: .other
        default: nil
        }
    }
}

/// The general part of `profile_tier_level()`.
///
/// Source: ITU-T H.265 7.3.3, Annex A.
struct HEVCProfileTierLevel: Sendable {
    let profileSpace: UInt8
    let isHighTier: Bool
    let profileIDC: UInt8
    let compatibilityFlags: UInt32
    /// The six bytes from `general_progressive_source_flag` on.
    let constraints: [UInt8]
    let levelIDC: UInt8

    /// Reads all of it; `subLayers` is `max_sub_layers_minus1`.
    init(_ reader: inout BitReader, subLayers: Int) throws(BitstreamError) {
        profileSpace = UInt8(try reader.bits(2))
        isHighTier = try reader.flag()
        profileIDC = UInt8(try reader.bits(5))
        compatibilityFlags = try reader.bits(32)
        var constraints: [UInt8] = []
        for _ in 0..<6 { constraints.append(try reader.byte()) }
        self.constraints = constraints
        levelIDC = try reader.byte()
        guard subLayers > 0 else { return }
        var present: [(profile: Bool, level: Bool)] = []
        for _ in 0..<subLayers { present.append((try reader.flag(), try reader.flag())) }
        try reader.skip(2 * (8 - subLayers))
        for subLayer in present {
            if subLayer.profile { try reader.skip(88) }
            if subLayer.level { try reader.skip(8) }
        }
    }

    /// `hvc1.1.6.L93.B0`.
    ///
    /// Source: ISO/IEC 14496-15 E.3.
    var codecString: String {
        let space = ["", "A", "B", "C"][Int(profileSpace)]
        let compatibility = String(
            Self.reversingBits(compatibilityFlags),
            radix: 16,
            uppercase: true
        )
        var text =
            "hvc1.\(space)\(profileIDC).\(compatibility).\(isHighTier ? "H" : "L")\(levelIDC)"
        let lastUsed = constraints.lastIndex { $0 != 0 } ?? -1
        for byte in constraints.prefix(lastUsed + 1) {
            text += "." + String(byte, radix: 16, uppercase: true)
        }
        return text
    }

    var levelName: String {
        let name = "\(levelIDC / 30).\(levelIDC % 30 / 3)"
        return isHighTier ? name + " (High tier)" : name
    }

    var profileName: String {
        switch profileIDC {
        case 1: "Main"
        case 2: "Main 10"
        case 3: "Main Still Picture"
        case 4: rangeExtensionsName
        case 5: "High Throughput"
        case 6: "Multiview Main"
        case 7: "Scalable Main"
        case 8: "3D Main"
        case 9: "Screen-Extended Main"
        case 10: "Scalable Format Range Extensions"
        case 11: "High Throughput Screen-Extended"
        default: "profile_idc \(profileIDC)"
        }
    }

    /// Whether the source is said to hold fields.
    var isInterlacedSource: Bool {
        constraints[0] & 0xC0 == 0x40
    }

    /// Source: ITU-T H.265 Table A.2.
    private var rangeExtensionsName: String {
        // From general_max_12bit_constraint_flag: the 5th bit of the six bytes.
        let flags = (UInt16(constraints[0]) << 8 | UInt16(constraints[1])) << 4
        func has(_ index: Int) -> Bool { flags & (0x8000 >> UInt16(index)) != 0 }
        let (max12, max10, max8) = (has(0), has(1), has(2))
        let (max422, max420, isMonochrome, isIntra) = (has(3), has(4), has(5), has(6))
        var name = isMonochrome ? "Monochrome" : "Main"
        if !isMonochrome, !max420 { name += max422 ? " 4:2:2" : " 4:4:4" }
        if !max8 { name += max10 ? " 10" : max12 ? " 12" : " 16" }
        return isIntra ? name + " Intra" : name
    }

    private static func reversingBits(_ value: UInt32) -> UInt32 {
        var reversed: UInt32 = 0
        for bit in 0..<32 where value >> UInt32(bit) & 1 == 1 {
            reversed |= 1 << UInt32(31 - bit)
        }
        return reversed
    }
}

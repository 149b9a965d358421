/// Types of NAL units of HEVC.
///
/// Source: ITU-T H.265 Table 7-1.
enum HEVCUnitType {
    static let cleanRandomAccess: UInt8 = 21
    static let videoParameterSet: UInt8 = 32
    static let sequenceParameterSet: UInt8 = 33
    static let pictureParameterSet: UInt8 = 34

    /// Slices of pictures, of the types that exist.
    static func isSlice(_ type: UInt8) -> Bool {
        type <= 9 || (16...21).contains(type)
    }

    /// Intra random access point pictures.
    static func isRandomAccessPoint(_ type: UInt8) -> Bool {
        (16...23).contains(type)
    }

    /// BLA: what precedes is not what the encoder had before it.
    static func isBrokenLink(_ type: UInt8) -> Bool {
        (16...18).contains(type)
    }

    /// RASL_N and RASL_R: leading pictures that refer to what came before their CRA picture.
    static func isSkippedLeading(_ type: UInt8) -> Bool {
        type == 8 || type == 9
    }

    /// No picture of the same sub-layer refers to it.
    static func isSubLayerNonReference(_ type: UInt8) -> Bool {
        type <= 14 && type % 2 == 0
    }

    /// AUD, prefix SEI and the reserved types that, like parameter sets, begin an access unit when
    /// they follow a slice.
    ///
    /// Source: 7.4.2.4.4.
    static func beginsAccessUnit(_ type: UInt8) -> Bool {
        (32...35).contains(type) || type == 39 || (41...44).contains(type)
            || (48...55).contains(type)
    }
}

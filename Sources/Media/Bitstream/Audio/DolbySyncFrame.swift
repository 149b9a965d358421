/// One syncframe of AC-3 or E-AC-3: its size and what its header says.
///
/// Source: ETSI TS 102 366, 4.3 and 4.4 (AC-3), E.1.2 and E.1.3 (E-AC-3).
struct DolbySyncFrame: Sendable, Hashable {
    /// The header, with all of its options, lies within so many bytes.
    private static let headerLimit = 128

    let byteCount: Int
    let traits: Traits

    /// What does not change from frame to frame while the format stays.
    struct Traits: Sendable, Hashable {
        var isEnhanced: Bool
        /// `strmtyp` 1: belongs to the independent substream before it.
        var isDependent = false
        var substream = 0
        var rateCode: Int
        var sampleRate: Int
        /// Of 256 samples.
        var blocks = 6
        var bitstreamID: Int
        var bitstreamMode = 0
        var codingMode: Int
        var hasLowFrequency: Bool
        /// `chanmap` of a dependent substream.
        var channelMap: Int?
        /// AC-3 only: half of `frmsizecod`.
        var bitrateCode = 0
        /// Joint object coding (Dolby Atmos): `complexity_index_type_a`.
        var objectComplexity: Int?
    }

    /// - Returns: `nil` when no syncframe begins here, or not all of its header is at hand.
    init?(_ bytes: Span<UInt8>) {
        guard bytes.count >= 6, bytes[0] == 0x0B, bytes[1] == 0x77 else { return nil }
        var reader = BitReader(bytes.extracting(first: min(bytes.count, Self.headerLimit)))
        let bitstreamID = Int(bytes[5] >> 3)
        do {
            switch bitstreamID {
            case ...8: (byteCount, traits) = try Self.readAC3(&reader)
            case 11...16: (byteCount, traits) = try Self.readEnhanced(&reader)
            default: return nil
            }
        } catch {
            return nil
        }
    }

    private static func readAC3(
        _ reader: inout BitReader
    ) throws(BitstreamError) -> (Int, Traits) {
        try reader.skip(32)
        let rateCode = try reader.int(2)
        let sizeCode = try reader.int(6)
        guard rateCode < 3, sizeCode / 2 < bitrates.count else { throw .invalid }
        var traits = Traits(
            isEnhanced: false,
            rateCode: rateCode,
            sampleRate: sampleRates[rateCode],
            bitstreamID: try reader.int(5),
            bitstreamMode: try reader.int(3),
            codingMode: try reader.int(3),
            hasLowFrequency: false,
            bitrateCode: sizeCode / 2
        )
        // cmixlev, surmixlev, dsurmod
        if traits.codingMode & 1 != 0, traits.codingMode != 1 { try reader.skip(2) }
        if traits.codingMode & 4 != 0 { try reader.skip(2) }
        if traits.codingMode == 2 { try reader.skip(2) }
        traits.hasLowFrequency = try reader.flag()
        let bitrate = bitrates[sizeCode / 2]
        let words =
            switch rateCode {
            case 0: bitrate * 2
            case 1: bitrate * 320 / 147 + sizeCode % 2
            default: bitrate * 3
            }
        return (words * 2, traits)
    }

    private static func readEnhanced(
        _ reader: inout BitReader
    ) throws(BitstreamError) -> (Int, Traits) {
        try reader.skip(16)
        let streamType = try reader.int(2)
        let substream = try reader.int(3)
        let byteCount = (try reader.int(11) + 1) * 2
        let rateCode = try reader.int(2)
        let blockCode: Int
        let sampleRate: Int
        if rateCode == 3 {
            let halfRateCode = try reader.int(2)
            guard halfRateCode < 3 else { throw .invalid }
            sampleRate = sampleRates[halfRateCode] / 2
            blockCode = 3
        } else {
            sampleRate = sampleRates[rateCode]
            blockCode = try reader.int(2)
        }
        let codingMode = try reader.int(3)
        var traits = Traits(
            isEnhanced: true,
            isDependent: streamType == 1,
            substream: substream,
            rateCode: rateCode,
            sampleRate: sampleRate,
            blocks: [1, 2, 3, 6][blockCode],
            bitstreamID: 0,
            codingMode: codingMode,
            hasLowFrequency: try reader.flag()
        )
        traits.bitstreamID = try reader.int(5)
        guard streamType < 3, byteCount >= 8 else { throw .invalid }
        // What follows is descriptive: a header cut short there is still one.
        try? readInformation(&reader, streamType: streamType, blockCode: blockCode, &traits)
        return (byteCount, traits)
    }

    /// From `dialnorm` to `addbsi`.
    private static func readInformation(
        _ reader: inout BitReader,
        streamType: Int,
        blockCode: Int,
        _ traits: inout Traits
    ) throws(BitstreamError) {
        let isDualMono = traits.codingMode == 0
        for _ in 0..<(isDualMono ? 2 : 1) {
            try reader.skip(5)
            if try reader.flag() { try reader.skip(8) }
        }
        if streamType == 1, try reader.flag() { traits.channelMap = try reader.int(16) }
        if try reader.flag() {
            try skipMixing(&reader, traits, streamType: streamType, blockCode: blockCode)
        }
        // infomdate
        if try reader.flag() {
            traits.bitstreamMode = try reader.int(3)
            try reader.skip(2)
            if traits.codingMode == 2 { try reader.skip(4) }
            if traits.codingMode >= 6 { try reader.skip(2) }
            for _ in 0..<(isDualMono ? 2 : 1) where try reader.flag() { try reader.skip(8) }
            if traits.rateCode < 3 { try reader.skip(1) }
        }
        if streamType == 0, blockCode != 3 { try reader.skip(1) }
        if streamType == 2 {
            let hasBlockID = blockCode == 3 ? true : try reader.flag()
            if hasBlockID { try reader.skip(6) }
        }
        // addbsie; its first bytes tell of joint object coding (ETSI TS 103 420).
        guard try reader.flag(), try reader.int(6) >= 1 else { return }
        try reader.skip(7)
        if try reader.flag() { traits.objectComplexity = try reader.int(8) }
    }

    /// The fields after `mixmdate`.
    private static func skipMixing(
        _ reader: inout BitReader,
        _ traits: Traits,
        streamType: Int,
        blockCode: Int
    ) throws(BitstreamError) {
        let mode = traits.codingMode
        if mode > 2 { try reader.skip(2) }
        if mode & 1 != 0, mode > 2 { try reader.skip(6) }
        if mode & 4 != 0 { try reader.skip(6) }
        if traits.hasLowFrequency, try reader.flag() { try reader.skip(5) }
        guard streamType == 0 else { return }
        // pgmscl, pgmscl2, extpgmscl
        for _ in 0..<(mode == 0 ? 3 : 2) where try reader.flag() { try reader.skip(6) }
        switch try reader.int(2) {
        case 1: try reader.skip(5)
        case 2: try reader.skip(12)
        case 3: try reader.skip(8 * (try reader.int(5) + 2))
        default: break
        }
        if mode < 2 {
            for _ in 0..<(mode == 0 ? 2 : 1) where try reader.flag() { try reader.skip(14) }
        }
        guard try reader.flag() else { return }
        if blockCode == 0 {
            try reader.skip(5)
        } else {
            for _ in 0..<traits.blocks where try reader.flag() { try reader.skip(5) }
        }
    }

    private static let sampleRates = [48_000, 44_100, 32_000]
    // kbit/s
    private static let bitrates = [
        32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 448, 512, 576, 640,
    ]
}

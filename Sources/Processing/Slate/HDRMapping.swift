import Glibc
import Media

/// Puts pictures of standard range into a signal of high dynamic range, as bright as its own white.
///
/// Shape: linear light of BT.709 primaries goes to BT.2020 primaries, its white to 203 cd/m².
///
/// Source: ITU-R BT.2408-7, 2.1 (reference white: 58 % PQ, 75 % HLG); BT.2087-0, 4 (the matrix);
/// BT.2100-2, tables 4 and 5.
struct HDRMapping {
    private let linear: [Float]
    private let encoded: [UInt16]

    /// Codes of 16 bits are looked up with their upper 12.
    private static let shift = 4
    private static let codes = 1 << 12

    /// - Returns: `nil` for a range that needs no mapping.
    init?(_ range: VideoFormat.DynamicRange) {
        let transfer: (Float) -> Float
        switch range {
        case .sdr: return nil
        case .hlg: transfer = Self.hybridLogGamma
        case .pq: transfer = Self.perceptualQuantiser
        }
        linear = (0..<Self.codes).map { powf(Float($0) / Float(Self.codes - 1), 2.4) }
        // Looked up by the square root of light: near black the eye tells more steps.
        encoded = (0..<Self.codes).map { code in
            let root = Float(code) / Float(Self.codes - 1)
            return UInt16(max(0, min(1, transfer(root * root))) * 65_535)
        }
    }

    /// Maps one pixel: red, green and blue of 16 bits.
    func map(_ red: UInt16, _ green: UInt16, _ blue: UInt16) -> (UInt16, UInt16, UInt16) {
        let r = linear[Int(red >> Self.shift)]
        let g = linear[Int(green >> Self.shift)]
        let b = linear[Int(blue >> Self.shift)]
        return (
            encode(0.6274 * r + 0.3293 * g + 0.0433 * b),
            encode(0.0691 * r + 0.9195 * g + 0.0114 * b),
            encode(0.0164 * r + 0.0880 * g + 0.8956 * b)
        )
    }

    private func encode(_ light: Float) -> UInt16 {
        let index = Int(max(0, min(1, light)).squareRoot() * Float(Self.codes - 1))
        return encoded[index]
    }

    private static func hybridLogGamma(_ light: Float) -> Float {
        let scene = light * 0.265
        guard scene > 1 / 12 else { return (3 * scene).squareRoot() }
        return 0.178_832_77 * logf(12 * scene - 0.284_668_92) + 0.559_910_73
    }

    private static func perceptualQuantiser(_ light: Float) -> Float {
        let power = powf(light * 203 / 10_000, 0.159_301_76)
        return powf((0.835_937_5 + 18.851_563 * power) / (1 + 18.687_5 * power), 78.843_75)
    }
}

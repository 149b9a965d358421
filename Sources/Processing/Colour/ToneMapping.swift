import Glibc
import Media

/// Brings pictures of high dynamic range into standard range, so that they can be told on any screen.
///
/// Shape: linear light of BT.2020 primaries goes to BT.709 primaries, 203 cd/m² to about 90 % of its white;
///        what is brighter is pressed together above, in its own hue.
///
/// Source: ITU-R BT.2100-2, tables 4 and 5; BT.2408-7, 2.1 (reference white: 58 % PQ, 75 % HLG); the matrix is
/// the inverse of that of BT.2087-0, 4.
struct ToneMapping {
    /// Light of each code; 1 is reference white.
    private let linear: [Float]
    private let encoded: [UInt16]

    /// Codes of 16 bits are looked up with their upper 12.
    private static let shift = 4
    private static let codes = 1 << 12
    /// Light below stays as it is.
    private static let knee: Float = 0.75

    /// - Returns: `nil` for a range that needs no mapping.
    init?(_ range: VideoFormat.DynamicRange) {
        let light: (Float) -> Float
        switch range {
        case .sdr: return nil
        case .hlg: light = Self.hybridLogGamma
        case .pq: light = Self.perceptualQuantiser
        }
        linear = (0..<Self.codes).map { light(Float($0) / Float(Self.codes - 1)) }
        // Looked up by the square root of light: near black the eye tells more steps.
        encoded = (0..<Self.codes).map { code in
            let root = Float(code) / Float(Self.codes - 1)
            return UInt16(powf(root * root, 1 / 2.4) * 65_535)
        }
    }

    /// Maps pixels in place: red, green and blue of 16 bits each, one behind the other.
    func map(_ samples: inout MutableSpan<UInt16>) {
        for pixel in 0..<(samples.count / 3) {
            let place = pixel * 3
            let mapped = map((samples[place], samples[place + 1], samples[place + 2]))
            samples[place] = mapped.red
            samples[place + 1] = mapped.green
            samples[place + 2] = mapped.blue
        }
    }

    typealias Pixel = (red: UInt16, green: UInt16, blue: UInt16)

    func map(_ pixel: Pixel) -> Pixel {
        let r = linear[Int(pixel.red >> Self.shift)]
        let g = linear[Int(pixel.green >> Self.shift)]
        let b = linear[Int(pixel.blue >> Self.shift)]
        let red = max(0, 1.6605 * r - 0.5876 * g - 0.0728 * b)
        let green = max(0, -0.1246 * r + 1.1329 * g - 0.0083 * b)
        let blue = max(0, -0.0182 * r - 0.1006 * g + 1.1187 * b)
        let scale = Self.scale(max(red, green, blue))
        return (encode(red * scale), encode(green * scale), encode(blue * scale))
    }

    /// What brings the brightest of a pixel's colours below 1.
    private static func scale(_ peak: Float) -> Float {
        guard peak > knee else { return 1 }
        let room = 1 - knee
        return (knee + room * (1 - expf((knee - peak) / room))) / peak
    }

    private func encode(_ light: Float) -> UInt16 {
        let index = Int(max(0, min(1, light)).squareRoot() * Float(Self.codes - 1))
        return encoded[index]
    }

    private static func hybridLogGamma(_ signal: Float) -> Float {
        let scene =
            signal <= 0.5
            ? signal * signal / 3
            : (expf((signal - 0.559_910_73) / 0.178_832_77) + 0.284_668_92) / 12
        return scene / 0.265
    }

    private static func perceptualQuantiser(_ signal: Float) -> Float {
        let power = powf(signal, 1 / 78.843_75)
        let ratio = max(0, power - 0.835_937_5) / (18.851_563 - 18.687_5 * power)
        return powf(ratio, 1 / 0.159_301_76) * 10_000 / 203
    }
}

import CFFmpeg
import Glibc

/// How much of a picture's luma an encoder kept.
struct PictureQuality {
    /// Decibels; a picture that is the same has `identical`.
    let psnr: Double
    /// From 0 to 1.
    let ssim: Double

    /// What rounding to 8 bits leaves no room above.
    static let identical = 100.0

    /// Compares two pictures of 8 bits and the same size; `nil` of others.
    ///
    /// SSIM is the mean over windows of 8 by 8 samples, each four from the next, all samples of the same weight.
    init?(of coded: AVFrame, against original: AVFrame) {
        let (width, height) = (Int(original.width), Int(original.height))
        let layouts = [AV_PIX_FMT_YUV420P.rawValue, AV_PIX_FMT_YUVJ420P.rawValue]
        guard layouts.contains(coded.format), layouts.contains(original.format),
            Int(coded.width) == width, Int(coded.height) == height, width >= 8, height >= 8,
            let one = original.data.0, let other = coded.data.0
        else { return nil }
        let strides = (Int(original.linesize.0), Int(coded.linesize.0))
        var error: UInt64 = 0
        for y in 0..<height {
            let (a, b) = (one + y * strides.0, other + y * strides.1)
            var line: UInt32 = 0
            for x in 0..<width {
                let difference = Int32(a[x]) &- Int32(b[x])
                line &+= UInt32(bitPattern: difference &* difference)
            }
            error += UInt64(line)
        }
        let mean = Double(error) / Double(width * height)
        psnr = mean > 0 ? min(-10 * log10(mean / (255 * 255)), Self.identical) : Self.identical

        var (sum, windows) = (0.0, 0)
        for y in stride(from: 0, through: height - 8, by: 4) {
            for x in stride(from: 0, through: width - 8, by: 4) {
                var window = Window()
                for row in y..<(y + 8) {
                    window.add(one + row * strides.0 + x, other + row * strides.1 + x)
                }
                sum += window.similarity
                windows += 1
            }
        }
        ssim = sum / Double(windows)
    }

    /// Sums over 64 pairs of samples.
    private struct Window {
        private var (first, second): (Int32, Int32) = (0, 0)
        private var (squares, products): (Int32, Int32) = (0, 0)

        @inline(__always)
        mutating func add(_ a: UnsafePointer<UInt8>, _ b: UnsafePointer<UInt8>) {
            for x in 0..<8 {
                let (p, q) = (Int32(a[x]), Int32(b[x]))
                first &+= p
                second &+= q
                squares &+= p &* p &+ q &* q
                products &+= p &* q
            }
        }

        /// With the constants of FFmpeg's filter of this name, so that figures can be compared.
        var similarity: Double {
            let (a, b) = (Double(first), Double(second))
            let variances = Double(squares) * 64 - a * a - b * b
            let covariance = Double(products) * 64 - a * b
            let (c1, c2) = (416.0, 235_963.0)
            return (2 * a * b + c1) * (2 * covariance + c2)
                / ((a * a + b * b + c1) * (variances + c2))
        }
    }
}

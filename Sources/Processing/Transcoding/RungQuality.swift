/// How much of the picture a rung's encoder kept, over a run of pictures.
///
/// Of luma, against the scaled picture that went into the encoder.
package struct RungQuality: Sendable, Equatable {
    /// PSNR in decibels, or SSIM from 0 to 1.
    package struct Measure: Sendable, Equatable {
        package private(set) var mean = 0.0
        package private(set) var minimum = Double.infinity

        fileprivate mutating func add(_ value: Double, after count: Int) {
            mean += (value - mean) / Double(count + 1)
            minimum = min(minimum, value)
        }
    }

    package let rung: LadderRung
    package private(set) var pictures = 0
    package private(set) var psnr = Measure()
    package private(set) var ssim = Measure()

    init(_ rung: LadderRung) {
        self.rung = rung
    }

    mutating func add(_ quality: PictureQuality) {
        psnr.add(quality.psnr, after: pictures)
        ssim.add(quality.ssim, after: pictures)
        pictures += 1
    }
}

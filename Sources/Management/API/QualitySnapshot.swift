package import Processing

/// What the encoders of a stream's sizes keep of the picture, measured over a run of pictures.
package struct QualitySnapshot: Codable, Sendable, Equatable {
    package struct Rung: Codable, Sendable, Equatable {
        /// Of its rendition, as in `delivery.renditions`.
        package var id: String
        /// How many were compared, from a keyframe on.
        package var pictures: Int
        /// Of luma, in decibels: of all, and of the worst.
        ///
        /// 100 is a picture that is the same.
        package var meanPsnrDecibels: Double
        package var minimumPsnrDecibels: Double
        /// Of luma, from 0 to 1.
        package var meanSsim: Double
        package var minimumSsim: Double

        package init(
            id: String,
            pictures: Int,
            meanPsnrDecibels: Double,
            minimumPsnrDecibels: Double,
            meanSsim: Double,
            minimumSsim: Double
        ) {
            self.id = id
            self.pictures = pictures
            self.meanPsnrDecibels = meanPsnrDecibels
            self.minimumPsnrDecibels = minimumPsnrDecibels
            self.meanSsim = meanSsim
            self.minimumSsim = minimumSsim
        }
    }

    package var rungs: [Rung]

    package init(_ rungs: [RungQuality]) {
        self.rungs = rungs.map { quality in
            Rung(
                id: quality.rung.name,
                pictures: quality.pictures,
                meanPsnrDecibels: quality.psnr.mean.roundedForDisplay,
                minimumPsnrDecibels: quality.psnr.minimum.roundedForDisplay,
                meanSsim: quality.ssim.mean.roundedForDisplay,
                minimumSsim: quality.ssim.minimum.roundedForDisplay
            )
        }
    }

    package init(rungs: [Rung]) {
        self.rungs = rungs
    }
}

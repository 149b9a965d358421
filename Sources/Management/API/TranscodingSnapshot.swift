import Media
package import Processing

/// What is encoded of a stream beside what is sent; counts are since its format was known.
package struct TranscodingSnapshot: Codable, Sendable, Equatable {
    /// One size, and what it takes.
    package struct Rung: Codable, Sendable, Equatable {
        /// Of its rendition, as in `delivery.renditions`.
        package var id: String
        package var codec: String
        package var width: Int
        package var height: Int
        /// What its encoder keeps to.
        package var targetBitrateBitsPerSecond: Int
        package var pictures: UInt64
        package var bytes: UInt64
        /// Left out because the encoder had no time.
        package var lostPictures: UInt64
        /// Wait for the encoder.
        package var queuedPictures: Int
        /// Held back by the encoder.
        package var heldPictures: Int
        /// From the arrival of the original to the coded picture, of the last few seconds.
        package var medianDelayMilliseconds: Double?
        package var longDelayMilliseconds: Double?
        package var cpuSeconds: Double
        /// What went wrong last, in words.
        package var failure: String?

        init(_ statistics: LadderStatistics.Rung) {
            id = statistics.rung.name
            codec = statistics.rung.codec.rawValue
            width = statistics.rung.width
            height = statistics.rung.height
            targetBitrateBitsPerSecond = statistics.rung.bitsPerSecond
            pictures = statistics.pictures
            bytes = statistics.bytes
            lostPictures = statistics.lostPictures
            queuedPictures = statistics.queued
            heldPictures = statistics.heldPictures
            medianDelayMilliseconds = statistics.delay(ofShare: 0.5).map {
                ($0 / .milliseconds(1)).roundedForDisplay
            }
            longDelayMilliseconds = statistics.delay(ofShare: 0.95).map {
                ($0 / .milliseconds(1)).roundedForDisplay
            }
            cpuSeconds = statistics.cpuSeconds.roundedForDisplay
            failure = statistics.failure
        }
    }

    /// Why nothing is encoded, in words.
    package var refusal: String?
    package var decodedPictures: UInt64
    /// Damaged, or between damage and the next keyframe.
    package var undecodablePictures: UInt64
    /// Not decoded because too many waited.
    package var lostPictures: UInt64
    package var queuedPictures: Int
    /// Of decoding and scaling, once for all sizes.
    package var cpuSeconds: Double
    package var rungs: [Rung]

    package init(_ plan: LadderPlan, _ statistics: LadderStatistics) {
        refusal = plan.refusal
        let decoding = statistics.decoding
        decodedPictures = decoding.pictures
        undecodablePictures = decoding.undecodablePictures
        lostPictures = decoding.lostPictures
        queuedPictures = decoding.queued
        cpuSeconds = decoding.cpuSeconds.roundedForDisplay
        rungs = statistics.rungs.map(Rung.init)
    }
}

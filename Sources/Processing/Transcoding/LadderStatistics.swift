/// What a ladder does, and what it takes; counts are since it began.
package struct LadderStatistics: Sendable, Equatable {
    /// What is done once for all rungs.
    package struct Decoding: Sendable, Equatable {
        /// Decoded and scaled.
        package var pictures: UInt64 = 0
        /// Damaged, or between damage and the next keyframe; counted when a later one comes out.
        package var undecodablePictures: UInt64 = 0
        /// Not decoded because too many waited.
        package var lostPictures: UInt64 = 0
        package var queued = 0
        package var cpuSeconds = 0.0
        /// What is done without, as far as there is not the time for all.
        package var effort = LadderEffort()

        package init() {}
    }

    package struct Rung: Sendable, Equatable {
        package let rung: LadderRung
        /// What encodes it: `nil` before the first picture.
        package var device: String?
        package var pictures: UInt64 = 0
        package var bytes: UInt64 = 0
        /// Not encoded because too many waited.
        package var lostPictures: UInt64 = 0
        package var queued = 0
        /// In the encoder beyond the picture it was given last; zero but for encoders that reorder.
        package var heldPictures = 0
        package var failures: UInt64 = 0
        /// What went wrong last.
        package var failure: String?
        package var cpuSeconds = 0.0
        package private(set) var latest = LatestPictures()

        package init(_ rung: LadderRung) {
            self.rung = rung
        }

        mutating func count(_ picture: LatestPictures.Sample) {
            pictures &+= 1
            bytes &+= UInt64(picture.bytes)
            latest.append(picture)
        }

        /// Times have nothing to do with those before.
        mutating func beginTimeline() {
            latest = LatestPictures()
        }
    }

    package let decoding: Decoding
    package let rungs: [Rung]
    /// Where it is done; `nil`: nowhere, since the last device failed.
    package let device: String?
    /// Why it is done there, in words, where another device would have been first.
    package let deviceReason: String?
}

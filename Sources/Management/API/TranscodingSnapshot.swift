import Media
package import Processing

/// What is encoded of a stream beside what is sent; counts are since its format was known.
package struct TranscodingSnapshot: Codable, Sendable, Equatable {
    /// How long something took, of the last few seconds' pictures.
    package struct Delay: Codable, Sendable, Equatable {
        package var medianMilliseconds: Double
        /// What 95 of 100 took at most.
        package var longMilliseconds: Double

        /// `nil` before the first picture.
        init?(_ latest: LatestPictures, in step: LatestPictures.Step) {
            guard let median = latest.delay(in: step, ofShare: 0.5),
                let long = latest.delay(in: step, ofShare: 0.95)
            else { return nil }
            medianMilliseconds = (median / .milliseconds(1)).roundedForDisplay
            longMilliseconds = (long / .milliseconds(1)).roundedForDisplay
        }
    }

    /// From the arrival of the original to the coded picture, step by step.
    package struct Delays: Codable, Sendable, Equatable {
        package var decode: Delay
        package var scale: Delay
        package var encode: Delay

        init?(_ latest: LatestPictures) {
            guard let decode = Delay(latest, in: .decode), let scale = Delay(latest, in: .scale),
                let encode = Delay(latest, in: .encode)
            else { return nil }
            self.decode = decode
            self.scale = scale
            self.encode = encode
        }
    }

    /// One size, and what it takes.
    package struct Rung: Codable, Sendable, Equatable {
        /// Of its rendition, as in `delivery.renditions`.
        package var id: String
        package var codec: String
        /// What encodes it: `cpu`, or a card; `nil` before the first picture.
        package var device: String?
        package var width: Int
        package var height: Int
        /// What its encoder keeps to.
        package var targetBitrateBitsPerSecond: Int
        /// Of the last few seconds.
        package var frameRate: Double?
        package var bitrateBitsPerSecond: Double?
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
        package var delays: Delays?
        package var cpuSeconds: Double
        /// What went wrong last, in words.
        package var failure: String?

        init(_ statistics: LadderStatistics.Rung) {
            id = statistics.rung.name
            codec = statistics.rung.codec.rawValue
            device = statistics.device
            width = statistics.rung.width
            height = statistics.rung.height
            targetBitrateBitsPerSecond = statistics.rung.bitsPerSecond
            pictures = statistics.pictures
            bytes = statistics.bytes
            lostPictures = statistics.lostPictures
            queuedPictures = statistics.queued
            heldPictures = statistics.heldPictures
            let latest = statistics.latest
            frameRate = latest.frameRate?.roundedForDisplay
            bitrateBitsPerSecond = latest.bitsPerSecond?.rounded()
            medianDelayMilliseconds = latest.delay(ofShare: 0.5).map {
                ($0 / .milliseconds(1)).roundedForDisplay
            }
            longDelayMilliseconds = latest.delay(ofShare: 0.95).map {
                ($0 / .milliseconds(1)).roundedForDisplay
            }
            delays = Delays(latest)
            cpuSeconds = statistics.cpuSeconds.roundedForDisplay
            failure = statistics.failure
        }
    }

    /// One track of sound in one format.
    package struct Sound: Codable, Sendable, Equatable {
        /// Of its rendition, as in `delivery.renditions`.
        package var id: String
        /// Of the rendition that it is made of.
        package var source: String
        package var codec: String
        /// Left out before the first frame, as channels are.
        package var sampleRate: Int?
        package var channels: Int?
        /// What its encoder keeps to.
        package var targetBitrateBitsPerSecond: Int
        package var frames: UInt64
        package var bytes: UInt64
        /// From the arrival of what completes a frame to the frame, the most of late.
        package var delayMilliseconds: Double
        /// What went wrong last, in words.
        package var failure: String?

        init(_ output: SoundStatistics.Output) {
            id = "\(output.source)-\(output.format.name)"
            source = output.source
            codec = output.format.codec.rawValue
            sampleRate = output.sampleRate == 0 ? nil : output.sampleRate
            channels = output.channels == 0 ? nil : output.channels
            targetBitrateBitsPerSecond = output.format.targetBitsPerSecond
            frames = output.frames
            bytes = output.bytes
            delayMilliseconds = (output.delay / .milliseconds(1)).roundedForDisplay
            failure = output.failure
        }
    }

    /// The sound of a stream, decoded once for all formats.
    package struct Audio: Codable, Sendable, Equatable {
        /// Damaged, and heard as silence.
        package var undecodableFrames: UInt64
        /// Not decoded because too many waited, and heard as silence.
        package var lostFrames: UInt64
        package var queuedFrames: Int
        /// Of all that is done with sound.
        package var cpuSeconds: Double
        package var outputs: [Sound]

        init(_ statistics: SoundStatistics) {
            undecodableFrames = statistics.undecodableFrames
            lostFrames = statistics.lostFrames
            queuedFrames = statistics.queued
            cpuSeconds = statistics.cpuSeconds.roundedForDisplay
            outputs = statistics.outputs.map(Sound.init)
        }
    }

    /// Of the ladder, where it is one of those with names.
    package var ladder: String?
    /// The source is offered too, as it is sent.
    package var passthrough: Bool
    /// Why nothing is encoded, in words.
    package var refusal: String?
    /// Why some sizes are left out, in words.
    package var shortage: String?
    /// `cpu` or a card; `nil`: nothing does it.
    package var device: String?
    /// Why it is done there, in words, where another device would have been first.
    package var deviceReason: String?
    /// What is done without for now, in words, since there is not the time for all.
    package var easing: String?
    package var decodedPictures: UInt64
    /// Damaged, or between damage and the next keyframe.
    package var undecodablePictures: UInt64
    /// Not decoded because too many waited.
    package var lostPictures: UInt64
    package var queuedPictures: Int
    /// Of decoding and scaling, once for all sizes.
    package var cpuSeconds: Double
    package var rungs: [Rung]
    /// Left out where sound is only sent as it comes.
    package var audio: Audio?

    package init(_ plan: LadderPlan, _ statistics: LadderStatistics, _ sound: SoundStatistics?) {
        ladder = plan.ladder.isEmpty ? nil : plan.ladder
        passthrough = plan.keepsSource
        audio = sound.map(Audio.init)
        refusal = plan.refusal
        shortage = plan.shortage
        device = plan.rungs.isEmpty ? nil : statistics.device
        deviceReason = plan.rungs.isEmpty ? nil : statistics.deviceReason
        let decoding = statistics.decoding
        easing = decoding.effort.words(for: plan.rungs)
        decodedPictures = decoding.pictures
        undecodablePictures = decoding.undecodablePictures
        lostPictures = decoding.lostPictures
        queuedPictures = decoding.queued
        cpuSeconds = decoding.cpuSeconds.roundedForDisplay
        rungs = statistics.rungs.map(Rung.init)
    }
}

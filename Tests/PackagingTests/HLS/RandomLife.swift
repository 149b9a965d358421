import Media
import Packaging

/// A stream's life drawn at random: legal outputs of a packager, in order, with publishers that leave
/// and come back, formats that change, sound that fails for a while, and segments cut early.
struct RandomLife {
    let configuration: PackagingConfiguration
    let limits = SegmentStore.Limits()

    private var random: SeededGenerator
    private var source = StreamSource()
    private var initialization = 0
    private var partsLeft = 0
    private var isFirst = true
    private var hasSound = true
    private var willBeDiscontinuity = false

    init(seed: UInt64) {
        random = SeededGenerator(seed: seed)
        let windows: [PackagingConfiguration.Window] = [
            .segments(6), .segments(30), .duration(.seconds(40)), .duration(.seconds(60)),
        ]
        configuration = PackagingConfiguration(
            segmentTarget: .seconds(1),
            // Long enough for deltas in every life: six target durations are twelve seconds.
            window: seed % 4 == 0 ? windows[3] : windows[1 + Int(seed % 3)]
        )
    }

    /// The outputs of one packager call.
    mutating func step() -> [PackagerOutput] {
        var outputs: [PackagerOutput] = []
        if isFirst {
            isFirst = false
            outputs.append(.renditions(renditions))
        }
        if partsLeft == 0 {
            outputs += openSegments()
        }
        outputs += parts()
        partsLeft -= 1
        if partsLeft == 0 || Int.random(in: 0..<60, using: &random) == 0 {
            partsLeft = 0
            outputs.append(.closeSegment(StreamSource.video))
            if hasSound { outputs.append(.closeSegment(StreamSource.audio)) }
            source.mediaSequence += 1
            outputs += changes()
        }
        return outputs
    }

    private var renditions: [Rendition] {
        [StreamSource.picture(initialization: "init \(initialization)"), StreamSource.sound()]
    }

    private mutating func openSegments() -> [PackagerOutput] {
        partsLeft = Int.random(in: 3...5, using: &random)
        var outputs = source.open(StreamSource.video, isDiscontinuity: willBeDiscontinuity)
        if hasSound {
            outputs += source.open(StreamSource.audio, isDiscontinuity: willBeDiscontinuity)
        }
        willBeDiscontinuity = false
        return outputs
    }

    private mutating func parts() -> [PackagerOutput] {
        let isLast = partsLeft == 1
        let ticks = isLast ? Int64.random(in: 1...30_000, using: &random) : 30_000
        let duration = MediaTime(ticks: ticks, timescale: 90_000)
        source.time = source.time.advanced(by: duration)
        var outputs = [
            StreamSource.part(duration: duration, isIndependent: Bool.random(using: &random))
        ]
        if hasSound { outputs.append(StreamSource.audioPart(frames: isLast ? 3 : 15)) }
        return outputs
    }

    /// Between two segments.
    private mutating func changes() -> [PackagerOutput] {
        switch Int.random(in: 0..<12, using: &random) {
        case 0:
            initialization += 1
            willBeDiscontinuity = true
            return [.renditions(renditions)]
        case 1:
            willBeDiscontinuity = true
            source.time = source.time.advanced(by: MediaTime(ticks: 7, timescale: 1))
            return []
        case 2:
            hasSound.toggle()
            return []
        default:
            if !hasSound { hasSound = Bool.random(using: &random) }
            return []
        }
    }
}

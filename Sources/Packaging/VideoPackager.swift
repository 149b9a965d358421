import Media
import NIOCore

/// Cuts the picture into parts and segments; it leads, and the sound is cut where it is.
///
/// A picture's duration is the distance to the next one, so a part is closed when the picture after
/// it has come: only then is it known how long the part is and whether its segment ends with it.
///
/// Bound: the open part, at most `sampleLimit` pictures and `byteLimit` bytes; both close it early.
struct VideoPackager: Sendable {
    enum Cut {
        case atKeyframe
        /// No keyframe came in time: the segment would outgrow TARGETDURATION.
        case forced
    }

    private static let sampleLimit = 512
    private static let byteLimit = 64 << 20

    var writer: RenditionWriter
    private let limits: SegmentLimits
    private var samples: [Sample] = []
    private var byteCount = 0
    private var frame: FrameDuration?
    private var latestDistance: Int64?
    private var segmentStart: Int64 = 0
    private var segmentFrames: Int64 = 0
    private var segmentHasKeyframe = false
    /// Pictures that stayed on screen longer than a part may last.
    private(set) var heldFrameCount: UInt64 = 0

    init?(id: Rendition.ID, track: Track, limits: SegmentLimits) {
        guard let writer = RenditionWriter(id: id, track: track) else { return nil }
        self.writer = writer
        self.limits = limits
    }

    mutating func carry(_ track: Track?) {
        guard track != writer.track || !writer.isOffered else { return }
        writer.carry(track)
        frame = track?.video?.frameRate.flatMap { FrameDuration(frameRate: $0) }
        latestDistance = nil
    }

    // MARK: Time

    private var partTarget: Int64? { writer.partTarget?.ticks }

    /// How long the next picture is expected to last.
    private var expectedDuration: Int64 {
        max(1, frame?.length(of: 1) ?? latestDistance ?? limits.part)
    }

    /// As signalled or measured.
    var frameRate: Rational? { frame?.rate }

    /// The timeline does not go on: too much time was lost, or the clock went back too far.
    func isGap(before picture: Picture) -> Bool {
        guard let last = samples.last else { return false }
        let distance = picture.decodeTime - last.decodeTime
        let limit =
            partTarget.map { max($0 + expectedDuration, limits.shortestGap) }
            ?? limits.longestSegment
        return distance > limit || -distance > limits.shortestGap
    }

    /// The picture with a decode time after the one before, as samples must have.
    func ordered(_ picture: Picture) -> Picture {
        guard let last = samples.last, picture.decodeTime <= last.decodeTime else {
            return picture
        }
        var picture = picture
        picture.decodeTime = last.decodeTime + 1
        picture.presentationTime = max(picture.presentationTime, picture.decodeTime)
        return picture
    }

    /// Where the last picture ends, as far as is known, on the clock of decode times.
    var decodeEnd: Int64? { samples.last.map { $0.decodeTime + expectedDuration } }

    // MARK: PART-TARGET

    /// The pictures that wait, now settled, tell how long a part is to be: they are about one.
    var canFixPartTarget: Bool {
        guard partTarget == nil, let first = samples.first, let last = samples.last else {
            return false
        }
        let span = last.decodeTime + Int64(last.duration) - first.decodeTime
        let distance = span / Int64(samples.count)
        return span + distance / 2 >= limits.part || samples.count >= Self.sampleLimit
            || byteCount >= Self.byteLimit
    }

    /// The PART-TARGET of the leading picture where whole frames fill 85 % of it, else what they fill.
    mutating func fixPartTarget(leader: MediaTime) {
        guard partTarget == nil else { return }
        frame = writer.track.video?.frameRate.flatMap { FrameDuration(frameRate: $0) }
        let length = expectedDuration
        let own = max(1, leader.ticks / length) * length
        writer.fix(
            partTarget: own <= leader.ticks && own * 100 >= leader.ticks * 85
                ? leader : MediaTime(mpegTicks: own)
        )
    }

    mutating func fixPartTarget(before picture: Picture) {
        let times = samples.map(\.decodeTime) + [picture.decodeTime]
        let claimed = writer.track.video?.frameRate
        guard partTarget == nil, let frame = FrameDuration(measuring: times, claimed: claimed)
        else { return }
        self.frame = frame
        let target = frame.partTarget(aim: limits.part, decodeTimes: times)
        writer.fix(partTarget: MediaTime(mpegTicks: target))
        for index in samples.indices where Int64(samples[index].duration) > target {
            samples[index].duration = UInt32(clamping: target)
        }
    }

    // MARK: Cutting

    /// Whether a segment begins with this picture.
    func cut(before picture: Picture) -> Cut? {
        let length = picture.decodeTime - segmentStart
        if picture.isKeyframe {
            // A segment that had to begin without a keyframe gives way to the first that comes.
            let isDue = length + expectedDuration / 2 >= limits.segment
            if isDue || !segmentHasKeyframe { return .atKeyframe }
        }
        return length + expectedDuration > limits.longestSegment ? .forced : nil
    }

    /// The picture before this one lasts until it.
    mutating func settle(before picture: Picture) {
        guard let last = samples.last else { return }
        latestDistance = picture.decodeTime - last.decodeTime
        settleLastDuration(end: picture.decodeTime)
    }

    /// Closes the segment; the next one begins with `picture`.
    mutating func endSegment(before picture: Picture, into outputs: inout [PackagerOutput]) {
        let length = picture.decodeTime - segmentStart
        if segmentFrames > 1 { frame = FrameDuration(ticks: length, frames: segmentFrames) }
        flush(into: &outputs)
    }

    mutating func begin(_ boundary: SegmentBoundary, with picture: Picture) {
        writer.begin(boundary.segmentStart(at: boundary.start))
        segmentStart = picture.decodeTime
        segmentFrames = 0
        segmentHasKeyframe = picture.isKeyframe
    }

    mutating func append(_ picture: Picture) {
        segmentFrames += 1
        byteCount += picture.payload.readableBytes
        samples.append(
            Sample(
                decodeTime: picture.decodeTime,
                compositionOffset: UInt32(
                    clamping: picture.presentationTime - picture.decodeTime
                ),
                duration: 0,
                flags: picture.isKeyframe
                    ? .sync : picture.isDisposable ? .disposable : .dependent,
                payload: picture.payload
            )
        )
    }

    /// Publishes what is open; the last picture lasts as long as pictures do here.
    mutating func endTimeline(into outputs: inout [PackagerOutput]) {
        if let last = samples.last {
            settleLastDuration(end: last.decodeTime + expectedDuration)
        }
        flush(into: &outputs)
    }

    /// Forgets what is open.
    /// - Returns: How many pictures are lost.
    mutating func abandonTimeline() -> Int {
        defer {
            samples.removeAll()
            byteCount = 0
        }
        return samples.count
    }

    /// A picture that is shown for longer than a part may last, or than its segment has room for, is
    /// given what fits; the next one's `tfdt` tells players of the rest.
    private mutating func settleLastDuration(end: Int64) {
        guard let last = samples.indices.last else { return }
        let start = samples[last].decodeTime
        let room = min(partTarget ?? .max, limits.longestSegment - (start - segmentStart))
        if end - start > room { heldFrameCount &+= 1 }
        samples[last].duration = UInt32(clamping: max(1, min(end - start, room)))
    }

    /// Publishes every part that cannot take the next picture as well.
    mutating func closeFullParts(into outputs: inout [PackagerOutput]) {
        guard let partTarget else { return }
        let next = expectedDuration
        while !samples.isEmpty {
            let (count, length) = longestPrefix(within: partTarget)
            let isFull =
                count < samples.count
                // A quarter of a frame of jitter is waited out, not taken for a full part.
                || length + next - next / 4 > partTarget
                || count >= Self.sampleLimit || byteCount >= Self.byteLimit
            guard isFull else { return }
            publish(count, into: &outputs)
        }
    }

    private mutating func flush(into outputs: inout [PackagerOutput]) {
        while !samples.isEmpty {
            publish(longestPrefix(within: partTarget ?? .max).count, into: &outputs)
        }
        writer.closeSegment(into: &outputs)
    }

    private func longestPrefix(within limit: Int64) -> (count: Int, length: Int64) {
        var length: Int64 = 0
        for (count, sample) in samples.enumerated() {
            let longer = length + Int64(sample.duration)
            // Samples of one part follow each other without a hole.
            let isHole = sample.decodeTime != samples[0].decodeTime + length
            if count > 0, longer > limit || isHole { return (count, length) }
            length = longer
        }
        return (samples.count, length)
    }

    private mutating func publish(_ count: Int, into outputs: inout [PackagerOutput]) {
        let part = samples.prefix(count)
        byteCount -= part.reduce(0) { $0 + $1.payload.readableBytes }
        writer.writePart(part, into: &outputs)
        samples.removeFirst(count)
    }
}

import DequeModule
import Media
import NIOCore

/// Cuts one track of sound where the leading rendition is cut.
///
/// Time: frames lie on an exact grid of `n × samplesPerAccessUnit` from the first frame on; source
///       timestamps, rounded to their own clock, never move it. A frame further than half a frame from
///       its place shows that sound is missing or doubled: silence is put in, or the frame left out, so
///       that the grid stays within half a frame of the source and the rendition has no hole.
/// Order: a frame waits until the picture has come as far as its time, because only then is it known
///        which segment it belongs to. Sound that comes later than the picture is put into the segment
///        of its time all the same; when none comes for `patience`, silence takes its place.
/// Bound: `queueLimit` waiting frames, the oldest dropped first; one open part; silence for at most the
///        time between the grid and the picture.
struct AudioPackager: Sendable {
    private struct Frame {
        var time: MediaTime
        var payload: ByteBuffer
    }

    private static let queueLimit = 1_024
    private static let longestPatienceSeconds: Int64 = 8

    var writer: RenditionWriter
    /// Tells what is placed, frame by frame.
    var tap = SoundTap()
    private var format: AudioFormat
    private var queue: Deque<Frame> = []
    private var boundaries: Deque<SegmentBoundary> = []
    private var samples: [Sample] = []
    private var isInSegment = false
    private var segmentIsEmpty = true
    private var framesPerPart = 1
    /// Where the next frame goes, in samples; `nil` before the first of the timeline.
    private var gridTime: Int64?
    private var lastPayload = ByteBuffer()
    private var patienceSeconds: Int64 = 1
    private var hasRunOutOfPatience = false

    private(set) var droppedFrameCount: UInt64 = 0
    private(set) var silentFrameCount: UInt64 = 0
    /// Place on the grid minus the source's time, of the frame placed last.
    private(set) var timingError: MediaTime?
    private(set) var placedFrameCount: UInt64 = 0

    init?(id: Rendition.ID, track: Track) {
        guard let format = track.audio,
            let writer = RenditionWriter(id: id, track: track)
        else { return nil }
        self.writer = writer
        self.format = format
    }

    mutating func carry(_ track: Track?) {
        guard track != writer.track || !writer.isOffered else { return }
        writer.carry(track)
        format = track?.audio ?? format
        lastPayload = ByteBuffer()
        updateFramesPerPart()
    }

    private var timescale: UInt32 { writer.cmaf.timescale }
    private var frameLength: Int64 { Int64(writer.cmaf.defaultDuration) }

    var frameDuration: MediaTime { MediaTime(ticks: frameLength, timescale: timescale) }

    // MARK: PART-TARGET

    /// By the leader's PART-TARGET, or with no picture to follow by `aim`.
    mutating func fixPartTarget(leader: MediaTime?, aim: MediaTime) {
        if let leader {
            fixPartTarget(leader: leader)
        } else {
            fixPartTarget(aim: aim)
        }
    }

    /// The leader's PART-TARGET where whole frames fill 85 % of it, else what whole frames fill.
    private mutating func fixPartTarget(leader: MediaTime) {
        let count = max(1, leader.converted(to: timescale).ticks / frameLength)
        let own = MediaTime(ticks: count * frameLength, timescale: timescale)
        let isClose = own <= leader && own.multiplied(by: 100) >= leader.multiplied(by: 85)
        writer.fix(partTarget: isClose ? leader : own)
        updateFramesPerPart()
    }

    /// With no picture to follow: the number of frames nearest to `aim`.
    private mutating func fixPartTarget(aim: MediaTime) {
        let half = MediaTime(ticks: frameLength / 2, timescale: timescale)
        let count = max(1, (aim + half).converted(to: timescale).ticks / frameLength)
        writer.fix(partTarget: MediaTime(ticks: count * frameLength, timescale: timescale))
        updateFramesPerPart()
    }

    private mutating func updateFramesPerPart() {
        guard let target = writer.partTarget else { return }
        var count = max(1, target.converted(to: timescale).ticks / frameLength)
        // The conversion rounds; a part must not be longer than the target by a hair either.
        if count > 1, MediaTime(ticks: count * frameLength, timescale: timescale) > target {
            count -= 1
        }
        framesPerPart = Int(clamping: count)
    }

    // MARK: Input

    mutating func enqueue(_ payload: ByteBuffer, at time: MediaTime) {
        queue.append(Frame(time: time, payload: payload))
        if queue.count > Self.queueLimit {
            queue.removeFirst()
            droppedFrameCount &+= 1
        }
    }

    mutating func follow(_ boundary: SegmentBoundary) {
        boundaries.append(boundary)
        tap.follow(boundary)
    }

    /// The leader has come to `horizon`: no segment can begin before it any more but those told of.
    mutating func advance(to horizon: MediaTime, into outputs: inout [PackagerOutput]) {
        while let frame = queue.first, frame.time <= horizon {
            queue.removeFirst()
            place(frame, into: &outputs)
        }
        fillWithSilence(
            upTo: horizon.converted(to: timescale).ticks
                - patienceSeconds * Int64(timescale),
            isImpatient: true,
            into: &outputs
        )
    }

    /// Publishes what belongs before `end`, with a frame at least in every segment of the leader.
    mutating func endTimeline(at end: MediaTime, into outputs: inout [PackagerOutput]) {
        // Most of the last frame sounds before the end.
        let lastStart = end.converted(to: timescale).ticks - frameLength / 2
        while let frame = queue.first, frame.time.converted(to: timescale).ticks < lastStart {
            queue.removeFirst()
            place(frame, into: &outputs)
        }
        let silentBefore = silentFrameCount
        fillWithSilence(upTo: lastStart, isImpatient: false, into: &outputs)
        while !boundaries.isEmpty || (isInSegment && segmentIsEmpty) {
            appendSilence(into: &outputs)
        }
        // Sound that had no time to come is not sound that was missing.
        silentFrameCount = silentBefore
        closePart(into: &outputs)
        writer.closeSegment(into: &outputs)
        tap.end(at: end)
        resetTimeline()
    }

    /// Forgets the timeline, but for frames that wait.
    mutating func resetTimeline() {
        boundaries.removeAll()
        tap.abandon()
        samples.removeAll()
        isInSegment = false
        segmentIsEmpty = true
        gridTime = nil
        hasRunOutOfPatience = false
    }

    /// Forgets frames that wait: they are of a timeline that is over.
    mutating func clearQueue() {
        droppedFrameCount &+= UInt64(queue.count)
        queue.removeAll()
    }

    // MARK: The grid

    private mutating func place(_ frame: Frame, into outputs: inout [PackagerOutput]) {
        let time = frame.time.converted(to: timescale).ticks
        let isFirst = gridTime == nil
        guard let target = gridTime ?? startOfGrid(for: time) else {
            droppedFrameCount &+= 1
            return
        }
        gridTime = target
        let distance = time - target
        if 2 * distance < -frameLength {
            droppedFrameCount &+= 1
            // Sound that silence has replaced: it comes later than it was waited for.
            if hasRunOutOfPatience {
                patienceSeconds = min(patienceSeconds * 2, Self.longestPatienceSeconds)
                hasRunOutOfPatience = false
            }
            return
        }
        let missing = (2 * distance + frameLength) / (2 * frameLength)
        let silentBefore = silentFrameCount
        for _ in 0..<max(0, missing) { appendSilence(into: &outputs) }
        // Sound that has not begun is not sound that is missing.
        if isFirst { silentFrameCount = silentBefore }
        timingError = MediaTime(ticks: (gridTime ?? time) - time, timescale: timescale)
        placedFrameCount &+= 1
        append(frame.payload, into: &outputs)
        lastPayload = frame.payload
        hasRunOutOfPatience = false
    }

    /// Where the grid starts so that a frame at `time` lies on it: at the start of the timeline.
    ///
    /// - Returns: `nil` for sound from before the timeline.
    private func startOfGrid(for time: Int64) -> Int64? {
        guard let start = boundaries.first?.start.converted(to: timescale).ticks else { return nil }
        let frames = (2 * (time - start) + frameLength) / (2 * frameLength)
        guard 2 * (time - start) >= -frameLength, time >= 0 else { return nil }
        return time - min(max(0, frames), time / frameLength) * frameLength
    }

    private mutating func fillWithSilence(
        upTo end: Int64,
        isImpatient: Bool,
        into outputs: inout [PackagerOutput]
    ) {
        guard let start = gridTime ?? boundaries.first?.start.converted(to: timescale).ticks
        else { return }
        guard start < end else { return }
        gridTime = start
        if isImpatient { hasRunOutOfPatience = true }
        while let time = gridTime, time < end { appendSilence(into: &outputs) }
    }

    private mutating func appendSilence(into outputs: inout [PackagerOutput]) {
        silentFrameCount &+= 1
        append(SilentFrame.make(format, like: lastPayload), into: &outputs)
    }

    private mutating func append(_ payload: ByteBuffer, into outputs: inout [PackagerOutput]) {
        guard let time = gridTime ?? boundaries.first?.start.converted(to: timescale).ticks
        else { return }
        while let boundary = boundaries.first, !isInSegment || isPast(boundary, at: time) {
            // Every segment of the leader has one here, were it shorter than a frame of sound.
            if isInSegment, segmentIsEmpty { break }
            closePart(into: &outputs)
            writer.closeSegment(into: &outputs)
            boundaries.removeFirst()
            writer.begin(
                boundary.segmentStart(at: MediaTime(ticks: time, timescale: timescale))
            )
            isInSegment = true
            segmentIsEmpty = true
        }
        if samples.count >= framesPerPart { closePart(into: &outputs) }
        tap.tell(payload, at: MediaTime(ticks: time, timescale: timescale), of: format)
        samples.append(
            Sample(
                decodeTime: time,
                compositionOffset: 0,
                duration: writer.cmaf.defaultDuration,
                flags: .sync,
                payload: payload
            )
        )
        segmentIsEmpty = false
        gridTime = time + frameLength
    }

    /// A frame belongs to the segment in which most of it sounds.
    private func isPast(_ boundary: SegmentBoundary, at time: Int64) -> Bool {
        2 * (time - boundary.start.converted(to: timescale).ticks) >= -frameLength
    }

    private mutating func closePart(into outputs: inout [PackagerOutput]) {
        writer.writePart(samples[...], into: &outputs)
        samples.removeAll(keepingCapacity: true)
    }
}

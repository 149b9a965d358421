import DequeModule
package import Media

/// A group of pictures, from one keyframe up to the next.
package struct GOPLength: Sendable, Equatable {
    package let frames: Int
    package let duration: MediaTime

    package init(frames: Int, duration: MediaTime) {
        self.frames = frames
        self.duration = duration
    }
}

/// Measures what the encoder does: distances of keyframes, frame rate, order of pictures.
///
/// Bound: the last `memory` groups count, so that a corrected encoder is soon seen to be one.
struct GOPMeter: Sendable {
    private static let memory = 16

    private var groups: Deque<GOPLength> = []
    private var frames = 0
    private var start: Int64 = 0
    private var latest: Int64 = 0
    private var keyframePresentation: Int64?
    private var isOpenEntry = false
    private var latestPresentation: Int64 = .min

    private(set) var hasReorderedPictures = false
    private(set) var hasOpenGroups = false

    mutating func observe(_ picture: Picture) {
        if picture.isKeyframe {
            if frames > 0 {
                append(frames, from: start, to: picture.decodeTime)
            }
            frames = 0
            start = picture.decodeTime
            keyframePresentation = picture.presentationTime
            isOpenEntry = picture.randomAccess == .open
        }
        frames += 1
        latest = picture.decodeTime
        if picture.presentationTime < latestPresentation { hasReorderedPictures = true }
        if isOpenEntry, let keyframePresentation, picture.presentationTime < keyframePresentation {
            hasOpenGroups = true
        }
        latestPresentation = max(latestPresentation, picture.presentationTime)
    }

    /// The timeline is over: the group that is under way is not counted.
    mutating func interrupt() {
        frames = 0
        latestPresentation = .min
        keyframePresentation = nil
    }

    /// Another encoder, or another format: nothing seen before holds.
    mutating func reset() {
        self = GOPMeter()
    }

    var last: GOPLength? { groups.last }

    /// Of the last `memory` groups, and of the one under way once it is longer than all of them.
    var longest: GOPLength? {
        let all = frames > 1 ? groups + [underWay] : groups
        return all.max { $0.duration < $1.duration }
    }

    var shortest: GOPLength? { groups.min { $0.duration < $1.duration } }

    /// Keyframes come at distances that differ by more than a frame or so.
    var isIrregular: Bool {
        guard groups.count > 1, let shortest, let longest else { return false }
        return longest.frames - shortest.frames > max(1, shortest.frames / 50)
    }

    /// Frames a second over the groups remembered, or over the first one while it lasts.
    var frameRate: Double? {
        let measured = groups.isEmpty && frames > 2 ? [underWay] : Array(groups)
        let frames = measured.reduce(0) { $0 + $1.frames }
        let seconds = measured.reduce(0) { $0 + $1.duration.seconds }
        return seconds > 0 ? Double(frames) / seconds : nil
    }

    private var underWay: GOPLength {
        GOPLength(frames: frames - 1, duration: MediaTime(mpegTicks: latest - start))
    }

    private mutating func append(_ frames: Int, from start: Int64, to end: Int64) {
        groups.append(
            GOPLength(frames: frames, duration: MediaTime(mpegTicks: end - start))
        )
        if groups.count > Self.memory { groups.removeFirst() }
    }
}

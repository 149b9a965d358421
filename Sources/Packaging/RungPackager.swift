import Media

/// Cuts the picture of one rung of the ladder where the leading picture is cut.
///
/// Its pictures are those of the leading one encoded again, each at the time of its original, and they
/// bring the segments that begin with them along; so segments lie on the same ticks in every rung.
/// Pictures that come before the first of a segment, or behind a hole, are left out.
struct RungPackager: Sendable {
    let id: Rendition.ID
    /// Whether it is offered, once it has pictures.
    var isWanted = true
    private let limits: SegmentLimits
    private var video: VideoPackager?
    private var isRunning = false
    private var isPaused = false

    init(id: Rendition.ID, limits: SegmentLimits) {
        self.id = id
        self.limits = limits
    }

    /// `nil` before the first picture, and while it is not wanted or has none.
    var writer: RenditionWriter? { isWanted && !isPaused ? video?.writer : nil }

    /// `leader` is that of the leading picture, whose PART-TARGET is known.
    mutating func consume(
        _ event: PictureEvent,
        beside leader: RenditionWriter,
        into outputs: inout [PackagerOutput]
    ) {
        switch event {
        case .begin(let format):
            isPaused = false
            end(into: &outputs)
            carry(Track(id: leader.track.id, format: .video(format)))
            if let target = leader.partTarget { video?.fixPartTarget(leader: target) }
        case .picture(let picture):
            package(picture, into: &outputs)
        case .end:
            end(into: &outputs)
        case .pause:
            end(into: &outputs)
            isPaused = true
        }
    }

    private mutating func carry(_ track: Track) {
        if video == nil {
            video = VideoPackager(id: id, track: track, limits: limits)
        } else {
            video?.carry(track)
        }
    }

    private mutating func package(_ incoming: Picture, into outputs: inout [PackagerOutput]) {
        guard let picture = video?.ordered(incoming) else { return }
        guard isRunning else {
            guard let boundary = picture.boundary, picture.isKeyframe else { return }
            isRunning = true
            video?.begin(boundary, with: picture)
            video?.append(picture)
            return
        }
        video?.settle(before: picture)
        if let boundary = picture.boundary {
            video?.endSegment(before: picture, into: &outputs)
            video?.begin(boundary, with: picture)
        } else {
            video?.closeFullParts(into: &outputs)
        }
        video?.append(picture)
    }

    private mutating func end(into outputs: inout [PackagerOutput]) {
        guard isRunning else { return }
        isRunning = false
        video?.endTimeline(into: &outputs)
    }
}

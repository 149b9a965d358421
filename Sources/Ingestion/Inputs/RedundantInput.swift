import Media

/// One input of a stream: whether it is fit to be on air, and what it would begin with.
struct RedundantInput: Sendable {
    /// Sound that goes on is no sign of life of a picture that has stopped; a picture may pause for
    /// longer, though, as that of a slide does.
    private static let pictureSilenceFactor = 4
    /// The newest group of pictures: half of what the packager's queue takes.
    private static let limit = GOPBuffer.Limit(bytes: 32 << 20, duration: .zero(timescale: 1))
    /// Nobody wants to see more of the past again: behind a keyframe that is older the next is waited
    /// for.
    private static let longestReplay = Duration.seconds(10)

    let name: StreamName
    /// Of its newest access unit.
    private(set) var latestArrival: WallTime?
    private(set) var loss = LossWindow()
    private var latestPicture: WallTime?
    private var latestKeyframe: WallTime?
    /// Since when it has not paused; `nil` before the first access unit and behind a break.
    private var steadySince: WallTime?
    /// Empty while it is on air.
    private var standby = GOPBuffer(limit: limit)

    init(name: StreamName) {
        self.name = name
    }

    var tracks: TrackList? { standby.tracks }

    /// A keyframe is held, so that it can go on air now.
    var canBegin: Bool {
        guard !standby.isEmpty, let latestArrival, let latestKeyframe else { return false }
        return latestArrival.duration(since: latestKeyframe) <= Self.longestReplay
    }

    /// Takes what it sends.
    ///
    /// - Parameters:
    ///   - events: In order.
    ///   - silence: What makes a pause.
    ///   - isKeeping: It is off air, and holds what it would begin with.
    /// - Returns: Whether a keyframe has come.
    mutating func take(
        _ events: [MediaEvent],
        silence: Duration,
        keeping isKeeping: Bool
    ) -> Bool {
        var isFresh = false
        for event in events {
            switch event {
            case .tracks(let list):
                if list.video?.id != tracks?.video?.id { latestPicture = nil }
                standby.append(event)
            case .accessUnit(let unit):
                let isOfPicture = tracks?.video.map { $0.id == unit.track } ?? true
                noteArrival(of: unit, isOfPicture: isOfPicture, silence: silence)
                guard isKeeping else { continue }
                standby.append(event)
                guard unit.isKeyframe && isOfPicture else { continue }
                latestKeyframe = unit.arrival
                isFresh = true
            case .discontinuity, .end:
                standby.append(event)
                steadySince = nil
                isFresh = false
            }
        }
        return isFresh
    }

    /// What it begins with, which is held no longer.
    mutating func begin() -> [MediaEvent] {
        let events = standby.replay()
        standby = GOPBuffer(limit: Self.limit)
        if let tracks = events.first { standby.append(tracks) }
        return events
    }

    /// - Parameters:
    ///   - total: `nil` while it has no publisher.
    ///   - now: When that was.
    mutating func noteLoss(_ total: UInt64?, at now: WallTime) {
        guard let total else {
            loss = LossWindow()
            return
        }
        loss.note(total: total)
        if loss.isSustained, steadySince != nil { steadySince = now }
    }

    func isSilent(at now: WallTime, for silence: Duration) -> Bool {
        guard let latestArrival, tracks != nil else { return true }
        if now.duration(since: latestArrival) >= silence { return true }
        guard tracks?.video != nil, let latestPicture else { return false }
        return now.duration(since: latestPicture) >= silence * Self.pictureSilenceFactor
    }

    func isSteady(at now: WallTime, for duration: Duration) -> Bool {
        steadySince.map { now.duration(since: $0) >= duration } ?? false
    }

    private mutating func noteArrival(
        of unit: AccessUnit,
        isOfPicture: Bool,
        silence: Duration
    ) {
        if steadySince == nil || isSilent(at: unit.arrival, for: silence) {
            steadySince = unit.arrival
        }
        latestArrival = unit.arrival
        if isOfPicture || latestPicture == nil { latestPicture = unit.arrival }
    }
}

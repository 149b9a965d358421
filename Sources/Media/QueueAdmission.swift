/// Decides which access units a queue that fills up still takes: what is lost is lost by dependency.
///
/// Ladder: the fuller the queue, the more its consumer does without.
///
///     full to    left out
///     5/8        pictures that no other refers to
///     11/16 on   temporal layers, the highest first
///     7/8        every picture, up to the next keyframe that fits
///     1          sound
///
/// Order:  once a picture is left out that others may refer to, so are all of its layer and above,
///         up to the next keyframe. Where that is an open entry, its leading pictures go too: they
///         refer to what came before it. So whatever is taken can be decoded as it was sent.
/// Limits: H.264 has no layers here, and nothing tells which pictures refer to a B-frame that is kept
///         for reference: it counts as any other picture.
struct QueueAdmission: Sendable {
    private static let disposableShare = 5.0 / 8
    private static let pictureShare = 7.0 / 8
    /// Less room for each layer; HEVC has six above the lowest.
    private static let layerShare = 1.0 / 32

    private(set) var losses = QueueLosses()

    private var videoTrack: Track.ID?
    /// Pictures of this layer and above may refer to one that was left out.
    private var brokenLayer: Int?
    /// Decoding went on at an open entry that is shown then.
    private var openEntry: MediaTime?

    /// What comes in order with the units, and is never left out.
    mutating func note(_ event: MediaEvent) {
        if case .tracks(let tracks) = event { videoTrack = tracks.video?.id }
        openEntry = nil
    }

    /// Whether the queue takes this unit, which is the next in order.
    ///
    /// `fill` is how full the queue would be with it; 1 is full.
    mutating func admits(_ unit: AccessUnit, fill: Double) -> Bool {
        guard unit.track == videoTrack else {
            if fill > 1 { losses.sound &+= 1 }
            return fill <= 1
        }
        if unit.isDisposable, fill > Self.disposableShare {
            losses.disposable &+= 1
            return false
        }
        return unit.isKeyframe
            ? admitsKeyframe(unit, fill: fill)
            : admitsPicture(unit, fill: fill)
    }

    private mutating func admitsKeyframe(_ unit: AccessUnit, fill: Double) -> Bool {
        guard fill <= Self.pictureShare else {
            brokenLayer = 0
            losses.dependent &+= 1
            return false
        }
        openEntry = brokenLayer != nil && unit.randomAccess == .open ? unit.pts : nil
        brokenLayer = nil
        return true
    }

    private mutating func admitsPicture(_ unit: AccessUnit, fill: Double) -> Bool {
        let layer = max(unit.temporalLayer, 0)
        if let entry = openEntry {
            guard unit.pts >= entry else {
                losses.dependent &+= 1
                return false
            }
            // Leading pictures come before all that follow.
            openEntry = nil
        }
        let share = Self.pictureShare - Double(layer) * Self.layerShare
        if brokenLayer.map({ layer < $0 }) ?? true, fill <= share { return true }
        if !unit.isDisposable { brokenLayer = min(layer, brokenLayer ?? layer) }
        if brokenLayer == 0 { losses.dependent &+= 1 } else { losses.upperLayer &+= 1 }
        return false
    }
}

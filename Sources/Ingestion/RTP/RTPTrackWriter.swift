import Media
import NIOCore

/// The units of one RTP stream, with their times, to the announcer.
///
/// Decoding times grow: a picture's that does not is moved one tick behind the last, a sound's is
/// dropped.
struct RTPTrackWriter {
    /// For pictures whose format tells no rate, before two have come.
    private static let fallbackFrameTicks: Int64 = 3_000

    let track: TrackDescription
    let member: RTPTimeline.Member
    private var decodingTimes = DecodingTimes()
    private var cursor = Timeline.Cursor()
    private var epoch = 0
    private var video: VideoFormat?
    /// A format that is not announced yet because its first frame was dropped.
    private var newFormat: MediaFormat?
    /// Pictures cannot be decoded until a keyframe comes.
    private(set) var needsKeyframe: Bool

    init(track: TrackDescription, member: RTPTimeline.Member) {
        self.track = track
        self.member = member
        needsKeyframe = track.isVideo
    }

    mutating func lose() {
        needsKeyframe = track.isVideo
    }

    mutating func write(
        _ unit: RTPUnit,
        arrival: WallTime,
        program: inout RTPProgram,
        _ emit: (MediaEvent) -> Void
    ) {
        newFormat = unit.newFormat ?? newFormat
        if case .video(let format) = unit.newFormat { video = format }
        let position = program.place(unit.timestamp, of: member, arrival: arrival, emit)
        if position.epoch != epoch { cursor = Timeline.Cursor() }
        if position.epoch != epoch || position.isBroken { decodingTimes.beginAnew() }
        epoch = position.epoch
        guard let dts = decodingTime(of: position) else {
            program.misplacedUnits &+= 1
            return
        }
        if unit.randomAccess != .none { needsKeyframe = false }
        program.announcer.hear(track.id, dts: dts)
        let accessUnit = AccessUnit(
            track: track.id,
            pts: MediaTime(mpegTicks: max(position.ticks, dts)),
            dts: MediaTime(mpegTicks: dts),
            payload: unit.payload,
            randomAccess: unit.randomAccess,
            isDisposable: unit.isDisposable,
            temporalLayer: unit.temporalLayer,
            arrival: arrival,
            sourceTime: program.clock.time(at: dts, arrival: arrival)
        )
        program.announcer.receive(accessUnit, newFormat: newFormat, emit)
        newFormat = nil
    }

    private mutating func decodingTime(of position: RTPTimeline.Position) -> Int64? {
        guard track.isVideo else {
            return cursor.advance(to: position.ticks) ? position.ticks : nil
        }
        let time = decodingTimes.next(
            pts: position.ticks,
            reorderDepth: video?.reorderDepth,
            frameTicks: frameTicks
        )
        return cursor.advanceNudging(to: time)
    }

    private var frameTicks: Int64 {
        guard let rate = video?.frameRate, rate.numerator > 0 else {
            return Self.fallbackFrameTicks
        }
        let frame = MediaTime(
            ticks: Int64(rate.denominator),
            timescale: UInt32(clamping: rate.numerator)
        )
        return frame.converted(to: MediaTime.mpegTimescale).ticks
    }
}

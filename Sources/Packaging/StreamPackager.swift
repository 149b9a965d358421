package import Media
import NIOCore

/// Turns one stream's events into CMAF parts and segments for LL-HLS.
///
/// In:    events as `MediaEvent` orders them; access units of a track in decoding order.
/// Out:   per rendition `openSegment`, parts, `closeSegment`, after the `renditions` they belong to.
///        The picture is the rendition `video`, each track of sound `audio1`, `audio2` and so on.
/// Lead:  the picture says where segments begin: at the first keyframe at or after the segment target.
///        Sound is cut at the same times under the same numbers. With no picture, the first track of
///        sound leads.
/// Start: a timeline begins with the first keyframe of the picture. The first of a stream also waits
///        for about one part of pictures, which tell PART-TARGET; the first part needs them anyway.
/// Gap:   `.discontinuity`, `.end` and a hole in the picture end the timeline: all that is open is
///        published, and the next timeline begins with EXT-X-DISCONTINUITY at a keyframe.
/// Bound: one open part a rendition, and sound that waits for the picture (see `AudioPackager`).
///
/// A value with no clock, no lock and no I/O. Source: RFC 8216bis; ISO/IEC 23000-19.
package struct StreamPackager: Sendable {
    /// A contribution with more tracks of sound than any event has languages is damaged or hostile.
    private static let audioLimit = 16

    private let configuration: PackagingConfiguration
    private let limits: SegmentLimits
    private var grid: SegmentGrid
    private var origin = TimelineOrigin()
    private var video: VideoPackager?
    /// In order of first appearance; a rendition stays when its track is gone, for it may come back.
    private var audio: [AudioPackager] = []
    private var tracks = TrackList([])
    private var offered: [Rendition] = []
    /// `offered` holds for the present tracks.
    private var isAnnounced = false
    /// Decode time of the leading rendition's latest access unit in this timeline.
    private var horizon: Int64?

    private var meter = GOPMeter()
    private var counts = PackagerStatistics()
    private var trackAdvice: [Advice] = []
    private var firstPictureWithoutKeyframe: WallTime?

    /// - Parameter firstMediaSequence: The number of the stream's first segment.
    package init(configuration: PackagingConfiguration, firstMediaSequence: UInt64 = 0) {
        self.configuration = configuration
        limits = SegmentLimits(configuration)
        grid = SegmentGrid(firstMediaSequence: firstMediaSequence)
    }

    package mutating func consume(_ event: MediaEvent) -> [PackagerOutput] {
        var outputs: [PackagerOutput] = []
        switch event {
        case .tracks(let tracks): adopt(tracks, into: &outputs)
        case .accessUnit(let unit): package(unit, into: &outputs)
        case .discontinuity(let reason):
            leaveTimeline(into: &outputs)
            if reason == .publisherChange { meter.reset() }
        case .end: leaveTimeline(into: &outputs)
        }
        return outputs
    }

    /// The stream is over: publishes what is open.
    package mutating func finish() -> [PackagerOutput] {
        var outputs: [PackagerOutput] = []
        leaveTimeline(into: &outputs)
        return outputs
    }

    // MARK: Tracks

    /// Renditions for the tracks from here on. The same tracks again change nothing.
    private mutating func adopt(_ list: TrackList, into outputs: inout [PackagerOutput]) {
        let picture = list.tracks.first { $0.video != nil && CMAFTrack($0) != nil }
        let sound = list.audio.filter { CMAFTrack($0) != nil }
        let carried = TrackList([picture].compactMap(\.self) + sound.prefix(Self.audioLimit))
        trackAdvice = list.tracks.filter { track in
            if case .data = track.format { return false }
            return CMAFTrack(track) == nil || (track.video != nil && track.id != picture?.id)
        }.map(Advice.notPackaged)
        if sound.count > Self.audioLimit {
            trackAdvice.append(.tooManyAudioTracks(sound.count, limit: Self.audioLimit))
        }
        guard carried != tracks else { return }

        leaveTimeline(into: &outputs)
        if carried.video != tracks.video { meter.reset() }
        tracks = carried
        isAnnounced = false
        carry(picture: carried.video, sound: carried.audio)
    }

    private mutating func carry(picture: Track?, sound: [Track]) {
        if video == nil, let picture {
            video = VideoPackager(track: picture, limits: limits)
        } else {
            video?.carry(picture)
        }
        let matches = RenditionAssignment.match(sound, to: audio.map(\.writer.track))
        for index in audio.indices {
            audio[index].carry(matches.firstIndex(of: index).map { sound[$0] })
        }
        for (track, match) in zip(sound, matches) where match == nil {
            let id = Rendition.ID("audio\(audio.count + 1)")
            if let rendition = AudioPackager(id: id, track: track) { audio.append(rendition) }
        }
    }

    private var hasPicture: Bool { video?.writer.isOffered ?? false }

    /// Fixes the PART-TARGETs that are still open, and says what is offered if that is news.
    private mutating func announce(into outputs: inout [PackagerOutput]) {
        isAnnounced = true
        let leader = hasPicture ? video?.writer.partTarget : nil
        for index in audio.indices where audio[index].writer.isOffered {
            if let leader {
                audio[index].fixPartTarget(leader: leader)
            } else {
                audio[index].fixPartTarget(aim: MediaTime(mpegTicks: limits.part))
            }
        }
        let renditions =
            [video?.writer.rendition].compactMap(\.self) + audio.compactMap(\.writer.rendition)
        if renditions != offered {
            offered = renditions
            outputs.append(.renditions(renditions))
        }
    }

    // MARK: Access units

    private mutating func package(_ unit: AccessUnit, into outputs: inout [PackagerOutput]) {
        guard tracks[id: unit.track] != nil, let time = origin.place(unit) else {
            counts.droppedUnits &+= 1
            return
        }
        if hasPicture, unit.track == video?.writer.track.id {
            let picture = Picture(
                decodeTime: time.decode,
                presentationTime: time.presentation,
                randomAccess: unit.randomAccess,
                isDisposable: unit.isDisposable,
                payload: unit.payload
            )
            lead(with: picture, arrival: unit.arrival, into: &outputs)
        } else if let index = audio.firstIndex(where: {
            $0.writer.isOffered && $0.writer.track.id == unit.track
        }) {
            let isLeader = !hasPicture && index == audio.firstIndex { $0.writer.isOffered }
            if isLeader { lead(withSound: index, at: time.presentation, unit, into: &outputs) }
            observeLag(of: time.presentation)
            audio[index].enqueue(unit.payload, at: MediaTime(mpegTicks: time.presentation))
            advanceSound(only: index, into: &outputs)
        }
    }

    private mutating func lead(
        with incoming: Picture,
        arrival: WallTime,
        into outputs: inout [PackagerOutput]
    ) {
        guard var video else { return }
        if grid.isRunning, video.isGap(before: incoming) {
            counts.frameGaps &+= 1
            endTimeline(into: &outputs)
            // What the rest of this function works on is a copy taken before.
            video = self.video ?? video
        }
        if !grid.isRunning, !incoming.isKeyframe {
            counts.droppedUnits &+= 1
            firstPictureWithoutKeyframe = firstPictureWithoutKeyframe ?? arrival
            return
        }
        _ = video
        outputs.append(contentsOf: [])
    }
}

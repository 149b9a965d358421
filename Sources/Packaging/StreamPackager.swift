package import Media
import NIOCore

/// Turns one stream's events into CMAF parts and segments for LL-HLS.
///
/// In:    events as `MediaEvent` orders them; access units of a track in decoding order.
/// Out:   per rendition `openSegment`, parts, `closeSegment`, after the `renditions` they belong to.
///        The picture is the rendition `video`, each track of sound `audio1`, `audio2` and so on.
/// Ladder: where the picture is also offered in other sizes, `takePictures` gives what is to be encoded
///        again, with its place and its segments, and `consume(_:of:)` takes what came of it. So do
///        `takeSound` and its counterpart for sound in other formats.
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

    let configuration: PackagingConfiguration
    let limits: SegmentLimits
    private var grid: SegmentGrid
    private var origin = TimelineOrigin()
    private(set) var soundFollower = SoundFollower()
    /// How many frames the leading sound had placed when it was looked at last.
    private var followedFrames: UInt64 = 0
    private(set) var video: VideoPackager?
    /// In order of first appearance; a rendition stays when its track is gone, for it may come back.
    var audio: [AudioPackager] = []
    /// The picture in other sizes; a rendition stays when its rung is gone.
    private(set) var rungs: [RungPackager] = []
    /// Only the rungs are offered: in this timeline, and in those to come.
    private var hidesSource = (now: false, next: false)
    var encodedSounds = EncodedSounds()
    /// What is to be encoded again: of timelines that have been announced, and of one that may still be
    /// abandoned.
    private var pictures: (told: [PictureEvent], held: [PictureEvent]) = ([], [])
    private var tracks = TrackList([])
    private var offered: [Rendition] = []
    /// `offered` holds for the present tracks.
    private(set) var isAnnounced = false
    /// The source's decode time of the leading rendition's latest access unit in this timeline.
    private var horizon: Int64?
    private var reorderDelay = ReorderDelay()
    /// Where the open segment begins, while sound leads.
    private var segmentStart: Int64 = 0
    /// Decode times of the first and the latest picture that came while a keyframe is waited for.
    private(set) var keyframeWait: ClosedRange<Int64>?

    private(set) var meter = GOPMeter()
    private(set) var counts = PackagerStatistics()
    private(set) var trackAdvice: [Advice] = []
    private(set) var segmentCount: UInt64 = 0

    /// A packager for a stream that has not begun.
    ///
    /// - Parameters:
    ///   - configuration: Holds for the life of the stream.
    ///   - firstMediaSequence: The number of the stream's first segment.
    package init(
        configuration: PackagingConfiguration,
        firstMediaSequence: UInt64 = 0
    ) {
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
            if reason == .publisherChange {
                meter.reset()
                counts.audioLag = nil
            }
        case .end: leaveTimeline(into: &outputs)
        }
        return outputs.filter(isOffered)
    }

    /// The stream is over: publishes what is open.
    package mutating func finish() -> [PackagerOutput] {
        var outputs: [PackagerOutput] = []
        leaveTimeline(into: &outputs)
        return outputs.filter(isOffered)
    }

    /// Whether viewers are to get it.
    private func isOffered(_ output: PackagerOutput) -> Bool {
        !hidesSource.now || output.rendition == nil || output.rendition != video?.writer.id
    }

    // MARK: Tracks

    /// Renditions for the tracks from here on; the same tracks again change nothing.
    private mutating func adopt(_ list: TrackList, into outputs: inout [PackagerOutput]) {
        let picture = list.tracks.first { $0.video != nil && CMAFTrack($0) != nil }
        let sound = list.audio.filter { CMAFTrack($0) != nil }
        let carried = TrackList([picture].compactMap(\.self) + sound.prefix(Self.audioLimit))
        trackAdvice = list.tracks.filter { track in
            // What is no picture and no sound is not missed.
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
        encodedSounds.adopt(&audio)
        if !encodedSounds.formats.isEmpty { expect(into: &outputs) }
    }

    private mutating func carry(picture: Track?, sound: [Track]) {
        if video == nil, let picture {
            video = VideoPackager(id: Rendition.ID("video"), track: picture, limits: limits)
        } else {
            video?.carry(picture)
        }
        let matches = RenditionAssignment.match(sound, to: audio.map(\.writer.track))
        for index in audio.indices {
            audio[index].carry(matches.firstIndex(of: index).map { sound[$0] })
        }
        for (track, match) in zip(sound, matches) where match == nil {
            let id = Rendition.ID("audio\(audio.count + 1)")
            if let rendition = AudioPackager(id: id, track: track) {
                audio.append(rendition)
            }
        }
    }

    var hasPicture: Bool { video?.writer.isOffered ?? false }

    /// Fixes the PART-TARGETs that are still open, and says what is offered if that is news.
    private mutating func announce(into outputs: inout [PackagerOutput]) {
        isAnnounced = true
        let leader = hasPicture ? video?.writer.partTarget : nil
        for index in audio.indices where audio[index].writer.isOffered {
            audio[index].fixPartTarget(leader: leader, aim: MediaTime(mpegTicks: limits.part))
        }
        pictures.told += pictures.held.map(timed)
        pictures.held.removeAll()
        offer(into: &outputs)
    }

    mutating func offer(into outputs: inout [PackagerOutput]) {
        let source = hidesSource.now ? nil : video?.writer
        let writers = [source] + rungs.map(\.writer) + audio.map(\.writer)
        let renditions =
            writers.compactMap { $0?.rendition } + encodedSounds.renditions(beside: audio)
        if renditions != offered {
            offered = renditions
            outputs.append(.renditions(renditions))
        }
    }

    /// At the start of a timeline; what is on air stays as it is.
    private mutating func showOrHideSource(into outputs: inout [PackagerOutput]) {
        guard hidesSource.now != hidesSource.next else { return }
        hidesSource.now = hidesSource.next
        if isAnnounced { offer(into: &outputs) }
    }

    // MARK: Access units

    private mutating func package(_ unit: AccessUnit, into outputs: inout [PackagerOutput]) {
        guard tracks.contains(unit.track),
            var time = origin.place(unit, after: reorderDelay.ofStream)
        else {
            counts.droppedUnits &+= 1
            return
        }
        let isPicture = hasPicture && unit.track == video?.writer.track.id
        if isPicture, unit.isKeyframe { soundFollower.step(at: time.decode) }
        let correction = max(soundFollower.correction, reorderDelay.ofStream - time.decode)
        time.decode += correction
        time.presentation += correction
        if isPicture {
            let picture = Picture(
                decodeTime: time.decode,
                presentationTime: time.presentation,
                randomAccess: unit.randomAccess,
                isDisposable: unit.isDisposable,
                payload: unit.payload
            )
            lead(with: picture, sent: SendingTime(unit), into: &outputs)
        } else if let index = audio.firstIndex(where: {
            $0.writer.isOffered && $0.writer.track.id == unit.track
        }) {
            packageSound(index, unit, at: time.presentation, into: &outputs)
        }
    }

    private mutating func lead(
        with incoming: Picture,
        sent: SendingTime,
        into outputs: inout [PackagerOutput]
    ) {
        if grid.isRunning, video?.isGap(before: reorderDelay.place(incoming)) ?? false {
            counts.frameGaps &+= 1
            endTimeline(into: &outputs)
        }
        guard grid.isRunning || incoming.isKeyframe else {
            counts.droppedUnits &+= 1
            let start = min(keyframeWait?.lowerBound ?? incoming.decodeTime, incoming.decodeTime)
            keyframeWait = start...incoming.decodeTime
            return
        }
        if !grid.isRunning {
            reorderDelay.begin(with: incoming)
            showOrHideSource(into: &outputs)
        }
        let placed = reorderDelay.place(incoming)
        var picture = video?.ordered(placed) ?? placed
        if picture.decodeTime != placed.decodeTime { counts.unorderedPictures &+= 1 }
        meter.observe(picture)
        if grid.isRunning {
            picture.boundary = proceed(to: picture, sent: sent, into: &outputs)
        } else {
            keyframeWait = nil
            let boundary = grid.begin(at: picture.start, sent: sent.decoding(picture))
            begin(boundary, with: picture)
            picture.boundary = boundary
            if let format = video?.writer.track.video { tell(.begin(format)) }
            // The first timeline of a stream waits until its PART-TARGET is known.
            if !isAnnounced, video?.writer.partTarget != nil { announce(into: &outputs) }
        }
        video?.append(picture)
        tell(.picture(picture))
        horizon = picture.decodeTime
        advanceSound(into: &outputs)
    }

    /// Closes what ends before this picture: a segment, or parts.
    ///
    /// - Returns: The segment that begins with the picture.
    private mutating func proceed(
        to picture: Picture,
        sent: SendingTime,
        into outputs: inout [PackagerOutput]
    ) -> SegmentBoundary? {
        video?.settle(before: picture)
        let cut = video?.cut(before: picture)
        if !isAnnounced, cut != nil || video?.canFixPartTarget ?? false {
            video?.fixPartTarget(before: picture)
            announce(into: &outputs)
        }
        guard let cut else {
            video?.closeFullParts(into: &outputs)
            return nil
        }
        if cut == .forced { counts.forcedCuts &+= 1 }
        video?.endSegment(before: picture, into: &outputs)
        let boundary = grid.cut(at: picture.start, sent: sent.decoding(picture))
        begin(boundary, with: picture)
        return boundary
    }

    private mutating func begin(_ boundary: SegmentBoundary, with picture: Picture) {
        video?.begin(boundary, with: picture)
        followSound(boundary)
    }

    /// Sound leads where there is no picture: every frame of it can begin a segment.
    private mutating func lead(
        withSoundAt time: Int64,
        frameLength: MediaTime,
        sent: SendingTime,
        into outputs: inout [PackagerOutput]
    ) {
        let frame = frameLength.converted(to: MediaTime.mpegTimescale).ticks
        if grid.isRunning, let horizon, abs(time - horizon) > max(limits.shortestGap, 2 * frame) {
            counts.frameGaps &+= 1
            endTimeline(into: &outputs)
        }
        let start = MediaTime(mpegTicks: time)
        if !grid.isRunning {
            if !isAnnounced { announce(into: &outputs) }
            segmentStart = time
            followSound(grid.begin(at: start, sent: sent))
        } else if time - segmentStart + frame / 2 >= limits.segment {
            segmentStart = time
            followSound(grid.cut(at: start, sent: sent))
        }
        horizon = max(horizon ?? time, time)
    }

    // MARK: Sound

    private mutating func packageSound(
        _ index: Int,
        _ unit: AccessUnit,
        at time: Int64,
        into outputs: inout [PackagerOutput]
    ) {
        if !hasPicture, index == audio.firstIndex(where: \.writer.isOffered) {
            lead(
                withSoundAt: time,
                frameLength: audio[index].frameDuration,
                sent: SendingTime(unit),
                into: &outputs
            )
        }
        if let horizon { observeLag(horizon - time) }
        audio[index].enqueue(unit.payload, at: MediaTime(mpegTicks: time))
        advanceSound(into: &outputs)
    }

    private mutating func followSound(_ boundary: SegmentBoundary) {
        segmentCount &+= 1
        if boundary.isDiscontinuity { counts.discontinuities &+= 1 }
        for index in audio.indices where audio[index].writer.isOffered {
            audio[index].follow(boundary)
        }
    }

    private mutating func advanceSound(into outputs: inout [PackagerOutput]) {
        guard isAnnounced, let horizon else { return }
        let time = MediaTime(mpegTicks: horizon)
        for index in audio.indices where audio[index].writer.isOffered {
            audio[index].advance(to: time, into: &outputs)
        }
        followSoundClock()
    }

    /// The first sound leads: others, if their clocks are yet others, are kept to it frame by frame.
    private mutating func followSoundClock() {
        guard let leader = audio.first(where: \.writer.isOffered),
            leader.placedFrameCount != followedFrames
        else { return }
        followedFrames = leader.placedFrameCount
        if let error = leader.timingError { soundFollower.observe(error) }
    }

    /// The most of late: a measurement of what comes in bursts.
    private mutating func observeLag(_ ticks: Int64) {
        let lately = counts.audioLag?.ticks ?? ticks
        counts.audioLag = MediaTime(mpegTicks: max(ticks, lately - (lately - ticks) / 64))
    }

    // MARK: Ladder

    /// Offers the picture as these renditions too, from here on, and no others.
    ///
    /// To be called before the tracks that they are made of come, or before a keyframe: the timeline that is
    /// under way begins anew for them. Without `source`, the picture is not offered as it is sent, but for
    /// where there are no others.
    package mutating func offer(
        rungs ids: [Rendition.ID],
        besideSource source: Bool = true
    ) -> [PackagerOutput] {
        hidesSource.next = !source && !ids.isEmpty
        for index in rungs.indices { rungs[index].isWanted = ids.contains(rungs[index].id) }
        for id in ids where !rungs.contains(where: { $0.id == id }) {
            rungs.append(RungPackager(id: id, limits: limits))
        }
        if ids.isEmpty {
            pictures = ([], [])
        } else if grid.isRunning, let format = video?.writer.track.video {
            tell(.begin(format))
        }
        var outputs: [PackagerOutput] = []
        expect(into: &outputs)
        offer(into: &outputs)
        return outputs
    }

    private func expect(into outputs: inout [PackagerOutput]) {
        let rungs = rungs.filter(\.isWanted).map(\.id)
        let all = rungs + encodedSounds.expected(beside: audio)
        outputs.append(.expect(all, needed: hidesSource.next ? rungs : []))
    }

    /// What has come since the last call and is to be encoded again; nothing where no rung is wanted.
    package mutating func takePictures() -> [PictureEvent] {
        defer { pictures.told.removeAll() }
        return pictures.told
    }

    /// Takes what came of the pictures, of one rung.
    package mutating func consume(
        _ event: PictureEvent,
        of id: Rendition.ID
    ) -> [PackagerOutput] {
        guard let index = rungs.firstIndex(where: { $0.id == id }), rungs[index].isWanted,
            let leader = video?.writer
        else { return [] }
        var outputs: [PackagerOutput] = []
        rungs[index].consume(event, beside: leader, into: &outputs)
        if case .picture = event { return outputs }
        if isAnnounced { offer(into: &outputs) }
        return outputs
    }

    private mutating func tell(_ event: PictureEvent) {
        guard rungs.contains(where: \.isWanted) else { return }
        if isAnnounced {
            pictures.told.append(timed(event))
        } else {
            pictures.held.append(event)
        }
    }

    /// With the frame rate as it was measured, where the bitstream tells none.
    private func timed(_ event: PictureEvent) -> PictureEvent {
        guard case .begin(var format) = event else { return event }
        format.frameRate = format.frameRate ?? video?.frameRate
        return .begin(format)
    }

    // MARK: Ends

    /// Pictures come, and are not published before the next keyframe.
    package var isWaitingForKeyframe: Bool { keyframeWait != nil }

    /// The timeline is over for good: what waits for it is forgotten.
    private mutating func leaveTimeline(into outputs: inout [PackagerOutput]) {
        endTimeline(into: &outputs)
        for index in audio.indices { audio[index].clearQueue() }
        keyframeWait = nil
        origin.reset()
        soundFollower = SoundFollower()
    }

    /// Publishes what is open; a hole in the picture leads here too, and sound from after it stays.
    private mutating func endTimeline(into outputs: inout [PackagerOutput]) {
        guard grid.isRunning else { return }
        defer {
            horizon = nil
            meter.interrupt()
        }
        guard isAnnounced else {
            // Less than a part of a stream that has published nothing yet.
            counts.droppedUnits &+= UInt64(video?.abandonTimeline() ?? 0)
            pictures.held.removeAll()
            for index in audio.indices { audio[index].resetTimeline() }
            grid.abandon()
            segmentCount &-= 1
            return
        }
        let end: MediaTime
        if let decodeEnd = hasPicture ? video?.decodeEnd : nil {
            end = MediaTime(mpegTicks: decodeEnd)
            video?.endTimeline(into: &outputs)
            tell(.end)
        } else {
            end = MediaTime(mpegTicks: (horizon ?? segmentStart) + 1)
        }
        for index in audio.indices where audio[index].writer.isOffered {
            audio[index].endTimeline(at: end, into: &outputs)
        }
        grid.end()
    }
}

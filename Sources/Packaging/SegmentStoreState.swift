import Media

/// What one stream's store holds and how it answers, without locks, clocks or viewers.
///
/// In:    the packager's outputs; those of one `apply` become visible together.
/// Out:   `resolve` says for anything a viewer may want whether it is there, will come, or never.
/// Cost:  each rendition that a call changed is rendered once, in that call.
/// Bound: `limits`, beyond what the window of the configuration keeps.
package struct SegmentStoreState: Sendable {
    /// What a viewer may wait for.
    package enum Wanted: Sendable, Hashable {
        case multivariantPlaylist
        /// The newest playlist as soon as it has got as far as this; with `nil`, as soon as there is one.
        case playlist(Rendition.ID, mediaSequence: UInt64?, part: UInt64?)
        /// That of the picture's I-frames, as soon as there is one.
        case iFramePlaylist(Rendition.ID)
        case resource(Rendition.ID, ResourceName)
    }

    package enum Resolution: Sendable {
        case playlist(RenderedPlaylist)
        case resource(MediaResource)
        case failure(SegmentStoreError)
        /// Not there yet; ask again after the next `apply` or `finish`.
        case pending
    }

    struct IFramePlaylist: Sendable {
        let segments: ClosedRange<UInt64>
        let playlist: RenderedPlaylist
    }

    package let configuration: PackagingConfiguration
    package let epoch: String
    package let limits: SegmentStore.Limits
    package private(set) var isEnded = false
    /// When the next change is made, as far as the owner of the clock says.
    package var publishedAt: ContinuousClock.Instant?

    private(set) var timelines: [Rendition.ID: RenditionTimeline] = [:]
    /// Of every rendition ever offered, in the order of their first offer.
    private(set) var order: [Rendition.ID] = []
    private(set) var counts = SegmentStoreStatistics()
    private(set) var playlists: [Rendition.ID: RenderedPlaylist] = [:]
    /// Of the renditions of the picture, and which segments each is of.
    private(set) var iFramePlaylists: [Rendition.ID: IFramePlaylist] = [:]
    /// Announced, and to come.
    private var expected: (all: [Rendition.ID], needed: [Rendition.ID]) = ([], [])
    private var renderer: MediaPlaylistRenderer?
    private(set) var multivariant: (content: MultivariantPlaylist, playlist: RenderedPlaylist)?
    /// The last discontinuity of the stream: how many there were with it, and where it is.
    private var discontinuity: (count: UInt64, mediaSequence: UInt64)?

    package init(configuration: PackagingConfiguration, epoch: String, limits: SegmentStore.Limits)
    {
        self.configuration = configuration
        self.epoch = epoch
        self.limits = limits
    }

    // MARK: Publishing

    /// Publishes the outputs as one change; after `finish` it does nothing.
    package mutating func apply(_ outputs: [PackagerOutput]) {
        guard !isEnded else { return }
        var changed: Set<Rendition.ID> = []
        var mayChangeOffers = false
        let targetDurationSeconds = configuration.targetDurationSeconds
        for output in outputs {
            switch output {
            case .renditions(let renditions):
                changed.formUnion(offer(renditions))
                mayChangeOffers = true
            case .expect(let ids, let needed):
                expected = (ids, needed)
                mayChangeOffers = true
            case .openSegment(let id, let start):
                open(start, in: id)
            case .part(let id, let part):
                append(part, to: id)
                changed.insert(id)
            case .closeSegment(let id):
                timelines[id]?.close(targetDurationSeconds: targetDurationSeconds)
                changed.insert(id)
                mayChangeOffers = true
            }
        }
        let extent = extent
        for id in changed { timelines[id]?.trim(to: extent) }
        letGoOfWhatIsNotOffered()
        render(changed)
        let isSettled = timelines.values.allSatisfy { $0.bitrate.isSettled || !$0.isOffered }
        if mayChangeOffers || !isSettled || multivariant == nil { renderMultivariant() }
    }

    /// The stream is over: every playlist gets EXT-X-ENDLIST.
    package mutating func finish() {
        guard !isEnded else { return }
        isEnded = true
        let targetDurationSeconds = configuration.targetDurationSeconds
        for id in order {
            timelines[id]?.close(targetDurationSeconds: targetDurationSeconds)
        }
        render(Set(order))
        renderMultivariant()
    }

    /// - Returns: The renditions whose playlist changes: a new initialization is hinted.
    private mutating func offer(_ renditions: [Rendition]) -> [Rendition.ID] {
        if renderer == nil, let longest = renditions.map(\.partTarget).max() {
            renderer = MediaPlaylistRenderer(
                configuration: configuration,
                epoch: epoch,
                longestPartTarget: longest
            )
        }
        for id in order { timelines[id]?.isOffered = false }
        for rendition in renditions {
            if timelines[rendition.id] != nil {
                timelines[rendition.id]?.update(rendition)
            } else if order.count < limits.renditions {
                timelines[rendition.id] = RenditionTimeline(rendition)
                order.append(rendition.id)
            }
        }
        return renditions.map(\.id)
    }

    private mutating func open(_ start: SegmentStart, in id: Rendition.ID) {
        let targetDurationSeconds = configuration.targetDurationSeconds
        _ = timelines[id]?.open(start, targetDurationSeconds: targetDurationSeconds)
    }

    private mutating func append(_ part: Part, to id: Rendition.ID) {
        guard makeRoom(for: part, in: id) else {
            counts.rejectedParts += 1
            return
        }
        if let start = timelines[id]?.pending?.start {
            let sequence = discontinuitySequence(of: start, in: id)
            let gaps = gaps(before: start, in: id)
            timelines[id]?.begin(discontinuitySequence: sequence, gaps: gaps)
        }
        if timelines[id]?.append(part) != true { counts.rejectedParts += 1 }
    }

    /// Segments share their numbers across renditions, so a discontinuity is counted once for all.
    private mutating func discontinuitySequence(
        of start: SegmentStart,
        in id: Rendition.ID
    ) -> UInt64 {
        let last = discontinuity?.mediaSequence
        if start.isDiscontinuity, last.map({ $0 < start.mediaSequence }) ?? true {
            discontinuity = ((discontinuity?.count ?? 0) + 1, start.mediaSequence)
        }
        guard let discontinuity, start.mediaSequence < discontinuity.mediaSequence else {
            return discontinuity?.count ?? 0
        }
        // A rendition that lags behind the discontinuity of another.
        let twin = segments(numbered: start.mediaSequence).first
        let own = timelines[id]?.discontinuitySequence ?? 0
        return twin?.discontinuitySequence ?? own + (start.isDiscontinuity ? 1 : 0)
    }

    /// Stand-ins for the numbers this rendition has no media for, after the segments that other
    /// renditions have under them; none when the hole is longer than `limits.gapSegments`.
    private func gaps(before start: SegmentStart, in id: Rendition.ID) -> [Segment] {
        guard let timeline = timelines[id], var previous = timeline.segments.last,
            start.mediaSequence > previous.mediaSequence,
            start.mediaSequence - previous.mediaSequence - 1 <= UInt64(limits.gapSegments)
        else { return [] }
        var gaps: [Segment] = []
        for number in (previous.mediaSequence + 1)..<start.mediaSequence {
            let twin = segments(numbered: number).first { $0.isComplete }
            let sequence = max(twin?.discontinuitySequence ?? 0, previous.discontinuitySequence)
            let gap = Segment(
                gap: number,
                programDateTime: twin?.programDateTime
                    ?? previous.programDateTime.advanced(by: previous.duration),
                isDiscontinuity: sequence > previous.discontinuitySequence,
                discontinuitySequence: sequence,
                initialization: previous.initialization,
                firstPart: timeline.nextPart,
                duration: twin?.duration ?? previous.duration
            )
            gaps.append(gap)
            previous = gap
        }
        return gaps
    }

    /// The same stretch of time in every rendition that has it.
    private func segments(numbered mediaSequence: UInt64) -> [Segment] {
        order.compactMap { timelines[$0]?.segment(mediaSequence) }
    }

    // MARK: Bounds

    private var extent: RenditionTimeline.Extent {
        .init(
            window: configuration.window,
            targetDurationSeconds: configuration.targetDurationSeconds,
            segmentLimit: limits.segments
        )
    }

    private var bytesHeld: Int {
        timelines.values.reduce(0) { $0 + $1.bytesHeld }
    }

    /// Lets the oldest segments go until the part fits.
    private mutating func makeRoom(for part: Part, in id: Rendition.ID) -> Bool {
        if let growing = timelines[id]?.growing, growing.parts.count >= limits.partsPerSegment {
            return false
        }
        while bytesHeld > configuration.memoryLimitBytes - part.byteCount {
            let largest = order.max { left, right in
                timelines[left]?.bytesHeld ?? 0 < timelines[right]?.bytesHeld ?? 0
            }
            guard let largest, timelines[largest]?.evictOldest() == true else { return false }
            counts.evictedSegments += 1
        }
        return true
    }

    /// A rendition that is offered no longer keeps its segments as long as the others keep theirs.
    private mutating func letGoOfWhatIsNotOffered() {
        let left = order.filter { timelines[$0]?.isOffered == false }
        guard !left.isEmpty else { return }
        let oldest = order.compactMap { id -> UInt64? in
            guard let timeline = timelines[id], timeline.isOffered else { return nil }
            return timeline.segments.first?.mediaSequence
        }
        guard let oldest = oldest.min() else { return }
        for id in left {
            guard let newest = timelines[id]?.newest, newest.mediaSequence < oldest else {
                continue
            }
            timelines[id]?.evictAll()
            playlists[id] = nil
            iFramePlaylists[id] = nil
        }
    }

    // MARK: Rendering

    private mutating func render(_ changed: Set<Rendition.ID>) {
        guard let renderer else { return }
        let reports = order.compactMap { id -> MediaPlaylistRenderer.Report? in
            guard let timeline = timelines[id], timeline.isOffered else { return nil }
            return timeline.newest.map { .init(rendition: id, newest: $0) }
        }
        for id in changed {
            guard let timeline = timelines[id], !timeline.segments.isEmpty else { continue }
            counts.playlistRenders += 1
            playlists[id] = renderer.render(
                timeline,
                reports: reports.filter { $0.rendition != id },
                isEnded: isEnded,
                tag: "\(epoch)-\(id)-\(counts.playlistRenders)",
                publishedAt: publishedAt
            )
            renderIFrames(of: timeline, by: renderer)
        }
    }

    private mutating func renderIFrames(
        of timeline: RenditionTimeline,
        by renderer: MediaPlaylistRenderer
    ) {
        let id = timeline.rendition.id
        let old = iFramePlaylists[id]
        guard timeline.rendition.track.video != nil, let segments = timeline.wholeSegments,
            old?.segments != segments || old?.playlist.isEnded != isEnded
        else { return }
        let numbers = "\(segments.lowerBound)-\(segments.upperBound)"
        let playlist = renderer.renderIFrames(
            timeline,
            isEnded: isEnded,
            tag: "\(epoch)-\(id)-iframes-\(numbers)\(isEnded ? "-end" : "")"
        )
        iFramePlaylists[id] = IFramePlaylist(segments: segments, playlist: playlist)
    }

    /// Waits until every rendition has media, but not for one that has none when another already has
    /// a whole segment: a silent track, or a rung that is slow, must not keep the picture from viewers.
    private mutating func renderMultivariant() {
        let offered = order.compactMap { timelines[$0] }.filter(\.isOffered)
        let playable = offered.filter { !$0.segments.isEmpty }
        let hasWholeSegment = playable.contains { $0.segments.first?.isComplete == true }
        let isPlayable = { id in playable.contains { $0.rendition.id == id } }
        let isWhole = playable.count == offered.count && expected.all.allSatisfy(isPlayable)
        let isEnough = expected.needed.isEmpty || expected.needed.contains(where: isPlayable)
        guard !playable.isEmpty, isEnough, isWhole || hasWholeSegment else { return }
        let content = MultivariantPlaylist(
            offers: playable.map { timeline in
                .init(
                    id: timeline.rendition.id,
                    track: timeline.rendition.track,
                    soundGroup: timeline.rendition.soundGroup,
                    bitsPerSecond: .init(timeline.bitrate),
                    iFrameBitsPerSecond: iFrameBitsPerSecond(of: timeline)
                )
            }
        )
        if let multivariant, !content.differsMaterially(from: multivariant.content) { return }
        counts.multivariantRenders += 1
        let tag = "\(epoch)-multivariant-\(counts.multivariantRenders)"
        multivariant = (content, content.render(tag: tag))
    }

    /// Where no segment is whole yet, as if the first were as long as it is to be.
    private func iFrameBitsPerSecond(
        of timeline: RenditionTimeline
    ) -> MultivariantPlaylist.BitRates? {
        guard timeline.rendition.track.video != nil else { return nil }
        if timeline.wholeSegments != nil { return .init(timeline.iFrameBitrate) }
        guard let byteCount = timeline.segments.first?.iFrameByteCount else { return nil }
        let rate = BitrateMeter.rate(
            bytes: UInt64(byteCount),
            microseconds: Int64(configuration.segmentTarget / .microseconds(1))
        )
        return .init(peak: rate, average: rate)
    }
}

extension MultivariantPlaylist.BitRates {
    fileprivate init(_ meter: BitrateMeter) {
        self.init(peak: meter.peakBitsPerSecond, average: meter.averageBitsPerSecond)
    }
}

package import Media
package import NIOCore

/// Puts a slate in the place of a stream's inputs while nothing comes of them.
///
/// In:    the events of the inputs, the slate once it is ready, and what time it is.
/// Out:   the events of one stream. Into the slate and out of it goes one
///        `discontinuity(.publisherChange)` with `tracks` behind it, and a keyframe first.
/// Inputs → slate: nothing has come for `Terms.after`, and a slate is ready for these tracks.
/// Slate  → inputs: with the first keyframe of the picture that comes of them; where they have none,
///        with the first sound. → over: it was shown for `Terms.limit`, or is not wanted any more.
/// Over   → inputs, as from the slate.
/// Gap:   the slate begins where the inputs stopped, so that no time is missing: what is due since then
///        comes at once.
///
/// A value with no clock, no lock and no I/O.
package struct SlateSwitch: Sendable {
    package struct Terms: Sendable, Equatable {
        /// How long nothing may come before the slate is shown.
        package var after: Duration
        /// How long it is shown.
        package var limit: Duration

        package init(after: Duration, limit: Duration) {
            self.after = after
            self.limit = limit
        }
    }

    package enum Phase: Sendable {
        case inputs, slate, over
    }

    /// What a slate is made for.
    package struct Model: Sendable {
        package let tracks: TrackList
        /// An access unit of each track of sound, where one has come.
        package let samples: [Track.ID: ByteBuffer]
    }

    package private(set) var phase = Phase.inputs
    /// When the slate went on air; `nil` while it is not.
    package private(set) var shownSince: WallTime?

    /// Of the inputs, as they announced them last.
    private var tracks: TrackList?
    private var samples: [Track.ID: ByteBuffer] = [:]
    private var latestArrival: WallTime?
    /// The latest presentation time in the inputs' timeline.
    private var latestTime: MediaTime?
    private var beginsTimeline = true
    private var ready: ReadySlate?
    private var source: SlateSource?

    package init() {}

    /// What is to be made ready; `nil` before anything has come.
    package var model: Model? {
        guard let tracks, latestArrival != nil else { return nil }
        return Model(tracks: tracks, samples: samples)
    }

    /// A slate is there for what is on air, and would be shown.
    package var isReady: Bool { ready?.stream != nil && ready?.stream == tracks }

    /// Takes a slate, which is shown from the next time on; `nil` leaves none.
    package mutating func prepare(_ slate: ReadySlate?) {
        ready = slate
    }

    // MARK: Inputs

    /// Takes what the inputs send, and returns what is handed on.
    package mutating func receive(_ events: [MediaEvent]) -> [MediaEvent] {
        guard phase != .inputs else {
            note(events)
            return events
        }
        for (index, event) in events.enumerated() {
            switch event {
            case .tracks(let list):
                if list != tracks { samples = [:] }
                tracks = list
            case .accessUnit(let unit) where begins(unit):
                phase = .inputs
                source = nil
                shownSince = nil
                let outgoing = takeover(at: unit, index, of: events)
                note(outgoing)
                return outgoing
            case .accessUnit, .discontinuity, .end:
                continue
            }
        }
        return []
    }

    private func begins(_ unit: AccessUnit) -> Bool {
        guard let tracks, tracks[unit.track] != nil else { return false }
        return tracks.video.map { $0.id == unit.track && unit.isKeyframe } ?? true
    }

    /// From the keyframe on, and the sound to it that came before it.
    private func takeover(
        at keyframe: AccessUnit,
        _ index: Int,
        of events: [MediaEvent]
    ) -> [MediaEvent] {
        let sound = events[..<index].filter { event in
            guard case .accessUnit(let unit) = event else { return false }
            return unit.track != keyframe.track && unit.pts >= keyframe.pts
        }
        return [.discontinuity(.publisherChange)] + (tracks.map { [.tracks($0)] } ?? [])
            + sound + events[index...]
    }

    private mutating func note(_ events: [MediaEvent]) {
        for event in events {
            switch event {
            case .tracks(let list):
                if list != tracks { samples = [:] }
                tracks = list
            case .accessUnit(let unit):
                latestArrival = unit.arrival
                if beginsTimeline || latestTime.map({ $0 < unit.pts }) ?? true {
                    latestTime = unit.pts
                    beginsTimeline = false
                }
                if samples[unit.track] == nil, tracks?[unit.track]?.audio != nil {
                    samples[unit.track] = unit.payload
                }
            case .discontinuity, .end:
                beginsTimeline = true
            }
        }
    }

    // MARK: Time

    /// Shows what is due; `terms` are `nil` where no slate is wanted.
    package mutating func advance(to now: WallTime, _ terms: Terms?) -> [MediaEvent] {
        switch phase {
        case .inputs:
            guard let terms, let latestArrival, let latestTime, let ready, isReady,
                now.duration(since: latestArrival) >= terms.after
            else { return [] }
            let frame = ready.frameDuration
            var source = SlateSource(
                stream: ready.stream,
                loop: ready.loop,
                silence: ready.silence,
                start: latestTime + frame,
                startedAt: latestArrival.advanced(by: frame)
            )
            phase = .slate
            shownSince = now
            defer { self.source = source }
            return [.discontinuity(.publisherChange), .tracks(source.tracks)]
                + source.units(until: now).map { .accessUnit($0) }
        case .slate:
            guard let terms, let shownSince, now.duration(since: shownSince) < terms.limit else {
                phase = .over
                source = nil
                self.shownSince = nil
                return [.end(.idle)]
            }
            return source?.units(until: now).map { .accessUnit($0) } ?? []
        case .over:
            return []
        }
    }
}

package import Media

/// Shows a slate in real time: the loop's pictures again and again, and silence on every track of sound.
///
/// In:    what time it is.
/// Out:   the access units that are due by then, in the order of their times; the first is a keyframe.
/// Units: times go on from where the stream stopped, on the clock of 90 kHz.
/// Bound: `burstLimit` at a time. A machine that stood still for longer is not caught up with: the slate
///        goes on from now.
///
/// A value with no clock and no I/O.
package struct SlateSource: Sendable {
    /// Tracks as they are from here on: the stream's own, but for the picture's format.
    package let tracks: TrackList

    private let start: MediaTime
    private var startedAt: WallTime
    private var reels: [Reel]

    /// How much may be due at once.
    private static let burstLimit = Duration.seconds(10)

    /// One track: what comes next, and when.
    private struct Reel {
        let track: Track.ID
        /// Of one access unit, in ticks of `timescale`.
        let length: Int64
        let timescale: UInt32
        let pictures: [SlateLoop.Picture]
        var index: Int64 = 0

        /// From the slate's start.
        var offset: MediaTime {
            MediaTime(ticks: length, timescale: timescale).multiplied(by: index)
        }

        mutating func next(at time: MediaTime, due: WallTime) -> AccessUnit? {
            guard !pictures.isEmpty else { return nil }
            let picture = pictures[Int(index % Int64(pictures.count))]
            index += 1
            return AccessUnit(
                track: track,
                pts: time,
                dts: time,
                payload: picture.payload,
                randomAccess: picture.randomAccess,
                isDisposable: picture.isDisposable,
                arrival: due
            )
        }
    }

    /// A slate that has shown nothing yet.
    ///
    /// - Parameters:
    ///   - stream: The tracks that the stream had.
    ///   - loop: Its pictures; `nil` for a stream of sound alone.
    ///   - silence: Of each track of sound; a track that has none is left out.
    ///   - start: Where the stream stopped, on its own clock.
    ///   - startedAt: When that was.
    package init(
        stream: TrackList,
        loop: SlateLoop?,
        silence: [Track.ID: Silence],
        start: MediaTime,
        startedAt: WallTime
    ) {
        self.start = start.converted(to: MediaTime.mpegTimescale)
        self.startedAt = startedAt
        var tracks: [Track] = []
        var reels: [Reel] = []
        for track in stream.tracks {
            switch track.format {
            case .video:
                guard let loop, tracks.allSatisfy({ $0.video == nil }) else { continue }
                tracks.append(
                    Track(id: track.id, format: .video(loop.format), language: track.language)
                )
                reels.append(
                    Reel(
                        track: track.id,
                        length: Int64(loop.frameRate.denominator),
                        timescale: UInt32(clamping: max(1, loop.frameRate.numerator)),
                        pictures: loop.pictures
                    )
                )
            case .audio:
                guard let silence = silence[track.id] else { continue }
                tracks.append(
                    Track(id: track.id, format: .audio(silence.format), language: track.language)
                )
                let frame = SlateLoop.Picture(
                    payload: silence.payload,
                    randomAccess: .closed,
                    isDisposable: false
                )
                reels.append(
                    Reel(
                        track: track.id,
                        length: Int64(max(1, silence.format.samplesPerAccessUnit)),
                        timescale: UInt32(clamping: max(1, silence.format.sampleRate)),
                        pictures: [frame]
                    )
                )
            case .data:
                continue
            }
        }
        self.tracks = TrackList(tracks)
        self.reels = reels
    }

    /// When the next access unit is due; `nil` when there is nothing to show.
    package var nextDue: WallTime? {
        reels.map(\.offset).min().map { startedAt.advanced(by: $0) }
    }

    /// What is due by `now` and was not given yet.
    package mutating func units(until now: WallTime) -> [AccessUnit] {
        if let due = nextDue {
            let late = now.duration(since: due)
            if late > Self.burstLimit { startedAt = startedAt.advanced(by: late) }
        }
        var units: [AccessUnit] = []
        while let index = reels.indices.min(by: { reels[$0].offset < reels[$1].offset }) {
            let offset = reels[index].offset
            let due = startedAt.advanced(by: offset)
            guard due <= now, let unit = reels[index].next(at: start + offset, due: due) else {
                break
            }
            units.append(unit)
        }
        return units
    }
}

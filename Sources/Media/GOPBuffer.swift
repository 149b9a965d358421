import DequeModule
import NIOCore

/// The last groups of pictures of a stream, for whoever has to begin in the middle of one.
///
/// In:     every event of the stream, in order.
/// Out:    `replay`: the tracks, then every access unit from a keyframe on, in the order in which they
///         came. Sound that came before that keyframe and is heard no earlier than it is shown comes
///         first. Leading pictures of an open entry are left out: they refer to what is not given.
/// Groups: one begins with each keyframe of the picture; with no picture, with each frame of sound.
/// Breaks: what came before a discontinuity, an end, or another picture track is forgotten: the buffer
///         is empty until the next keyframe.
/// Bound:  `limit.bytes`. The oldest groups go first; one that alone has more is given up. Older
///         groups also go when those behind them span `limit.duration`.
/// Memory: payloads are kept, not copied.
package struct GOPBuffer: Sendable {
    package struct Limit: Sendable {
        /// Of payloads and of what each unit takes besides; sound that leads a group counts in both.
        package var bytes: Int
        /// How far back older groups reach, by decoding times; zero keeps the newest group only.
        package var duration: MediaTime

        package init(bytes: Int, duration: MediaTime) {
            self.bytes = bytes
            self.duration = duration
        }
    }

    /// A keyframe and what came behind it, up to the next.
    private struct Group {
        let keyframe: AccessUnit
        /// Sound that came before the keyframe and belongs to it.
        let lead: [AccessUnit]
        /// The keyframe first.
        var units: [AccessUnit]
        var bytes: Int

        /// Whether the unit was sent for a decoder that had begun earlier.
        func isUndecodable(_ unit: AccessUnit) -> Bool {
            keyframe.randomAccess == .open && unit.track == keyframe.track
                && unit.pts < keyframe.pts
        }
    }

    private let limit: Limit
    private var groups: Deque<Group> = []

    /// The tracks announced last; `nil` before any, and after an end.
    package private(set) var tracks: TrackList?
    /// What is held, as `limit.bytes` counts.
    package private(set) var bytes = 0
    /// Groups that were larger than the buffer and could not be kept.
    package private(set) var oversizedGroups: UInt64 = 0

    package init(limit: Limit) {
        self.limit = limit
    }

    /// Nothing can be replayed.
    package var isEmpty: Bool { groups.isEmpty }

    package mutating func append(_ event: MediaEvent) {
        switch event {
        case .tracks(let tracks):
            if tracks.video != self.tracks?.video { clear() }
            self.tracks = tracks
        case .accessUnit(let unit):
            append(unit)
        case .discontinuity:
            clear()
        case .end:
            clear()
            tracks = nil
        }
    }

    /// From the newest keyframe on; no events when there is none.
    package func replay() -> [MediaEvent] {
        replay(from: groups.indices.last)
    }

    /// From the newest keyframe that came no later than `instant`, or else from the oldest.
    package func replay(since instant: WallTime) -> [MediaEvent] {
        replay(from: groups.lastIndex { $0.keyframe.arrival <= instant } ?? groups.indices.first)
    }

    private func replay(from index: Int?) -> [MediaEvent] {
        guard let index, let tracks else { return [] }
        let first = groups[index]
        var events = [MediaEvent.tracks(tracks)]
        func add(_ units: [AccessUnit]) {
            // The list may have lost a track since.
            for unit in units where tracks[unit.track] != nil { events.append(.accessUnit(unit)) }
        }
        add(first.lead)
        add(first.units.filter { !first.isUndecodable($0) })
        for group in groups[index...].dropFirst() { add(group.units) }
        return events
    }

    private mutating func append(_ unit: AccessUnit) {
        guard let tracks else { return }
        let begins = unit.isKeyframe && (tracks.video.map { $0.id == unit.track } ?? true)
        if begins {
            beginGroup(with: unit, hasPicture: tracks.video != nil)
        } else if !groups.isEmpty {
            let size = Self.size(of: unit)
            groups[groups.endIndex - 1].units.append(unit)
            groups[groups.endIndex - 1].bytes += size
            bytes += size
        }
        while bytes > limit.bytes, let oldest = groups.popFirst() {
            bytes -= oldest.bytes
            if groups.isEmpty { oversizedGroups &+= 1 }
        }
    }

    private mutating func beginGroup(with keyframe: AccessUnit, hasPicture: Bool) {
        let before = groups.last.map { $0.lead + $0.units } ?? []
        let lead =
            hasPicture ? before.filter { $0.track != keyframe.track && $0.pts >= keyframe.pts } : []
        let size = (lead + [keyframe]).reduce(0) { $0 + Self.size(of: $1) }
        groups.append(Group(keyframe: keyframe, lead: lead, units: [keyframe], bytes: size))
        bytes += size
        while groups.count > 1, keyframe.dts - groups[1].keyframe.dts >= limit.duration,
            let oldest = groups.popFirst()
        {
            bytes -= oldest.bytes
        }
    }

    private mutating func clear() {
        groups.removeAll()
        bytes = 0
    }

    /// Empty units count too: their number must be bounded.
    private static func size(of unit: AccessUnit) -> Int {
        unit.payload.readableBytes + MemoryLayout<AccessUnit>.stride
    }
}

import Media
import NIOCore

/// Emits `.tracks` as soon as the formats of a contribution's streams are known, then access units.
///
/// Start:  access units are held until every audio and video stream has shown its format, or has
///         been silent for too long while others went on, or too much is held. Then the tracks are
///         emitted, and what was held, in order.
/// Later:  a stream that shows its format, or a new one, is announced at once, before that access
///         unit; a `.discontinuity(.formatChange)` comes first when the picture or a track that was
///         announced changes. Streams that are not among those set any more leave the list, at once
///         or, when others came in their place, with the announcement of those.
/// Units:  ticks of the 90 kHz clock.
/// Bound:  `heldUnitLimit` access units and `heldByteLimit` bytes.
struct TrackAnnouncer {
    private struct Candidate {
        let description: TrackDescription
        /// `nil` until the bitstream has told.
        var format: MediaFormat?
        /// Packets came, whether anything could be decoded from them or not.
        var isHeard = false
    }

    private enum Phase {
        /// Nothing is announced; access units are held. Exit: no stream is awaited
        /// any more, or enough is held → settled.
        case holding
        /// The streams changed; what was announced goes on meanwhile. Exit: as holding.
        case replacing
        /// Exit: other streams → replacing, or → holding when none of them is known.
        case settled
    }

    private let configuration: IngestSession.Configuration
    private var phase = Phase.holding
    /// Video first, then audio, then data, each in the order in which they were set.
    private var candidates: [Candidate] = []
    private var announced: TrackList?
    private var held: [AccessUnit] = []
    private var heldBytes = 0
    /// The decoding times between which streams were awaited.
    private var waitedFrom: Int64?
    private var waitedTo: Int64?

    /// Access units emitted.
    private(set) var accessUnits: UInt64 = 0
    /// Discontinuities emitted.
    private(set) var discontinuities: UInt64 = 0

    init(configuration: IngestSession.Configuration) {
        self.configuration = configuration
    }

    /// The contribution consists of these streams from now on.
    mutating func setStreams(
        _ streams: [TrackDescription],
        _ emit: (MediaEvent) -> Void
    ) {
        let known = candidates
        let ordered =
            streams.filter(\.isVideo) + streams.filter(\.isAudio) + streams.filter(\.isData)
        candidates = ordered.map { stream in
            var candidate = Candidate(description: stream)
            if case .data(let format) = stream.kind {
                candidate.format = .data(format)
            } else if let before = known.first(where: { $0.description.isSameTrack(as: stream) }) {
                candidate.format = before.format
                candidate.isHeard = before.isHeard
            }
            return candidate
        }
        let ids = Set(candidates.map(\.description.id))
        dropHeld { !ids.contains($0) }
        let knowsNone = candidates.allSatisfy { $0.description.isData || $0.format == nil }
        if phase != .holding { phase = knowsNone ? .holding : .replacing }
        waitedFrom = nil
        waitedTo = nil
        settleIfPossible(emit)
    }

    /// A packet of the stream has its place on the timeline, whatever is in it.
    mutating func hear(_ id: Track.ID, dts: Int64) {
        guard phase != .settled else { return }
        waitedFrom = min(waitedFrom ?? dts, dts)
        waitedTo = max(waitedTo ?? dts, dts)
        if let index = index(of: id) { candidates[index].isHeard = true }
    }

    mutating func receive(
        _ unit: AccessUnit,
        newFormat: MediaFormat?,
        _ emit: (MediaEvent) -> Void
    ) {
        guard let index = index(of: unit.track) else { return }
        if let newFormat {
            // The announcement can tell one format only.
            if candidates[index].format != nil { dropHeld { $0 == unit.track } }
            candidates[index].format = newFormat
        }
        guard phase != .holding else {
            held.append(unit)
            heldBytes += unit.payload.readableBytes
            settleIfPossible(emit)
            return
        }
        if newFormat != nil { announce(emit) }
        settleIfPossible(emit)
        emitUnit(unit, emit)
    }

    /// The source's clock jumped: what comes now does not continue what came before.
    mutating func beginEpoch(_ emit: (MediaEvent) -> Void) {
        held.removeAll()
        heldBytes = 0
        waitedFrom = nil
        waitedTo = nil
        if announced != nil { emitDiscontinuity(.timestampJump, emit) }
    }

    /// The contribution is over: whatever is known is announced, and what is held is emitted.
    mutating func finish(_ emit: (MediaEvent) -> Void) {
        if !held.isEmpty { settle(emit) }
    }

    private mutating func settleIfPossible(_ emit: (MediaEvent) -> Void) {
        guard phase != .settled, !candidates.isEmpty else { return }
        let isFull =
            held.count >= configuration.heldUnitLimit || heldBytes >= configuration.heldByteLimit
        guard isFull || !candidates.contains(where: isAwaited) else { return }
        // When all were given up on, the first that shows its format is announced.
        let media = candidates.filter { !$0.description.isData }
        guard media.isEmpty || media.contains(where: { $0.format != nil }) else { return }
        settle(emit)
    }

    private mutating func settle(_ emit: (MediaEvent) -> Void) {
        phase = .settled
        announce(emit)
        for unit in held { emitUnit(unit, emit) }
        held = []
        heldBytes = 0
    }

    private func isAwaited(_ candidate: Candidate) -> Bool {
        guard candidate.format == nil else { return false }
        let waited = MediaTime(mpegTicks: (waitedTo ?? 0) &- (waitedFrom ?? 0))
        let isPicture = candidate.description.isVideo && candidate.isHeard
        return waited < (isPicture ? configuration.keyframeLimit : configuration.silenceLimit)
    }

    private mutating func announce(_ emit: (MediaEvent) -> Void) {
        let list = TrackList(
            candidates.compactMap { candidate in
                candidate.format.map { format in
                    Track(
                        id: candidate.description.id,
                        format: format,
                        language: candidate.description.language
                    )
                }
            }
        )
        guard list != announced else { return }
        if let announced, Self.changesFormat(from: announced, to: list) {
            emitDiscontinuity(.formatChange, emit)
        }
        announced = list
        emit(.tracks(list))
    }

    private static func changesFormat(from old: TrackList, to new: TrackList) -> Bool {
        if let before = old.video, let after = new.video,
            before.id != after.id || before.format != after.format
        {
            return true
        }
        return old.audio.contains { before in
            new[before.id].map { $0.format != before.format } ?? false
        }
    }

    private mutating func dropHeld(of isDropped: (Track.ID) -> Bool) {
        held.removeAll { isDropped($0.track) }
        heldBytes = held.reduce(0) { $0 + $1.payload.readableBytes }
    }

    private mutating func emitUnit(_ unit: AccessUnit, _ emit: (MediaEvent) -> Void) {
        accessUnits &+= 1
        emit(.accessUnit(unit))
    }

    private mutating func emitDiscontinuity(
        _ reason: DiscontinuityReason,
        _ emit: (MediaEvent) -> Void
    ) {
        discontinuities &+= 1
        emit(.discontinuity(reason))
    }

    private func index(of id: Track.ID) -> Int? {
        candidates.indices.first { candidates[$0].description.id == id }
    }
}

package import Media
import NIOCore

/// Encodes the sound of a stream that comes as linear PCM, which browsers do not play, as AAC.
///
/// In:     the events of one stream, in order.
/// Out:    the same events; of a track of linear PCM, access units of AAC with the times of those that they
///         were made of.
/// Delay:  two access units (43 ms at 48 kHz), which only go through with the third or with what ends the
///         timeline.
/// Left:   sound that cannot be encoded stays as it is.
/// Bound:  three access units a track.
/// Thread: the caller's, for about a fifth of a millisecond an access unit.
package struct SoundEncoder {
    private struct Lane {
        let source: LinearPCM
        let format: AudioFormat
        /// `nil` from the end of a timeline to the next access unit.
        var encoder: AACEncoder?
        /// Those whose frames have not come.
        var waiting: [AccessUnit] = []

        init(_ source: LinearPCM) throws(FFmpegError) {
            let encoder = try AACEncoder(source)
            self.source = source
            self.encoder = encoder
            format = encoder.format
        }
    }

    private var lanes: [Track.ID: Lane] = [:]

    package init() {}

    package mutating func encode(_ event: MediaEvent) -> [MediaEvent] {
        switch event {
        case .tracks(let list): carry(list)
        case .accessUnit(let unit): encode(unit).map { .accessUnit($0) }
        case .discontinuity, .end: finish(lanes.keys) + [event]
        }
    }

    private mutating func carry(_ list: TrackList) -> [MediaEvent] {
        var kept: [Track.ID: Lane] = [:]
        let tracks = list.tracks.map { track in
            guard let source = track.audio.flatMap({ LinearPCM($0) }) else { return track }
            let same = lanes[track.id].flatMap { $0.source == source ? $0 : nil }
            guard let lane = try? same ?? Lane(source) else { return track }
            kept[track.id] = lane
            return Track(id: track.id, format: .audio(lane.format), language: track.language)
        }
        let left = finish(lanes.keys.filter { kept[$0]?.source != lanes[$0]?.source })
        lanes = kept
        return left + [.tracks(TrackList(tracks))]
    }

    private mutating func encode(_ unit: AccessUnit) -> [AccessUnit] {
        guard var lane = lanes[unit.track] else { return [unit] }
        // Changed in place, and put back below.
        lanes[unit.track] = nil
        defer { lanes[unit.track] = lane }
        guard unit.payload.readableBytes == lane.source.unitBytes else { return [] }
        do throws(FFmpegError) {
            if lane.encoder == nil { lane.encoder = try AACEncoder(lane.source) }
            lane.waiting.append(unit)
            let frames = try lane.encoder?.encode(unit.payload) ?? []
            return Self.pair(frames, &lane.waiting)
        } catch {
            lane.encoder = nil
            lane.waiting = []
            return []
        }
    }

    /// What waits comes out: the timeline ends, or the tracks do.
    private mutating func finish(_ ids: some Sequence<Track.ID>) -> [MediaEvent] {
        var units: [AccessUnit] = []
        for id in ids {
            guard var lane = lanes[id], let encoder = lane.encoder else { continue }
            units += Self.pair(encoder.finish(), &lane.waiting)
            lane.encoder = nil
            lane.waiting = []
            lanes[id] = lane
        }
        return units.map { .accessUnit($0) }
    }

    private static func pair(
        _ payloads: [ByteBuffer],
        _ waiting: inout [AccessUnit]
    ) -> [AccessUnit] {
        let units = zip(waiting, payloads).map { unit, payload in
            var unit = unit
            unit.payload = payload
            return unit
        }
        waiting.removeFirst(units.count)
        return units
    }
}

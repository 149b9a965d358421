import Ingestion
import Media
import NIOCore
import TestSupport

/// A session and what came out of it.
struct EventRecorder {
    var session: IngestSession
    private(set) var events: [MediaEvent] = []

    init(configuration: IngestSession.Configuration = .init()) {
        session = IngestSession(configuration: configuration)
    }

    /// - Returns: What these bytes brought about.
    @discardableResult
    mutating func feed(
        _ bytes: [UInt8],
        split byteCount: Int = .max,
        arrival: Int64 = 0
    ) -> [MediaEvent] {
        let before = events.count
        bytes.withUnsafeBytes { buffer in
            var position = 0
            while position < buffer.count {
                let end = byteCount < buffer.count - position ? position + byteCount : buffer.count
                session.receive(
                    UnsafeRawBufferPointer(rebasing: buffer[position..<end]),
                    arrival: WallTime(microsecondsSinceEpoch: arrival)
                ) { events.append($0) }
                position = end
            }
        }
        return Array(events[before...])
    }

    @discardableResult
    mutating func finish() -> [MediaEvent] {
        let before = events.count
        session.finish { events.append($0) }
        return Array(events[before...])
    }

    var trackLists: [TrackList] { events.compactMap(\.trackList) }
    var units: [AccessUnit] { events.compactMap(\.unit) }
    var discontinuities: [DiscontinuityReason] { events.compactMap(\.discontinuity) }

    func units(on stream: TransportStreamWriter.Stream) -> [AccessUnit] {
        units.filter { $0.track.rawValue == Int(stream.pid) }
    }

    /// One line an event.
    var log: [String] { events.map(\.line) }

    var brokenPromise: String? { events.brokenPromise }
}

extension [MediaEvent] {
    /// What every consumer relies on, whatever the input was; `nil` when it holds.
    var brokenPromise: String? {
        var announced: TrackList?
        var last: [Track.ID: MediaTime] = [:]
        for event in self {
            switch event {
            case .tracks(let list): announced = list
            case .discontinuity: last = [:]
            case .end: return "the session said .end"
            case .accessUnit(let unit):
                guard let track = announced?[unit.track] else { return "\(event.line): no track" }
                if case .data = track.format { return "\(event.line): a data track" }
                if unit.pts < unit.dts { return "\(event.line): shown before it is decoded" }
                if let before = last[unit.track], unit.dts <= before {
                    return "\(event.line): not after \(before)"
                }
                last[unit.track] = unit.dts
            }
        }
        return nil
    }
}

extension MediaEvent {
    var trackList: TrackList? {
        if case .tracks(let list) = self { list } else { nil }
    }

    var unit: AccessUnit? {
        if case .accessUnit(let unit) = self { unit } else { nil }
    }

    var discontinuity: DiscontinuityReason? {
        if case .discontinuity(let reason) = self { reason } else { nil }
    }

    var line: String {
        switch self {
        case .tracks(let list):
            "tracks " + list.tracks.map { "\($0.id.rawValue)" }.joined(separator: " ")
        case .accessUnit(let unit):
            "\(unit.track.rawValue) pts \(unit.pts.ticks) dts \(unit.dts.ticks) "
                + "\(unit.payload.readableBytes) bytes \(unit.randomAccess)"
        case .discontinuity(let reason): "discontinuity \(reason)"
        case .end(let reason): "end \(reason)"
        }
    }
}

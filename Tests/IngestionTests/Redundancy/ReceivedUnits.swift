import Ingestion
import Media
import NIOCore
import Synchronization

/// What came of a feed.
final class ReceivedUnits: Sendable {
    struct Unit: Equatable {
        let track: Track.ID
        let pts: MediaTime
        let dts: MediaTime
        let payload: [UInt8]

        init(_ unit: AccessUnit) {
            track = unit.track
            pts = unit.pts
            dts = unit.dts
            payload = Array(unit.payload.readableBytesView)
        }
    }

    private let state = Mutex<(units: [Unit], breaks: [String])>(([], []))

    init() {}

    /// What comes of a transport stream that nothing happened to.
    init(of transportStream: some Collection<UInt8>) {
        var session = IngestSession()
        Array(transportStream).withUnsafeBytes { bytes in
            session.receive(bytes, arrival: .now) { take([$0]) }
        }
        session.finish { take([$0]) }
    }

    var units: [Unit] { state.withLock { $0.units } }
    /// Discontinuities and ends.
    var breaks: [String] { state.withLock { $0.breaks } }

    @Sendable func take(_ events: [MediaEvent]) {
        state.withLock { state in
            for event in events {
                switch event {
                case .tracks: break
                case .accessUnit(let unit): state.units.append(Unit(unit))
                case .discontinuity(let reason): state.breaks.append(reason.rawValue)
                case .end(let reason): state.breaks.append("end: \(reason.rawValue)")
                }
            }
        }
    }
}

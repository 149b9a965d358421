import DequeModule
import NIOCore

/// Events that wait for a consumer, at most as many as its limit says.
///
/// Access units are lost by dependency when it fills up (see `QueueAdmission`); all else is kept.
struct EventQueue: Sendable {
    private let limit: LiveStreamSubscription.Limit
    private var events: Deque<MediaEvent> = []
    private var admission = QueueAdmission()
    private var accessUnits = 0
    private var bytes = 0
    /// The highest `fill` so far.
    private(set) var highestFill = 0.0

    init(limit: LiveStreamSubscription.Limit) {
        self.limit = limit
    }

    var losses: QueueLosses { admission.losses }

    /// How full the queue is, 0 to 1: by units or by bytes, whichever is more.
    var fill: Double { fill(accessUnits: accessUnits, bytes: bytes) }

    private func fill(accessUnits: Int, bytes: Int) -> Double {
        max(
            Double(accessUnits) / Double(max(limit.accessUnits, 1)),
            Double(bytes) / Double(max(limit.bytes, 1))
        )
    }

    mutating func append(_ event: MediaEvent) {
        guard case .accessUnit(let unit) = event else {
            admission.note(event)
            events.append(event)
            return
        }
        let size = unit.payload.readableBytes
        let fill = fill(accessUnits: accessUnits + 1, bytes: bytes + size)
        guard admission.admits(unit, fill: fill) else { return }
        accessUnits += 1
        bytes += size
        highestFill = max(highestFill, fill)
        events.append(event)
    }

    mutating func popFirst() -> MediaEvent? {
        guard let event = events.popFirst() else { return nil }
        if case .accessUnit(let unit) = event {
            accessUnits -= 1
            bytes -= unit.payload.readableBytes
        }
        return event
    }
}

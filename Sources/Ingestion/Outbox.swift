import Media

/// The events of one turn, which leave together.
///
/// Threads: one owner.
final class Outbox {
    var events: [MediaEvent] = []

    func take() -> [MediaEvent] {
        defer { events.removeAll() }
        return events
    }
}

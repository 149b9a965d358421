import Synchronization

/// Raised once, by any thread; the thread it is meant for sees it at its next turn.
final class StopFlag: Sendable {
    private let raised = Atomic(false)

    var isRaised: Bool { raised.load(ordering: .acquiring) }

    func raise() { raised.store(true, ordering: .releasing) }
}

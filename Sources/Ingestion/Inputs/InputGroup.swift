package import Logging
package import Media
import Synchronization

/// The inputs of one stream, which come on threads of their own, and leave as one publisher.
///
/// Threads: any. The lock is held while handing on, so that nothing of an input follows what came of
///          the one that took its place.
package final class InputGroup: Sendable {
    private let deliver: @Sendable ([MediaEvent]) -> Void
    private let logger: Logger
    private let state: Mutex<InputSwitch>

    /// `deliver` takes what is on air, one call at a time, and must not block.
    package init(
        _ configuration: InputSwitch.Configuration,
        of name: StreamName,
        logger: Logger,
        deliver: @escaping @Sendable ([MediaEvent]) -> Void
    ) {
        self.deliver = deliver
        var logger = logger
        logger[metadataKey: "stream"] = "\(name)"
        self.logger = logger
        state = Mutex(InputSwitch(configuration))
    }

    /// Hands on what an input sends, or holds it until it is wanted.
    package func send(_ events: [MediaEvent], from name: StreamName) {
        let change = state.withLock { state in
            let before = state.changeCount
            let outgoing = state.receive(events, from: name)
            if !outgoing.isEmpty { deliver(outgoing) }
            return state.changeCount == before ? nil : state.latestChange
        }
        guard let change else { return }
        logger.notice(
            "input switched",
            metadata: [
                "from": "\(change.from)", "to": "\(change.to)",
                "reason": "\(change.reason.rawValue)",
            ]
        )
    }

    /// As `InputSwitch.look`.
    package func look(at losses: [StreamName: UInt64], now: WallTime) {
        state.withLock { $0.look(at: losses, now: now) }
    }

    /// As `InputSwitch.select`.
    package func select(_ name: StreamName?) -> Bool {
        let isThere = state.withLock { $0.select(name) }
        if isThere {
            logger.notice("input selected", metadata: ["input": "\(name?.description ?? "none")"])
        }
        return isThere
    }

    /// As `InputSwitch.reconfigure`.
    package func reconfigure(
        _ configuration: InputSwitch.Configuration,
        keeping claimed: Set<StreamName>
    ) {
        state.withLock { $0.reconfigure(configuration, keeping: claimed) }
    }

    package func contains(_ name: StreamName) -> Bool {
        state.withLock { state in state.inputs.contains { $0.name == name } }
    }

    package var onAir: StreamName? {
        state.withLock { state in state.onAir.map { state.inputs[$0].name } }
    }

    /// An input that sends other media than the one on air, and what both send, in words.
    package var difference: (input: StreamName, media: String, onAir: String)? {
        state.withLock { $0.difference }
    }

    package func status(claimed: Set<StreamName>, now: WallTime) -> InputSwitch.Status {
        state.withLock { $0.status(claimed: claimed, now: now) }
    }
}

import Logging
import Management
import ServiceLifecycle
import Synchronization

/// Which of the ports that Mirror should listen on are open, for the health probes and the log.
///
/// Each port that opens is one log line, `listening` with `service` and `port`: what a script reads
/// when port 0 was configured. When the last one is open, `ready` follows.
final class Readiness: Sendable {
    private struct State {
        var missing: [String]
        var open: [String: Int] = [:]
        var isStopping = false
    }

    private let state: Mutex<State>
    private let logger: Logger

    init(services: [String], logger: Logger) {
        state = Mutex(State(missing: services))
        self.logger = logger
    }

    func opened(_ service: String, address: String, port: Int) {
        let isComplete = state.withLock { state in
            state.open[service] = port
            state.missing.removeAll { $0 == service }
            return state.missing.isEmpty
        }
        logger.info(
            "listening",
            metadata: ["service": "\(service)", "address": "\(address)", "port": "\(port)"]
        )
        if isComplete { logger.info("ready") }
    }

    func port(of service: String) -> Int? {
        state.withLock { $0.open[service] }
    }

    var health: HealthSnapshot {
        state.withLock { state in
            let open = state.open.keys.sorted().map {
                HealthSnapshot.Check(name: $0, isPassing: true)
            }
            let missing = state.missing.map {
                HealthSnapshot.Check(
                    name: $0,
                    isPassing: false,
                    message: "not listening yet; if this lasts, the log says why"
                )
            }
            let status: HealthSnapshot.Status =
                state.isStopping ? .stopping : missing.isEmpty ? .ready : .starting
            return HealthSnapshot(status: status, checks: open + missing)
        }
    }
}

extension Readiness: Service {
    /// Waits for the shutdown and tells of it; listed last, as services stop in the reverse order.
    func run() async throws {
        try await gracefulShutdown()
        state.withLock { $0.isStopping = true }
        logger.info("stopping")
    }
}

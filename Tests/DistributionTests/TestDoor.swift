import Distribution
import Logging
import NIOCore
import ServiceLifecycle

/// A front door on a free port of the loopback, open while `body` runs.
///
/// `body` gets the port and a function that begins graceful shutdown.
func withDoor<Value: Sendable>(
    _ security: HTTPFrontDoor.Security,
    to fixture: LiveFixture,
    limits: RequestLimits = RequestLimits(),
    alternative: AlternativeService? = nil,
    body: (_ port: Int, _ shutDown: @escaping @Sendable () async -> Void) async throws -> Value
) async throws -> Value {
    try await whileOpen(body) { report in
        HTTPFrontDoor(
            address: "127.0.0.1",
            port: 0,
            security: security,
            responder: fixture.responder(alternative: alternative),
            limits: limits,
            statistics: fixture.statistics,
            logger: LiveFixture.logger,
            onListening: report
        )
    }
}

/// Runs a door, which must report the port it is on, as long as `body` runs.
func whileOpen<Value: Sendable>(
    _ body: (_ port: Int, _ shutDown: @escaping @Sendable () async -> Void) async throws -> Value,
    makeDoor: (_ report: @escaping @Sendable (Int) -> Void) -> any Service
) async throws -> Value {
    let (ports, listening) = AsyncStream.makeStream(of: Int.self)
    let door = makeDoor { port in listening.yield(port) }
    let group = ServiceGroup(
        configuration: .init(services: [.init(service: door)], logger: LiveFixture.logger)
    )
    return try await withThrowingTaskGroup(of: Void.self) { tasks in
        tasks.addTask {
            defer { listening.finish() }
            try await group.run()
        }
        do {
            guard let port = await ports.first(where: { _ in true }) else {
                // Why it did not open.
                try await tasks.waitForAll()
                throw NoFixture()
            }
            let value = try await body(port) { await group.triggerGracefulShutdown() }
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
            return value
        } catch {
            tasks.cancelAll()
            throw error
        }
    }
}

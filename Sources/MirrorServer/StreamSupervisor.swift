import Packaging
import ServiceLifecycle

/// Runs every stream's pipeline, and keeps the clock that ends what is overdue.
///
/// Shutdown: transports have stopped by then; a publisher that is still there is turned away.
struct StreamSupervisor: Service {
    private let registry: StreamRegistry
    private let directory: StreamDirectory
    private let started: AsyncStream<StreamPipeline>
    private let clock: any Clock<Duration>

    /// Waits and grace times end at most this late.
    private static let tick = Duration.milliseconds(500)
    /// A slate begins at most this late, and shows each picture at most so late.
    private static let slateTicks = (
        idle: Duration.milliseconds(200), onAir: Duration.milliseconds(20)
    )

    /// `started` gives the pipelines to run, as `StreamRegistry` hands them out.
    init(
        registry: StreamRegistry,
        directory: StreamDirectory,
        started: AsyncStream<StreamPipeline>,
        clock: any Clock<Duration> = ContinuousClock()
    ) {
        self.registry = registry
        self.directory = directory
        self.started = started
        self.clock = clock
    }

    func run() async throws {
        try await withGracefulShutdownHandler {
            try await withThrowingDiscardingTaskGroup { group in
                group.addTask { await expireOverdue() }
                group.addTask { await showSlates() }
                for await pipeline in started.cancelOnGracefulShutdown() {
                    group.addTask { await pipeline.run() }
                }
                group.cancelAll()
            }
        } onGracefulShutdown: {
            registry.shutDown()
        }
    }

    private func expireOverdue() async {
        while !Task.isCancelled {
            try? await clock.sleep(for: Self.tick)
            registry.advise()
            registry.expire()
            registry.prepareSlates()
            for store in directory.all { store.expireWaiters(now: .now) }
        }
    }
    private func showSlates() async {
        while !Task.isCancelled {
            let isOnAir = registry.showSlates()
            try? await clock.sleep(for: isOnAir ? Self.slateTicks.onAir : Self.slateTicks.idle)
        }
    }
}

import ServiceLifecycle
import UnixSignals

/// Says when the configuration should be read again: on SIGHUP, or when one of its files has changed.
///
/// A change counts once the files are the same at two looks, so that half-written ones are not read.
/// Triggers that come while `onChange` runs are one.
package struct ConfigurationWatcher: Service {
    package enum Trigger: String, Sendable {
        case signal, files
    }

    private let files: @Sendable () -> [String]
    private let interval: Duration
    private let clock: any Clock<Duration>
    private let onChange: @Sendable (Trigger) async -> Void

    /// - Parameters:
    ///   - files: Asked at each look, because a new configuration may name other certificates.
    ///   - interval: Between two looks at the files.
    ///   - clock: What the interval is measured by.
    ///   - onChange: Not called again before it returns.
    package init(
        files: @escaping @Sendable () -> [String],
        interval: Duration = .seconds(1),
        clock: any Clock<Duration> = ContinuousClock(),
        onChange: @escaping @Sendable (Trigger) async -> Void
    ) {
        self.files = files
        self.interval = interval
        self.clock = clock
        self.onChange = onChange
    }

    package func run() async throws {
        let (triggers, continuation) = AsyncStream.makeStream(
            of: Trigger.self,
            bufferingPolicy: .bufferingNewest(1)
        )
        let signals = await UnixSignalsSequence(trapping: .sighup)
        await withDiscardingTaskGroup { group in
            group.addTask {
                for await _ in signals { continuation.yield(.signal) }
            }
            group.addTask { await look { continuation.yield(.files) } }
            for await trigger in triggers.cancelOnGracefulShutdown() { await onChange(trigger) }
            group.cancelAll()
        }
    }

    private func look(onChange: () -> Void) async {
        var detector = FileChangeDetector(FileStamp.stamps(of: files()))
        while !Task.isCancelled {
            do { try await clock.sleep(for: interval) } catch { return }
            if detector.look(FileStamp.stamps(of: files())) { onChange() }
        }
    }
}

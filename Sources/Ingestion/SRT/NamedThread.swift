import CSRT
import Glibc

/// A thread of its own for blocking C calls, visible by name in `top -H` and in debuggers.
enum NamedThread {
    private final class Body: Sendable {
        let name: String
        let run: @Sendable () -> Void

        init(name: String, run: @escaping @Sendable () -> Void) {
            self.name = name
            self.run = run
        }
    }

    /// Runs `body` on a new thread and suspends until it returns.
    ///
    /// The kernel keeps the first 15 bytes of the name.
    static func run(
        _ name: String,
        _ body: @escaping @Sendable () throws(SRTError) -> Void
    ) async throws(SRTError) {
        let result: Result<Void, SRTError> = await withCheckedContinuation { continuation in
            let failure = start(name) {
                continuation.resume(returning: Result(catching: body))
            }
            if let failure { continuation.resume(returning: .failure(failure)) }
        }
        try result.get()
    }

    /// Suspends the calling thread, which must be one of these: never one of the cooperative pool's.
    static func rest(_ duration: Duration) {
        let (seconds, attoseconds) = duration.components
        var time = timespec(
            tv_sec: Int(max(seconds, 0)),
            tv_nsec: Int(max(attoseconds, 0) / 1_000_000_000)
        )
        clock_nanosleep(CLOCK_MONOTONIC, 0, &time, nil)
    }

    private static func start(_ name: String, _ body: @escaping @Sendable () -> Void) -> SRTError? {
        let body = Unmanaged.passRetained(Body(name: String(name.prefix(15)), run: body))
        var thread = pthread_t()
        let status = pthread_create(
            &thread,
            nil,
            { argument in
                guard let argument else { return nil }
                let body = Unmanaged<Body>.fromOpaque(argument).takeRetainedValue()
                mirror_name_this_thread(body.name)
                body.run()
                return nil
            },
            body.toOpaque()
        )
        guard status == 0 else {
            body.release()
            errno = status
            return .system("starting thread \(name)")
        }
        pthread_detach(thread)
        return nil
    }
}

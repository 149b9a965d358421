import NIOCore
import NIOPosix
import Synchronization

/// Runs tasks on the thread of an event loop.
///
/// The tasks of a connection run where its bytes are read and written. A waiter that is woken by a
/// new part then writes its answer in one step: without this it would start on a thread of the
/// cooperative pool and hand over to the event loop, twice the wake-ups for each viewer.
///
/// Those that are woken before the loop gets to them run in one go: a new part wakes hundreds, and
/// each would cost a closure, a lock and a place in the loop's own queue.
///
/// Handlers must not block or compute for long: they hold up the other connections of the loop.
final class EventLoopTaskExecutor: TaskExecutor {
    private static let ofThread = ThreadSpecificVariable<EventLoopTaskExecutor>()

    private let eventLoop: any EventLoop
    /// Those that `eventLoop` is told to run, as it is told when the first one comes.
    private let waiting = Mutex<[UnownedJob]>([])

    private init(_ eventLoop: any EventLoop) {
        self.eventLoop = eventLoop
    }

    /// The same for everybody on one event loop, if this is called there.
    static func on(_ eventLoop: any EventLoop) -> EventLoopTaskExecutor {
        guard eventLoop.inEventLoop else { return EventLoopTaskExecutor(eventLoop) }
        if let shared = ofThread.currentValue, shared.eventLoop === eventLoop { return shared }
        let shared = EventLoopTaskExecutor(eventLoop)
        ofThread.currentValue = shared
        return shared
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let isFirst = waiting.withLock { waiting in
            waiting.append(job)
            return waiting.count == 1
        }
        if isFirst { eventLoop.execute { self.runAll() } }
    }

    /// What these wake in turn comes after whatever else the loop has to do.
    private func runAll() {
        let executor = asUnownedTaskExecutor()
        let jobs = waiting.withLock { waiting in
            let jobs = waiting
            waiting = []
            return jobs
        }
        for job in jobs { job.runSynchronously(on: executor) }
    }
}

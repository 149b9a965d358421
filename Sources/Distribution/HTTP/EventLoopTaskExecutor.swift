import NIOCore

/// Runs tasks on the thread of an event loop.
///
/// The tasks of a connection run where its bytes are read and written. A waiter that is woken by a
/// new part then writes its answer in one step: without this it would start on a thread of the
/// cooperative pool and hand over to the event loop, twice the wake-ups for each viewer.
///
/// Handlers must not block or compute for long: they hold up the other connections of the loop.
final class EventLoopTaskExecutor: TaskExecutor {
    private let eventLoop: any EventLoop

    init(_ eventLoop: any EventLoop) {
        self.eventLoop = eventLoop
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let executor = asUnownedTaskExecutor()
        eventLoop.execute { job.runSynchronously(on: executor) }
    }
}

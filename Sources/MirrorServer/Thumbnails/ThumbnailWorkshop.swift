import Processing
import ServiceLifecycle
import Synchronization

/// Has the thumbnails of all streams made, on threads that give way to all that is on air.
///
/// Bound: `workerLimit` at a time, each with one picture of its source's size; `jobLimit` streams wait.
final class ThumbnailWorkshop: Service, Sendable {
    private static let workerLimit = 2
    private static let jobLimit = 256

    private let jobs: AsyncStream<StreamThumbnail>
    private let queue: AsyncStream<StreamThumbnail>.Continuation
    private let terms: Mutex<StreamThumbnail.Terms?>

    init(_ configuration: ServerConfiguration.Thumbnails) {
        (jobs, queue) = AsyncStream.makeStream(
            of: StreamThumbnail.self,
            bufferingPolicy: .bufferingOldest(Self.jobLimit)
        )
        terms = Mutex(configuration.terms)
    }

    /// What is made from now on.
    func update(_ configuration: ServerConfiguration.Thumbnails) {
        terms.withLock { $0 = configuration.terms }
    }

    /// For the streams.
    var shared: StreamThumbnail.Workshop {
        StreamThumbnail.Workshop(
            terms: { [self] in terms.withLock { $0 } },
            submit: { [queue] thumbnail in
                if case .enqueued = queue.yield(thumbnail) { return }
                thumbnail.abandon()
            }
        )
    }

    func run() async {
        await withTaskGroup(of: Void.self) { group in
            var busy = 0
            for await thumbnail in jobs.cancelOnGracefulShutdown() {
                if busy == Self.workerLimit { _ = await group.next() } else { busy += 1 }
                group.addTask {
                    let isDone: Void? = await WorkerThread.run("thumbnail") { thumbnail.work() }
                    if isDone == nil { thumbnail.abandon() }
                }
            }
        }
    }
}

extension ServerConfiguration.Thumbnails {
    /// `nil`: none are made.
    fileprivate var terms: StreamThumbnail.Terms? {
        isEnabled ? StreamThumbnail.Terms(interval: interval, width: width / 2 * 2) : nil
    }
}

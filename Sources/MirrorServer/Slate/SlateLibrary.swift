package import Logging
package import Media
import NIOCore
package import Processing
import ServiceLifecycle
import Synchronization

/// Makes slates, one after the other, on a thread of its own, and keeps what was encoded.
///
/// Bound: `jobLimit` wait, those beyond are asked for again; `shelfLimit` loops are kept, of at most
///        `SlateEncoder.byteLimit` each.
package final class SlateLibrary: Service, Sendable {
    /// What is wanted, and who is told.
    package struct Job: Sendable {
        package let stream: StreamName
        package let file: String
        package let model: SlateSwitch.Model
        /// Frames a second, as measured.
        package let frameRate: Double?
        package let groupDuration: Duration
        package let partDuration: Duration
        /// Called once with the slate, or with `nil` where it should be asked for again.
        ///
        /// A slate that cannot be made is not: the log says why.
        package let deliver: @Sendable (ReadySlate?) -> Void

        package init(
            stream: StreamName,
            file: String,
            model: SlateSwitch.Model,
            frameRate: Double?,
            groupDuration: Duration,
            partDuration: Duration,
            deliver: @escaping @Sendable (ReadySlate?) -> Void
        ) {
            self.stream = stream
            self.file = file
            self.model = model
            self.frameRate = frameRate
            self.groupDuration = groupDuration
            self.partDuration = partDuration
            self.deliver = deliver
        }
    }

    private struct Shelved {
        let stamp: FileStamp
        let format: SlateFormat
        let loop: SlateLoop
    }

    private static let jobLimit = 256
    private static let shelfLimit = 8

    private let jobs: AsyncStream<Job>
    private let queue: AsyncStream<Job>.Continuation
    /// The one used last comes last.
    private let shelf = Mutex<[Shelved]>([])
    private let logger: Logger

    package init(logger: Logger) {
        (jobs, queue) = AsyncStream.makeStream(
            of: Job.self,
            bufferingPolicy: .bufferingOldest(Self.jobLimit)
        )
        self.logger = logger
    }

    /// Has a slate made; never blocks.
    package func make(_ job: Job) {
        if case .dropped(let job) = queue.yield(job) { job.deliver(nil) }
    }

    package func run() async {
        for await job in jobs.cancelOnGracefulShutdown() {
            let result = await WorkerThread.run("slate") { [self] in
                Result { () throws(SlateError) in try slate(for: job) }
            }
            deliver(result ?? .failure(SlateError(.encoder, "the system gives no thread")), of: job)
        }
    }

    private func deliver(_ result: Result<ReadySlate, SlateError>, of job: Job) {
        switch result {
        case .success(let slate):
            job.deliver(slate)
            logger.info(
                "slate ready",
                metadata: [
                    "stream": "\(job.stream)", "file": "\(job.file)",
                    "bytes": "\(slate.loop?.byteCount ?? 0)",
                ]
            )
        case .failure(let error):
            logger.warning(
                "no slate for this stream",
                metadata: [
                    "stream": "\(job.stream)", "file": "\(job.file)",
                    "code": "\(error.code.rawValue)", "reason": "\(error)",
                ]
            )
        }
    }

    /// Blocks for seconds, but for what is on the shelf.
    private func slate(for job: Job) throws(SlateError) -> ReadySlate {
        var silence: [Track.ID: Silence] = [:]
        for track in job.model.tracks.audio {
            guard let format = track.audio else { continue }
            silence[track.id] = Silence.make(
                format,
                like: job.model.samples[track.id] ?? ByteBuffer()
            )
        }
        var loop: SlateLoop?
        if let video = job.model.tracks.video?.video {
            let format = SlateFormat(
                video,
                measuredRate: job.frameRate,
                groupDuration: job.groupDuration,
                partDuration: job.partDuration
            )
            loop = try self.loop(job.file, format)
        }
        return ReadySlate(stream: job.model.tracks, loop: loop, silence: silence)
    }

    private func loop(_ file: String, _ format: SlateFormat) throws(SlateError) -> SlateLoop {
        let stamp = FileStamp(path: file)
        let known = shelf.withLock { shelf -> SlateLoop? in
            guard
                let index = shelf.firstIndex(where: { $0.stamp == stamp && $0.format == format })
            else { return nil }
            let found = shelf.remove(at: index)
            shelf.append(found)
            return found.loop
        }
        if let known { return known }
        let loop = try SlateEncoder.encode(try SlateFile.read(file), as: format)
        shelf.withLock { shelf in
            shelf.append(Shelved(stamp: stamp, format: format, loop: loop))
            if shelf.count > Self.shelfLimit { shelf.removeFirst() }
        }
        return loop
    }
}

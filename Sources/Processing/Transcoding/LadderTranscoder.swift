package import Media
import NIOCore
import Synchronization

/// Encodes the picture of one stream again, in every size of its ladder.
///
/// ```
/// send ──Picture──▶ thread xcode: decode once ▶ scale ──▶ thread xcode-720p: encode ──▶ deliver
///                                                 ╰─────▶ thread xcode-480p: encode ──▶ deliver
/// ```
///
/// In:    pictures with their places, as the packager gives them.
/// Out:   for each rung the same pictures at the same times, with keyframes where segments begin; in
///        order, on the rung's own thread.
/// Bound: `queueLimit` bytes of coded pictures, and `RungEncoder.queueLimit` pictures a rung. What is
///        too much is lost here, and never slows the stream itself: pictures up to the next keyframe
///        of the source, or single ones of a rung.
/// Threads: one for the ladder and one for each rung, behind all that is on air.
package final class LadderTranscoder: Sendable {
    /// Two seconds of 64 Mbit/s.
    static let queueLimit = 16 << 20
    /// What a picture in the queue costs beside its bytes: small ones take time as well.
    private static let pictureCost = 64 << 10

    private struct Intake {
        /// Pictures are lost up to the next keyframe.
        var isWaiting = false
        var lost: UInt64 = 0
        /// Of pictures that were lost.
        var boundary: SegmentBoundary?
    }

    package let placement: DevicePlacement
    package var plan: LadderPlan { placement.plan }
    private let queue = WorkQueue<LadderWork>()
    private let encoders: [RungEncoder]
    private let intake = Mutex(Intake())
    private let decoding = Mutex(LadderStatistics.Decoding())
    private let now: @Sendable () -> ContinuousClock.Instant
    let latestQuality = Mutex<(rungs: [RungQuality], at: ContinuousClock.Instant)?>(nil)

    /// `now` tells the time for what it does without while it is behind.
    package init(
        _ placement: DevicePlacement,
        now: @escaping @Sendable () -> ContinuousClock.Instant = { .now }
    ) {
        self.placement = placement
        self.now = now
        encoders = placement.plan.rungs.map { RungEncoder($0, on: placement.seat) }
    }

    /// On the CPU.
    package convenience init(_ plan: LadderPlan) {
        self.init(DevicePlacement(plan))
    }

    /// Takes what is to be encoded; never blocks.
    package func send(_ events: [PictureEvent]) {
        for event in events {
            guard case .picture(let picture) = event else {
                intake.withLock { $0.isWaiting = false }
                queue.append(LadderWork(event: event, since: .now))
                continue
            }
            intake.withLock { send(picture, &$0) }
        }
    }

    private func send(_ incoming: Picture, _ intake: inout Intake) {
        var picture = incoming
        if intake.isWaiting {
            guard picture.isKeyframe else {
                intake.boundary = picture.boundary ?? intake.boundary
                intake.lost &+= 1
                return
            }
            picture.boundary = picture.boundary ?? intake.boundary
        }
        let isTaken = queue.append(
            LadderWork(event: .picture(picture), since: .now),
            cost: picture.payload.readableBytes + Self.pictureCost,
            limit: Self.queueLimit
        )
        intake.isWaiting = !isTaken
        if isTaken {
            intake.boundary = nil
        } else {
            intake.boundary = picture.boundary ?? intake.boundary
            intake.lost &+= 1
        }
    }

    /// Works until `close`.
    ///
    /// `deliver` is called with what came of a rung, on the rung's thread.
    package func run(deliver: @escaping @Sendable (LadderRung, PictureEvent) -> Void) async {
        await withDiscardingTaskGroup { group in
            for encoder in encoders {
                group.addTask {
                    _ = await WorkerThread.run("xcode-\(encoder.rung.height)p") {
                        encoder.run { deliver(encoder.rung, $0) }
                    }
                }
            }
            group.addTask { [self] in
                _ = await WorkerThread.run("xcode") { self.decode() }
                for encoder in encoders { encoder.close() }
            }
        }
    }

    /// Nothing more comes; `run` returns when all that was sent has been delivered.
    package func close() {
        queue.close()
    }

    /// Nobody wants more of it; `run` returns soon.
    package func cancel() {
        queue.close(leavingOut: true)
        for encoder in encoders { encoder.close(leavingOut: true) }
    }

    /// Has the rungs' coded pictures measured; `nil` ends it.
    func insert(_ probe: QualityProbe?) {
        for encoder in encoders { encoder.insert(probe) }
    }

    package var isBeingMeasured: Bool { encoders.contains { $0.isBeingMeasured } }

    private func decode() {
        let source = LadderSource(rungs: plan.rungs, on: placement.seat) { [encoders] output in
            switch output {
            case .all(let work):
                for encoder in encoders { encoder.send(work) }
            case .rung(let index, let work):
                encoders[index].send(work)
            }
        }
        var controller = LadderController(plan.rungs)
        while let work = queue.next() {
            let waiting = encoders.reduce(queue.count) { max($0, $1.queued) }
            controller.observe(waiting: waiting, at: now())
            source.wantedEffort = controller.effort
            source.consume(work)
            var statistics = source.statistics
            statistics.effort = controller.effort
            decoding.withLock { $0 = statistics }
        }
    }

    package var statistics: LadderStatistics {
        var decoding = decoding.withLock { $0 }
        decoding.queued = queue.count
        decoding.lostPictures = intake.withLock { $0.lost }
        return LadderStatistics(
            decoding: decoding,
            rungs: encoders.map(\.statistics),
            device: placement.seat.device?.name,
            deviceReason: placement.seat.reason
        )
    }
}

/// What waits to be decoded, and since when.
struct LadderWork: Sendable {
    let event: PictureEvent
    let since: ContinuousClock.Instant
}

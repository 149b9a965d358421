package import Media
import NIOCore
import Synchronization

/// Encodes the sound of one stream again, every track in every format.
///
/// ```
/// send ──SoundEvent──▶ thread xcode-sound: decode ▶ mix and resample ▶ encode ──SoundEvent──▶ deliver
/// ```
///
/// In:     what each rendition of sound publishes, with its segments.
/// Out:    for each format the same sound at the same times, with the same segments; in order.
/// Bound:  `queueLimit` bytes wait. Frames that are too many are left out here, and are silence.
/// Thread: one for the stream, behind all that is on air; it takes 1 to 2 % of a core a format.
package final class SoundTranscoder: Sendable {
    /// What came of a rendition.
    package struct Output: Sendable {
        package let source: String
        package let format: SoundOutputFormat
        package let event: SoundEvent
    }

    private struct Work: Sendable {
        let source: String
        let event: SoundEvent
        let since: ContinuousClock.Instant
    }

    /// Half a minute of what is usual.
    static let queueLimit = 4 << 20
    /// What a frame in the queue costs beside its bytes: small ones take time as well.
    private static let frameCost = 1 << 10

    package let formats: [SoundOutputFormat]
    private let queue = WorkQueue<Work>()
    private let lost = Mutex<UInt64>(0)
    private let measured = Mutex(SoundStatistics())

    /// Of formats of one name, the first is taken.
    package init(_ formats: [SoundOutputFormat]) {
        self.formats = formats.reduce(into: []) { known, format in
            if !known.contains(where: { $0.name == format.name }) { known.append(format) }
        }
    }

    /// Takes what is to be encoded of a rendition; never blocks.
    package func send(_ events: [SoundEvent], of source: String) {
        for event in events {
            let work = Work(source: source, event: event, since: .now)
            guard case .frame(let frame) = event else {
                queue.append(work)
                continue
            }
            let cost = frame.payload.readableBytes + Self.frameCost
            if !queue.append(work, cost: cost, limit: Self.queueLimit) {
                lost.withLock { $0 &+= 1 }
            }
        }
    }

    /// Works until `close`, on a thread of its own, on which `deliver` is called.
    package func run(deliver: @escaping @Sendable (Output) -> Void) async {
        _ = await WorkerThread.run("xcode-sound") { self.work(deliver) }
    }

    /// Nothing more comes; `run` returns when all that was sent has been delivered.
    package func close() {
        queue.close()
    }

    private func work(_ deliver: (Output) -> Void) {
        var lanes: [String: SoundLane] = [:]
        var statistics = SoundStatistics()
        while let work = queue.next() {
            var lane = lanes[work.source] ?? SoundLane(formats)
            lanes[work.source] = nil
            if statistics.outputs.allSatisfy({ $0.source != work.source }) {
                statistics.outputs += formats.map { .init(source: work.source, format: $0) }
            }
            let first = statistics.outputs.firstIndex { $0.source == work.source } ?? 0
            lane.consume(work.event) { index, event in
                switch event {
                case .begin(let format):
                    statistics.outputs[first + index].sampleRate = format.sampleRate
                    statistics.outputs[first + index].channels = format.channels
                case .frame(let frame):
                    statistics.outputs[first + index].count(
                        bytes: frame.payload.readableBytes,
                        after: .now - work.since
                    )
                case .boundary, .end: break
                }
                deliver(Output(source: work.source, format: formats[index], event: event))
            }
            for index in formats.indices {
                statistics.outputs[first + index].failure = lane.failures[index]
            }
            lanes[work.source] = lane
            statistics.undecodableFrames = lanes.values.reduce(0) { $0 &+ $1.undecodableFrames }
            statistics.cpuSeconds = ThreadClock.now / .seconds(1)
            let snapshot = statistics
            measured.withLock { $0 = snapshot }
        }
    }

    package var statistics: SoundStatistics {
        var statistics = measured.withLock { $0 }
        statistics.lostFrames = lost.withLock { $0 }
        statistics.queued = queue.count
        return statistics
    }
}

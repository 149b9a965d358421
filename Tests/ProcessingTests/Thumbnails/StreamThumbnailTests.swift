import Foundation
import Media
import NIOCore
import Processing
import Synchronization
import TestSupport
import Testing

/// Who gets which thumbnail, and what is decoded for it, by a clock of the test's own.
@Suite(.timeLimit(.minutes(1))) struct StreamThumbnailTests {
    private typealias Fixture = KeyframeFixture

    /// A stream, its thumbnail, and a workshop where work is done when the test says so.
    private final class Bench: Sendable {
        let live: LiveStream
        private let keyframe: LiveStream.Keyframe
        private let time = Mutex(WallTime.fixture)
        private let orders = Mutex<[StreamThumbnail]>([])
        private let terms: Mutex<StreamThumbnail.Terms?>
        private let made = Mutex<StreamThumbnail?>(nil)

        init(interval: Duration = .seconds(5)) async throws {
            live = try await Fixture.withFolder { folder in
                try await Fixture.stream(
                    Fixture.halves("64x36"),
                    ["-c:v", "libx264", "-pix_fmt", "yuv420p"],
                    in: folder
                )
            }
            keyframe = try #require(live.keyframe)
            terms = Mutex(StreamThumbnail.Terms(interval: interval, width: 64))
        }

        /// Of the bench's stream, unless told otherwise; always the same.
        func thumbnail(of live: LiveStream? = nil) -> StreamThumbnail {
            made.withLock { made in
                let thumbnail =
                    made
                    ?? StreamThumbnail(
                        of: live ?? self.live,
                        workshop: .init(
                            terms: { [self] in terms.withLock { $0 } },
                            submit: { [self] order in orders.withLock { $0.append(order) } }
                        ),
                        now: { [self] in now }
                    )
                made = thumbnail
                return thumbnail
            }
        }

        var now: WallTime { time.withLock { $0 } }
        var orderCount: Int { orders.withLock { $0.count } }

        func pass(_ duration: Duration) { time.withLock { $0 = $0.advanced(by: duration) } }
        func close() { terms.withLock { $0 = nil } }

        /// A keyframe comes: the same picture, or one that cannot be decoded.
        func send(isDamaged: Bool = false) {
            live.send(
                Fixture.keyframe(
                    isDamaged
                        ? ByteBuffer(bytes: [0, 0, 0, 2, 0x65, 0xFF]) : keyframe.unit.payload,
                    on: keyframe.unit.track
                )
            )
        }

        /// Does what was ordered first.
        func work() throws {
            let order = orders.withLock { $0.isEmpty ? nil : $0.removeFirst() }
            try #require(order).work()
        }

        /// Asks, and does the work when that has led to an order.
        func ask(_ format: Thumbnail.Format = .jpeg) async throws -> Thumbnail {
            let thumbnail = thumbnail()
            async let file = thumbnail.file(as: format)
            let isOrdered = Task { try await eventually { orderCount == 1 } }
            let worker = Task {
                guard try await isOrdered.value, !Task.isCancelled else { return }
                try work()
            }
            defer {
                isOrdered.cancel()
                worker.cancel()
            }
            return try await file
        }
    }

    @Test func oneDecodeIsForAllWhoAsk() async throws {
        let bench = try await Bench()
        let thumbnail = bench.thumbnail()
        try await withThrowingTaskGroup(of: Thumbnail.self) { group in
            for number in 0..<100 {
                group.addTask {
                    try await thumbnail.file(as: number.isMultiple(of: 4) ? .webP : .jpeg)
                }
            }
            #expect(try await eventually { thumbnail.waiters == 100 })
            #expect(bench.orderCount == 1)
            try bench.work()
            var files: [Thumbnail.Format: Set<ByteBuffer>] = [:]
            for try await file in group { files[file.format, default: []].insert(file.bytes) }
            #expect(files.count == 2 && files.values.allSatisfy { $0.count == 1 })
        }
        #expect(thumbnail.statistics.decodes == 1)
        #expect(thumbnail.statistics.failures == 0)
        #expect(thumbnail.statistics.cpuTime > .zero)
        #expect(bench.orderCount == 0)
    }

    @Test func itIsMadeAnewWhenItIsAskedForAfterTheInterval() async throws {
        let bench = try await Bench()
        let thumbnail = bench.thumbnail()
        _ = try await bench.ask()
        for _ in 0..<4 {
            bench.pass(.seconds(1))
            bench.send()
            _ = try await thumbnail.file(as: .jpeg)
        }
        #expect(thumbnail.statistics.decodes == 1)
        bench.pass(.seconds(1))
        _ = try await bench.ask()
        #expect(thumbnail.statistics.decodes == 2)
        // Nobody asks: nothing is done.
        for _ in 0..<100 {
            bench.pass(.seconds(5))
            bench.send()
        }
        #expect(bench.orderCount == 0)
        #expect(thumbnail.statistics.decodes == 2)
    }

    @Test func theSameKeyframeIsNotDecodedAgain() async throws {
        let bench = try await Bench()
        let first = try await bench.ask()
        bench.pass(.seconds(3_600))
        let later = try await bench.thumbnail().file(as: .jpeg)
        #expect(later.bytes == first.bytes)
        // The other format is made of the same picture.
        let other = try await bench.ask(.webP)
        #expect(other.takenAt == first.takenAt)
        #expect(bench.thumbnail().statistics.decodes == 1)
    }

    @Test func aClockThatIsPutBackDoesNotStopIt() async throws {
        let bench = try await Bench()
        _ = try await bench.ask()
        bench.pass(.seconds(-3_600))
        bench.send()
        _ = try await bench.ask()
        #expect(bench.thumbnail().statistics.decodes == 2)
    }

    @Test func aDamagedKeyframeLeavesThePictureBefore() async throws {
        let bench = try await Bench()
        let thumbnail = bench.thumbnail()
        let first = try await bench.ask()
        bench.pass(.seconds(5))
        bench.send(isDamaged: true)
        #expect(try await bench.ask().bytes == first.bytes)
        #expect(thumbnail.statistics.failures == 1)
        #expect(thumbnail.condition == .failing)
        // It is not tried again, and the next is tried after a second.
        bench.pass(.milliseconds(900))
        _ = try await thumbnail.file(as: .jpeg)
        bench.send()
        _ = try await thumbnail.file(as: .jpeg)
        #expect(thumbnail.statistics.failures == 1)
        bench.pass(.milliseconds(100))
        _ = try await bench.ask()
        #expect(thumbnail.statistics.decodes == 2)
        #expect(thumbnail.condition == .ready)
    }

    @Test func whereAllKeyframesAreDamagedThatIsSaid() async throws {
        let bench = try await Bench()
        bench.send(isDamaged: true)
        for _ in 0..<2 {
            let error = await #expect(throws: ThumbnailError.self) { try await bench.ask() }
            guard case .undecodable(let words) = error else {
                Issue.record("\(String(describing: error))")
                return
            }
            #expect(!words.isEmpty)
        }
        #expect(bench.thumbnail().statistics.failures == 1)
    }

    @Test func whoeverWaitsForTooLongGetsTheOneBeforeOrIsToldSo() async throws {
        let bench = try await Bench()
        let thumbnail = bench.thumbnail()
        let first = Task { try await thumbnail.file(as: .jpeg) }
        #expect(try await eventually { thumbnail.waiters == 1 })
        bench.pass(.milliseconds(2_900))
        thumbnail.expireWaiters(now: bench.now)
        #expect(thumbnail.waiters == 1)
        bench.pass(.milliseconds(100))
        thumbnail.expireWaiters(now: bench.now)
        await #expect(throws: ThumbnailError.busy) { try await first.value }
        // The order stands, and does nothing for nobody.
        try bench.work()
        #expect(thumbnail.statistics.decodes == 0)

        let made = try await bench.ask()
        bench.pass(.seconds(5))
        bench.send()
        let second = Task { try await thumbnail.file(as: .jpeg) }
        #expect(try await eventually { thumbnail.waiters == 1 })
        bench.pass(.seconds(3))
        thumbnail.expireWaiters(now: bench.now)
        #expect(try await second.value.bytes == made.bytes)
        #expect(thumbnail.statistics.decodes == 1)
    }

    @Test func whoeverLeavesIsForgotten() async throws {
        let bench = try await Bench()
        let thumbnail = bench.thumbnail()
        let task = Task { try await thumbnail.file(as: .jpeg) }
        #expect(try await eventually { thumbnail.waiters == 1 })
        task.cancel()
        await #expect(throws: ThumbnailError.cancelled) { try await task.value }
        #expect(thumbnail.waiters == 0)
        try bench.work()
        #expect(thumbnail.statistics.decodes == 0)
    }

    @Test func workThatCannotBeDoneIsOrderedAnew() async throws {
        let bench = try await Bench()
        let thumbnail = bench.thumbnail()
        let first = Task { try await thumbnail.file(as: .jpeg) }
        #expect(try await eventually { thumbnail.waiters == 1 })
        thumbnail.abandon()
        await #expect(throws: ThumbnailError.busy) { try await first.value }
        let second = Task { try await thumbnail.file(as: .jpeg) }
        #expect(try await eventually { bench.orderCount == 2 })
        try bench.work()
        _ = try await second.value
        #expect(thumbnail.statistics.decodes == 1)
    }

    @Test func streamsWithoutAPictureThatCanBeDecodedSaySo() async throws {
        let live = try Fixture.stream()
        let thumbnail = try await Bench().thumbnail(of: live)
        await #expect(throws: ThumbnailError.notYet) { try await thumbnail.file(as: .jpeg) }
        #expect(thumbnail.condition == nil)
        let sound = Track(id: Track.ID(2), format: .audio(.sample))
        live.send(.tracks(TrackList([sound])))
        await #expect(throws: ThumbnailError.noPicture) { try await thumbnail.file(as: .jpeg) }
        #expect(thumbnail.condition == nil)
        var format = VideoFormat.sample()
        live.send(.tracks(TrackList([Track(id: Track.ID(1), format: .video(format)), sound])))
        await #expect(throws: ThumbnailError.notYet) { try await thumbnail.file(as: .jpeg) }
        #expect(thumbnail.condition == .waiting)
        format.codec = .jpegXS
        live.send(.tracks(TrackList([Track(id: Track.ID(1), format: .video(format)), sound])))
        await #expect(throws: ThumbnailError.noDecoder(.jpegXS)) {
            try await thumbnail.file(as: .jpeg)
        }
        #expect(thumbnail.condition == nil)
    }

    @Test func noneAreMadeWhereTheyAreOff() async throws {
        let bench = try await Bench()
        let thumbnail = bench.thumbnail()
        let file = Task { try await thumbnail.file(as: .jpeg) }
        #expect(try await eventually { thumbnail.waiters == 1 })
        bench.close()
        try bench.work()
        await #expect(throws: ThumbnailError.disabled) { try await file.value }
        await #expect(throws: ThumbnailError.disabled) { try await thumbnail.file(as: .jpeg) }
        #expect(thumbnail.condition == nil)
        #expect(thumbnail.statistics.decodes == 0)
    }
}

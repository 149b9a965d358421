import Ingestion
import Logging
import Media
import MirrorServer
import NIOCore
import Packaging
import Processing
import Synchronization
import TestSupport
import Testing

/// A stream of sound alone: its slate is silence, and nothing has to be encoded.
@Suite struct StreamRegistrySlateTests {
    private static let track = Track(
        id: Track.ID(257),
        format: .audio(.sample)
    )
    private static let silence = ByteBuffer(bytes: [0xEE])

    private final class Bench: Sendable {
        let registry: StreamRegistry
        private let clock: Clock
        private let name: StreamName

        final class Clock: Sendable {
            let now = Mutex(WallTime(microsecondsSinceEpoch: 1_000_000_000))
        }

        final class Box: Sendable {
            let jobs = Mutex<[SlateLibrary.Job]>([])
        }

        private let box: Box

        init(slate: String? = "slate.png") throws {
            var configuration = ServerConfiguration()
            configuration.publishing.grace = .seconds(5)
            configuration.publishing.slate.file = slate
            configuration.publishing.slate.limit = .seconds(20)
            let (clock, box) = (Clock(), Box())
            (self.clock, self.box) = (clock, box)
            name = try #require(StreamName("news"))
            registry = StreamRegistry(
                rules: StreamRules(configuration),
                packaging: configuration.packaging,
                directory: StreamDirectory(),
                logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }),
                now: { clock.now.withLock { $0 } },
                onStart: { _ in },
                makeSlate: { job in box.jobs.withLock { $0.append(job) } }
            )
        }

        var orders: [SlateLibrary.Job] { box.jobs.withLock { $0 } }
        var entry: StreamRegistry.Entry? { registry[name] }

        func publish() throws -> Publication {
            try registry.publish(
                PublishRequest(
                    name: name,
                    sourceAddress: "192.0.2.1",
                    sourcePort: 9_000,
                    transport: .srtListener
                ),
                disconnect: {}
            )
        }

        func pass(_ duration: Duration) {
            clock.now.withLock { $0 = $0.advanced(by: duration) }
        }

        /// Two seconds of sound, all at this moment.
        func send(_ publication: Publication) {
            let now = clock.now.withLock { $0 }
            publication.send([.tracks(TrackList([track]))])
            for index in 0..<100 {
                let time = MediaTime(ticks: Int64(index * 1_024), timescale: 48_000)
                let unit = AccessUnit(
                    track: track.id,
                    pts: time,
                    dts: time,
                    payload: ByteBuffer(bytes: [0x21]),
                    randomAccess: .closed,
                    arrival: now
                )
                publication.send([.accessUnit(unit)])
            }
        }
    }

    /// A stream on air whose slate is ready, and the task that packages it.
    private static func onAir(_ bench: Bench) async throws -> (Publication, Task<Void, Never>) {
        let publication = try bench.publish()
        let pipeline = try #require(bench.entry?.pipeline)
        let packaging = Task { await pipeline.run() }
        bench.send(publication)
        #expect(try await eventually { pipeline.firstPartAt != nil })
        bench.registry.prepareSlates()
        return (publication, packaging)
    }

    private static func deliver(_ job: SlateLibrary.Job) {
        guard let format = track.audio else { return }
        job.deliver(
            ReadySlate(
                stream: job.model.tracks,
                loop: nil,
                silence: [track.id: Silence(format: format, payload: silence)]
            )
        )
    }

    @Test func aSlateIsOrderedOnceForWhatIsOnAir() async throws {
        let bench = try Bench()
        let (_, packaging) = try await Self.onAir(bench)
        defer { packaging.cancel() }
        bench.registry.prepareSlates()
        #expect(bench.orders.map(\.file) == ["slate.png"])
        #expect(bench.orders.first?.model.tracks == TrackList([Self.track]))
        // Told to ask again, and after a reload.
        bench.orders.first?.deliver(nil)
        bench.registry.prepareSlates()
        #expect(bench.orders.count == 2)
        var configuration = ServerConfiguration()
        configuration.publishing.slate.file = "other.png"
        bench.registry.update(rules: StreamRules(configuration))
        bench.registry.prepareSlates()
        #expect(bench.orders.map(\.file) == ["slate.png", "slate.png", "other.png"])
    }

    @Test func nothingIsOrderedWhereNoSlateIsConfigured() async throws {
        let bench = try Bench(slate: nil)
        let (_, packaging) = try await Self.onAir(bench)
        defer { packaging.cancel() }
        #expect(bench.orders.isEmpty)
        #expect(bench.entry?.slate.isWanted == false)
    }

    @Test func theSlateHoldsTheStreamAndItsGraceBeginsAfterIt() async throws {
        let bench = try Bench()
        let (publication, packaging) = try await Self.onAir(bench)
        defer { packaging.cancel() }
        Self.deliver(try #require(bench.orders.first))
        #expect(bench.entry?.slate.condition == .ready)
        #expect(!bench.registry.showSlates())

        publication.end(.disconnected)
        bench.pass(.seconds(1) + .milliseconds(30))
        #expect(bench.registry.showSlates())
        #expect(bench.entry?.slate.condition == .onAir)
        #expect(bench.entry?.slate.timesShown == 1)
        bench.pass(.seconds(19))
        bench.registry.expire()
        #expect(bench.entry?.phase == .interrupted)

        bench.pass(.seconds(1))
        #expect(!bench.registry.showSlates())
        #expect(bench.entry?.slate.condition == .over)
        bench.pass(.seconds(4))
        bench.registry.expire()
        #expect(bench.entry?.phase == .interrupted)
        bench.pass(.seconds(1))
        bench.registry.expire()
        #expect(bench.entry?.phase == .ended)
    }

    @Test func aPublisherThatReturnsTakesTheSlatesPlace() async throws {
        let bench = try Bench()
        let (publication, packaging) = try await Self.onAir(bench)
        defer { packaging.cancel() }
        Self.deliver(try #require(bench.orders.first))
        publication.end(.disconnected)
        bench.pass(.seconds(10))
        #expect(bench.registry.showSlates())
        let second = try bench.publish()
        #expect(bench.registry.showSlates(), "it has sent nothing yet")
        bench.send(second)
        #expect(!bench.registry.showSlates())
        #expect(bench.entry?.slate.condition == .ready)
        #expect(bench.entry?.phase == .live)
        // Silent, though connected: the slate again.
        bench.pass(.seconds(2))
        #expect(bench.registry.showSlates())
        #expect(bench.entry?.slate.timesShown == 2)
    }

    @Test func aServerThatStopsShowsNoSlate() async throws {
        let bench = try Bench()
        let (_, packaging) = try await Self.onAir(bench)
        defer { packaging.cancel() }
        Self.deliver(try #require(bench.orders.first))
        bench.registry.shutDown()
        bench.pass(.seconds(3))
        #expect(!bench.registry.showSlates())
    }
}

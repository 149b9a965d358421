import Foundation
import Ingestion
import Media
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(10)))
struct MergedFeedTests {
    private static let datagramSize = 1_316
    /// Datagrams that are on their way at once.
    private static let window = 20

    /// A gateway from a multiplexer to the listener.
    private struct Line {
        let name: String
        private let gateway: ExternalProcess
        private let input: FileHandle

        /// However slow the machine is, neither side gives up on the other.
        init(_ name: String, to listener: Int) throws {
            self.name = name
            let pipe = Pipe()
            input = pipe.fileHandleForWriting
            gateway = try ExternalProcess(
                "srt-live-transmit",
                [
                    "-q", "-a:no", "-loglevel:fatal", "-chunk:\(datagramSize)", "file://con",
                    "srt://127.0.0.1:\(listener)?streamid=\(name)&latency=20&snddropdelay=-1"
                        + "&conntimeo=300000&peeridletimeo=300000",
                ],
                input: pipe.fileHandleForReading
            )
        }

        func send(_ bytes: some Collection<UInt8>) throws {
            try input.write(contentsOf: Data(bytes))
        }

        func cut(_ signal: Int32) async {
            gateway.signal(signal)
            // One that waits for input hears of SIGTERM only then.
            try? input.close()
            _ = await gateway.wait()
        }
    }

    /// Sends a clip over lines, no faster than it comes out of the merge.
    private struct Multiplexer {
        let clip: [UInt8]
        let feed: MergedFeed
        private(set) var sent = 0

        var packets: UInt64 { UInt64(sent / 188) }
        var isWhole: Bool { feed.statistics.packets == packets }

        init(_ clip: [UInt8], into feed: MergedFeed) {
            self.clip = clip
            self.feed = feed
        }

        mutating func send(_ datagrams: Int, over lines: [Line]) async throws {
            for _ in 0..<datagrams {
                let end = sent + datagramSize
                try #require(end <= clip.count, "the clip is too short: \(feed.statistics)")
                for line in lines { try line.send(clip[sent..<end]) }
                sent = end
                let due = packets - min(packets, UInt64(window * datagramSize / 188))
                let isDue = try await eventually { feed.statistics.packets >= due }
                try #require(isDue, "\(feed.statistics) of \(packets)")
            }
        }

        /// Sends until each line is found where it belongs; what a new one loses at first is little.
        mutating func sendUntilFound(over lines: [Line]) async throws {
            var patience = Duration.milliseconds(100)
            while try await !eventually(within: patience, { MergedFeedTests.areFound(feed) }) {
                try await send(window / 2, over: lines)
                patience *= 2
            }
        }
    }

    private static func names() throws -> [StreamName] {
        try ["main-a", "main-b"].map { try #require(StreamName($0)) }
    }

    /// Picture and sound, 19 MB.
    private func makeClip() async throws -> [UInt8] {
        let url = FileManager.default.temporaryDirectory.appending(path: "\(UUID()).ts")
        defer { try? FileManager.default.removeItem(at: url) }
        try await ExternalProcess.run(
            "ffmpeg",
            [
                "-v", "error", "-f", "lavfi", "-i", "testsrc=size=320x180:rate=25", "-f", "lavfi",
                "-i", "sine=440", "-t", "60", "-vf", "noise=alls=40:allf=t", "-c:v", "libx264",
                "-preset", "ultrafast", "-b:v", "2500k", "-g", "50", "-c:a", "aac", "-f", "mpegts",
                url.path,
            ]
        )
        return Array(try Data(contentsOf: url))
    }

    private func makeListener(_ admission: RecordingAdmission) -> SRTListener {
        var configuration = SRTListener.Configuration()
        configuration.bindAddress = "127.0.0.1"
        configuration.port = 0
        configuration.latency = .milliseconds(20)
        configuration.receivers = 2
        configuration.peerIdleTimeout = .seconds(300)
        return SRTListener(
            configuration: configuration,
            admission: admission,
            logger: LogCollector().logger
        )
    }

    @Test func aHundredCutsOfTwoLinesOverSRTCostNothing() async throws {
        let received = ReceivedUnits()
        // However slow the machine is, one line is not so much later than the other.
        let feed = MergedFeed(
            legs: try Self.names(),
            configuration: .init(maximumSkew: .seconds(300), silence: .seconds(300)),
            deliver: received.take
        )
        let admission = RecordingAdmission(allowsTakeover: true, feed: feed)
        let listener = makeListener(admission)
        let port = try listener.start()
        let serving = Task { try await listener.run() }
        defer { serving.cancel() }

        var lines = try Self.names().map { try Line($0.description, to: port) }
        for _ in lines { _ = await admission.nextPublication() }
        var multiplexer = Multiplexer(try await makeClip(), into: feed)
        var random = SeededRandom(seed: 2_022)
        for _ in 0..<100 {
            try await multiplexer.sendUntilFound(over: lines)
            try await multiplexer.send(Int.random(in: 0...10, using: &random), over: lines)
            let leg = Int.random(in: 0...1, using: &random)
            // One that closes its connection, and one that is silent from here on.
            await lines[leg].cut(Bool.random(using: &random) ? SIGTERM : SIGKILL)
            let alone = Int.random(in: 0...30, using: &random)
            try await multiplexer.send(alone, over: [lines[1 - leg]])
            lines[leg] = try Line(lines[leg].name, to: port)
            _ = await admission.nextPublication()
        }
        try await multiplexer.sendUntilFound(over: lines)
        let isWhole = try await eventually { multiplexer.isWhole }
        let statistics = feed.statistics
        for line in lines { await line.cut(SIGTERM) }
        let hasEnded = try await eventually { !received.breaks.isEmpty }
        serving.cancel()
        try await serving.value

        #expect(isWhole && hasEnded, "\(statistics) of \(multiplexer.packets)")
        #expect(statistics.holes == 0 && statistics.restarts == 0)
        let expected = ReceivedUnits(of: multiplexer.clip[..<multiplexer.sent]).units
        let isSame = received.units == expected
        #expect(isSame, "\(received.units.count) of \(expected.count): \(statistics)")
        #expect(received.breaks == ["end: disconnected"])
        #expect(statistics.legs.allSatisfy { $0.usedPackets > 0 && $0.missingPackets > 0 })
    }

    private static func areFound(_ feed: MergedFeed) -> Bool {
        feed.statistics.legs.allSatisfy { [.leading, .following].contains($0.state) }
    }

    @Test func aStreamEndsWithItsLastLeg() throws {
        let received = ReceivedUnits()
        let feed = MergedFeed(legs: try Self.names(), deliver: received.take)
        let legs = try Self.names().map { try #require(feed.join($0)) }
        legs[0].leave(.disconnected, at: .now)
        #expect(received.breaks.isEmpty)
        legs[0].leave(.disconnected, at: .now)
        legs[1].leave(.idle, at: .now)
        #expect(received.breaks == ["end: idle"])
        #expect(feed.join(try #require(StreamName("other"))) == nil)
    }

    @Test func aConnectionWhosePlaceWasTakenIsNotListenedTo() throws {
        let received = ReceivedUnits()
        let feed = MergedFeed(legs: try Self.names(), deliver: received.take)
        let first = try #require(feed.join(try Self.names()[0]))
        let second = try #require(feed.join(try Self.names()[0]))
        let bytes = RedundantFeed(packets: 100, seed: 1).bytes
        bytes.withUnsafeBytes { first.receive($0, arrival: .now, isAfterLoss: false) }
        #expect(feed.statistics.packets == 0)
        first.leave(.takenOver, at: .now)
        #expect(received.breaks.isEmpty)
        bytes.withUnsafeBytes { second.receive($0, arrival: .now, isAfterLoss: false) }
        #expect(feed.statistics.packets == 100)
        #expect(second.transportStream.packets > 90)
        second.leave(.disconnected, at: .now)
        #expect(received.breaks == ["end: disconnected"])
    }
}

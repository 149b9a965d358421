import Glibc
import Ingestion
import Media
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(1)))
struct SRTCallerTests {
    private let logs = LogCollector()

    /// A UDP port that was free a moment ago.
    private func freePort() throws -> Int {
        let descriptor = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let port = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, length) == 0 && getsockname(descriptor, $0, &length) == 0
            }
        }
        try #require(port)
        return Int(UInt16(bigEndian: address.sin_port))
    }

    private func withCaller(
        _ url: String,
        _ admission: RecordingAdmission,
        _ body: () async throws -> Void
    ) async throws {
        let name = try #require(StreamName("pulled"))
        var configuration = SRTCaller.Configuration(url: try SRTURL(url), stream: name)
        configuration.reconnectMinimum = .milliseconds(50)
        configuration.reconnectMaximum = .milliseconds(200)
        let caller = SRTCaller(
            configuration: configuration,
            admission: admission,
            logger: logs.logger
        )
        let running = Task { try await caller.run() }
        defer { running.cancel() }
        try await body()
        running.cancel()
        try await running.value
    }

    @Test func aListenerElsewhereIsPulledAndCalledAgainWhenItComesBack() async throws {
        let admission = RecordingAdmission()
        let port = try freePort()
        let url = "srt://127.0.0.1:\(port)?passphrase=correct-horse&streamid=any"
        try await withCaller(url, admission) {
            let query = "mode=listener&passphrase=correct-horse"
            let first = try SRTTestPublisher.ffmpeg(port: port, query, seconds: 2)
            let publication = try #require(await admission.nextPublication())
            #expect(publication.request.transport == .srtCaller)
            #expect(publication.request.name.description == "pulled")
            #expect(publication.request.sourceAddress == "127.0.0.1")
            while publication.statistics.receivedBytes == 0 {
                try await Task.sleep(for: .milliseconds(20))
            }
            #expect(try #require(await admission.nextEnd()).reason == .disconnected)
            _ = await first.wait()

            let second = try SRTTestPublisher.ffmpeg(port: port, query)
            #expect(await admission.nextPublication() != nil)
            second.signal(SIGKILL)
        }
        #expect(try #require(await admission.nextEnd()).reason == .shutdown)
    }

    @Test func theRejectCodeOfTheListenerReachesTheCaller() async throws {
        var configuration = SRTListener.Configuration()
        configuration.bindAddress = "127.0.0.1"
        configuration.port = 0
        let listener = SRTListener(
            configuration: configuration,
            admission: RecordingAdmission(),
            logger: LogCollector().logger
        )
        let port = try listener.start()
        let serving = Task { try await listener.run() }
        defer { serving.cancel() }
        try await withCaller("srt://127.0.0.1:\(port)?streamid=../x", RecordingAdmission()) {
            let line = try #require(await logs.next("SRT pull failed"))
            #expect(line["reason"]?.contains("(1400)") == true)
            #expect(line["stream"] == "pulled")
        }
    }

    @Test func aWrongPassphraseIsNamedAndNotPrinted() async throws {
        var configuration = SRTListener.Configuration()
        configuration.bindAddress = "127.0.0.1"
        configuration.port = 0
        let listener = SRTListener(
            configuration: configuration,
            admission: RecordingAdmission(passphrase: "correct-horse"),
            logger: LogCollector().logger
        )
        let port = try listener.start()
        let serving = Task { try await listener.run() }
        defer { serving.cancel() }
        let url = "srt://127.0.0.1:\(port)?streamid=cam&passphrase=battery-staple"
        try await withCaller(url, RecordingAdmission()) {
            let line = try #require(await logs.next("SRT pull failed"))
            #expect(line["reason"]?.contains("Incorrect passphrase") == true)
            #expect(!"\(line.metadata)".contains("battery"))
        }
    }
}

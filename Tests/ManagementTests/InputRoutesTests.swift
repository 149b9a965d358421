import Distribution
import HTTPTypes
import HummingbirdTesting
import Ingestion
import Management
import Media
import NIOCore
import Synchronization
import TestSupport
import Testing

@Suite struct InputRoutesTests {
    private static let path = "/api/v1/streams/main/inputs/main-b/selected"

    @Test func inputsAreToldWithTheirStateAndWhatBecameOfThem() async throws {
        let fixture = ManagementFixture(streams: [try .redundant()])
        let inputs = try await fixture.get("/api/v1/streams/main").json["inputs"]
        #expect(inputs?["mode"] == "failover")
        #expect(inputs?["selected"] == nil)
        #expect(inputs?["switches"]?["ended"] == 1)
        #expect(inputs?["last_switch"]?["from"] == "main-b")
        #expect(inputs?["last_switch"]?["to"] == "main-a")
        #expect(inputs?["last_switch"]?["reason"] == "ended")
        let members = inputs?["members"]
        #expect(members?[0]?["state"] == "on_air" && members?[1]?["state"] == "missing")
        #expect(members?[0]?["publisher"]?["transport"] == "srt")
        #expect(members?[0]?["ingest"]?["bitrate_bits_per_second"] == 8_000)
        #expect(members?[0]?["tracks"]?[0]?["codec"] == "AAC")
        #expect(members?[1]?["publisher"] == nil)
    }

    @Test func whatIsPutIsSelectedAndWhatIsDeletedIsReleased() async throws {
        let commands = Mutex<[String]>([])
        let fixture = ManagementFixture(
            streams: [try .redundant(selecting: "main-b")],
            selectInput: { stream, input in
                commands.withLock { $0.append("\(stream) \(input?.description ?? "first")") }
            }
        )
        let put = try await fixture.get(Self.path, .put)
        #expect(put.status == .ok)
        #expect(try put.json["selected"] == "main-b")
        #expect(try await fixture.get(Self.path, .delete).status == .ok)
        #expect(commands.withLock { $0 } == ["main main-b", "main first"])
    }

    @Test func whatCannotBeSelectedOrReleasedIsSaidWithTheNextStep() async throws {
        let backup = try #require(StreamName("main-b"))
        let main = try #require(StreamName("main"))
        let fixture = ManagementFixture(
            streams: [try .redundant(), try .live("plain")],
            selectInput: { _, _ in throw ProblemDetails.nobodyFeeds(backup, of: main) }
        )
        for (path, status, words) in [
            (Self.path, HTTPResponse.Status.conflict, "streamid=main-b"),
            ("/api/v1/streams/main/inputs/other/selected", .notFound, "is no input of 'main'"),
            ("/api/v1/streams/plain/inputs/plain/selected", .notFound, "is no input of 'plain'"),
            ("/api/v1/streams/nobody/inputs/main-b/selected", .notFound, "Nobody publishes"),
            ("/api/v1/streams/main/inputs/a%20b/selected", .notFound, "Stream names are"),
        ] {
            let answer = try await fixture.get(path, .put)
            #expect(answer.status == status, "\(path)")
            #expect(String(buffer: answer.body).contains(words), "\(path)")
        }
        let released = try await fixture.get(Self.path, .delete)
        #expect(released.status == .conflict)
        #expect(String(buffer: released.body).contains("nothing to release"))
        let asked = try await fixture.get(Self.path)
        #expect(asked.status == .methodNotAllowed && asked.headers[.allow] == "PUT, DELETE")
    }

    @Test func eachInputHasItsMetrics() async throws {
        let fixture = ManagementFixture(streams: [try .redundant()])
        let metrics = Metrics(String(buffer: try await fixture.get("/metrics").body))
        let first = "{stream=\"main\",input=\"main-a\"}"
        let second = "{stream=\"main\",input=\"main-b\"}"
        #expect(metrics["mirror_stream_input_on_air\(first)"] == 1)
        #expect(metrics["mirror_stream_input_on_air\(second)"] == 0)
        #expect(metrics["mirror_stream_input_fit\(first)"] == 1)
        #expect(metrics["mirror_stream_input_fit\(second)"] == 0)
        #expect(metrics["mirror_stream_input_rate_bytes_per_second\(first)"] == 1_000)
        let switches = "mirror_stream_input_switches_total"
        #expect(metrics["\(switches){stream=\"main\",reason=\"ended\"}"] == 1)
        #expect(metrics["\(switches){stream=\"main\",reason=\"silence\"}"] == 0)
    }
}

extension StreamSnapshot {
    /// A stream with two inputs, of which the first is on air and the second has no publisher.
    static func redundant(selecting selected: String? = nil) throws -> StreamSnapshot {
        let names = try ["main-a", "main-b"].map { try #require(StreamName($0)) }
        var inputs = InputSwitch(InputSwitch.Configuration(names: names))
        let unit = AccessUnit(
            track: Track.englishAudio.id,
            pts: .zero(timescale: 90_000),
            dts: .zero(timescale: 90_000),
            payload: ByteBuffer(string: "sound"),
            randomAccess: .closed,
            arrival: .sample
        )
        let events: [MediaEvent] = [.tracks(TrackList([.englishAudio])), .accessUnit(unit)]
        for name in names.reversed() { _ = inputs.receive(events, from: name) }
        _ = inputs.receive([.end(.idle)], from: names[1])
        _ = inputs.select(selected.flatMap { StreamName($0) })
        let status = inputs.status(claimed: [names[0]], now: .sample)
        var stream = try StreamSnapshot.live("main")
        let publication = try Publication.sample(of: names[0])
        stream.inputs = InputsSnapshot(
            mode: "failover",
            status: status,
            members: status.inputs.map { input in
                InputsSnapshot.Member(
                    input,
                    publication: input.name == names[0] ? publication : nil,
                    advice: []
                )
            }
        )
        return stream
    }
}

extension Publication {
    fileprivate static func sample(of name: StreamName) throws -> Publication {
        let publication = Publication(
            id: 1,
            request: PublishRequest(
                name: name,
                sourceAddress: "192.0.2.7",
                sourcePort: 9_000,
                transport: .srtListener
            ),
            startedAt: .sample,
            deliver: { _ in },
            disconnect: {},
            onEnd: { _, _ in }
        )
        publication.update { $0.bitrateBitsPerSecond = 8_000 }
        return publication
    }
}

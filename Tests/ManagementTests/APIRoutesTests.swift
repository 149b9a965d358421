import Foundation
import HTTPTypes
import HummingbirdTesting
import Ingestion
import Management
import NIOCore
import Packaging
import TestSupport
import Testing

@Suite struct APIRoutesTests {
    @Test func listsStreamsAsParsed() async throws {
        let fixture = ManagementFixture(streams: [try .live("stage")])
        let response = try await fixture.get("/api/v1/streams")
        #expect(response.status == .ok)
        #expect(response.headers[.contentType] == "application/json; charset=utf-8")
        #expect(response.headers[.cacheControl] == "no-store")
        let stream = try #require(try response.json["streams"]?[0])
        #expect(stream["name"] == "stage")
        #expect(stream["state"] == "live")
        #expect(stream["since"] == "2026-03-01T12:00:00.250Z")
        #expect(stream["delivery"]?["playlist_path"] == "/live/stage/playlist.m3u8")
        #expect(stream["delivery"]?["watch_path"] == "/watch/stage")
        #expect(stream["delivery"]?["viewers"] == 2)
    }

    @Test func describesEveryTrack() async throws {
        let fixture = ManagementFixture(streams: [try .live("stage")])
        let stream = try await fixture.get("/api/v1/streams/stage").json
        let video = stream["tracks"]?[0]
        #expect(video?["kind"] == "video")
        #expect(video?["codec"] == "HEVC")
        #expect(video?["codec_string"] == "hvc1.2.4.L123.B0")
        #expect(video?["video"]?["profile"] == "Main 10")
        #expect(video?["video"]?["frame_rate"] == 59.94)
        #expect(video?["video"]?["bit_depth"] == 10)
        #expect(video?["video"]?["dynamic_range"] == "HLG")
        #expect(video?["video"]?["colour"]?["transfer"] == 18)
        #expect(video?["video"]?["is_interlaced"] == false)
        let audio = stream["tracks"]?[1]
        #expect(audio?["language"] == "eng")
        #expect(audio?["audio"]?["sample_rate_hertz"] == 48_000)
        #expect(audio?["audio"]?["layout"] == "stereo")
        let data = stream["tracks"]?[2]
        #expect(data?["kind"] == "data")
        #expect(data?["codec"] == "SCTE-35")
        #expect(data?["codec_string"] == nil)
    }

    @Test func tellsOfThePublisherAndItsConnection() async throws {
        let fixture = ManagementFixture(streams: [try .live("stage")])
        let stream = try await fixture.get("/api/v1/streams/stage").json
        #expect(stream["publisher"]?["address"] == "[2001:db8::7]:41000")
        #expect(stream["publisher"]?["transport"] == "srt")
        #expect(stream["publisher"]?["srt"]?["round_trip_milliseconds"] == 12.346)
        #expect(stream["publisher"]?["srt"]?["encryption"] == "AES-256")
        #expect(stream["ingest"]?["bitrate_bits_per_second"] == 50_000_000)
        #expect(stream["ingest"]?["transport_stream"]?["continuity_errors"] == 7)
    }

    @Test func saysWhoseClockDatesTheMedia() async throws {
        for (hasSourceClock, clock) in [(false, "arrival"), (true, "source")] {
            var stream = try StreamSnapshot.live("stage")
            var statistics = IngestStatistics()
            statistics.transportStream.hasSourceClock = hasSourceClock
            stream.ingest = IngestSnapshot(statistics)
            let json = try await ManagementFixture(streams: [stream])
                .get("/api/v1/streams/stage").json
            #expect(json["ingest"]?["clock"]?.string == clock)
        }
    }

    @Test func aSnapshotReadsBackAsItWasWritten() throws {
        let stream = try StreamSnapshot.live("stage")
        let copy = try JSONDecoder().decode(
            StreamSnapshot.self,
            from: JSONEncoder().encode(stream)
        )
        #expect(copy == stream)
    }

    @Test(arguments: ["/api/v1/streams/nobody", "/api/v1/streams/.hidden", "/watch/a%20b"])
    func anUnknownNameIsAProblemWithANextStep(path: String) async throws {
        let response = try await ManagementFixture().get(path)
        #expect(response.status == .notFound)
        #expect(response.headers[.contentType]?.hasPrefix("application/problem+json") == true)
        let problem = try response.json
        #expect(problem["status"] == 404)
        #expect(problem["type"] == "urn:mirror:problem:unknown_stream")
        #expect(problem["detail"]?.string?.contains("GET /api/v1/streams") == true)
    }

    @Test func saysWhatTheEncoderShouldChange() async throws {
        var stream = try StreamSnapshot.live("stage")
        var statistics = PackagerStatistics()
        statistics.frameRate = 29.97003
        statistics.forcedCuts = 3
        statistics.advice = [Advice(code: .gopTooLong, text: "Set the GOP to 2 s.")]
        stream.packaging = PackagingSnapshot(statistics)
        let fixture = ManagementFixture(streams: [stream])
        let packaging = try await fixture.get("/api/v1/streams/stage").json["packaging"]
        #expect(packaging?["advice"]?[0]?["code"] == "gop_too_long")
        #expect(packaging?["advice"]?[0]?["message"] == "Set the GOP to 2 s.")
        #expect(packaging?["measured_frame_rate"] == 29.97)
        #expect(packaging?["forced_cuts"] == 3)
        #expect(packaging?["gop"]?["last_seconds"] == nil)
    }

    @Test func figuresThatAreNotNumbersBecomeZero() async throws {
        var stream = try StreamSnapshot.live("stage")
        var statistics = PackagerStatistics()
        statistics.frameRate = .infinity
        stream.packaging = PackagingSnapshot(statistics)
        let fixture = ManagementFixture(streams: [stream])
        let packaging = try await fixture.get("/api/v1/streams/stage").json["packaging"]
        #expect(packaging?["measured_frame_rate"] == 0)
    }

    @Test func saysHowToPublish() async throws {
        let server = try await ManagementFixture().get("/api/v1/server").json
        #expect(server["version"] == "1.2.3")
        #expect(server["publish"]?["srt_port"] == 30_000)
        #expect(server["publish"]?["is_passphrase_required"] == true)
    }

    @Test(arguments: ["/", "/watch/cam", "/api/v1/streams", "/health/ready", "/metrics"])
    func otherMethodsAreToldWhichAreAnswered(path: String) async throws {
        for method in [HTTPRequest.Method.post, .put, .patch, .delete, .options] {
            let response = try await ManagementFixture().get(path, method)
            #expect(response.status == .methodNotAllowed, "\(method)")
            #expect(response.headers[.allow] == "GET, HEAD")
        }
        #expect(
            try await ManagementFixture().get("\(path)/nothing/here", .post).status == .notFound
        )
    }

    @Test func everyRouteIsInTheDescription() throws {
        let description = try String(
            contentsOf: MirrorProcess.project.appending(path: "docs/openapi/mirror.yaml"),
            encoding: .utf8
        )
        for path in [
            "/api/v1/server", "/api/v1/streams", "/api/v1/streams/{stream}",
            "/api/v1/streams/{stream}/sdp", "/api/v1/streams/{stream}/thumbnail.jpg",
            "/api/v1/streams/{stream}/thumbnail.webp",
            "/api/v1/streams/{stream}/transcoding/quality",
            "/api/v1/streams/{stream}/inputs/{input}/selected", "/health/live", "/health/ready",
            "/metrics",
        ] {
            #expect(description.contains("\n  \(path):\n"), "\(path)")
        }
    }
}

extension TestResponse {
    var json: JSONValue {
        get throws { try JSONDecoder().decode(JSONValue.self, from: Data(body.readableBytesView)) }
    }
}

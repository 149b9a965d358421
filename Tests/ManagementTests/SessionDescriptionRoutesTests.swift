import HTTPTypes
import HummingbirdTesting
import Ingestion
import Management
import Media
import NIOCore
import Synchronization
import TestSupport
import Testing

@Suite struct SessionDescriptionRoutesTests {
    private static let path = "/api/v1/streams/cam/sdp"
    private static let sdp = """
        v=0
        s=-
        c=IN IP4 127.0.0.1
        m=video 5004 RTP/AVP 96
        a=rtpmap:96 H264/90000

        """

    /// A server that keeps what it is told, as the real one does.
    private func fixture() -> ManagementFixture {
        final class Kept: Sendable {
            let texts = Mutex<[StreamName: String]>([:])
        }
        let kept = Kept()
        @Sendable func snapshot(_ stream: StreamName, _ text: String) throws
            -> SessionDescriptionSnapshot
        {
            SessionDescriptionSnapshot(
                stream: stream,
                origin: .memory,
                text: text,
                description: try SessionDescription(parsing: text)
            )
        }
        return ManagementFixture(
            descriptions: SessionDescriptions(
                get: { stream in
                    kept.texts.withLock { $0[stream] }.flatMap { try? snapshot(stream, $0) }
                },
                put: { stream, text in
                    let answer = try snapshot(stream, text)
                    kept.texts.withLock { $0[stream] = text }
                    return answer
                },
                delete: { stream in
                    kept.texts.withLock { $0.removeValue(forKey: stream) } != nil
                }
            )
        )
    }

    @Test func whatIsPutIsSaidAgainUntilItIsDeleted() async throws {
        let fixture = fixture()
        #expect(try await fixture.get(Self.path).status == .notFound)
        let put = try await fixture.get(Self.path, .put, body: Self.sdp)
        #expect(put.status == .ok)
        let answer = try put.json
        #expect(answer["stream"] == "cam")
        #expect(answer["origin"] == "memory")
        #expect(answer["sdp"] == .string(Self.sdp))
        #expect(answer["message"]?.string?.contains("ingestion.rtp.sessions") == true)
        let medium = answer["media"]?[0]
        #expect(medium?["kind"] == "video")
        #expect(medium?["port"] == 5_004)
        #expect(medium?["payloads"]?[0]?["payload_type"] == 96)
        #expect(medium?["payloads"]?[0]?["encoding"] == "H.264")
        #expect(medium?["payloads"]?[0]?["clock_rate_hertz"] == 90_000)
        #expect(try await fixture.get(Self.path).json == answer)
        #expect(try await fixture.get(Self.path, .delete).status == .noContent)
        #expect(try await fixture.get(Self.path, .delete).status == .notFound)
    }

    @Test func whatCannotBeUsedIsRefusedWithTheNextStep() async throws {
        let fixture = fixture()
        let long = try await fixture.get(
            Self.path,
            .put,
            body: String(repeating: "a", count: SessionDescription.byteLimit + 1)
        )
        #expect(long.status == .contentTooLarge)
        let badName = try await fixture.get("/api/v1/streams/a%20b/sdp", .put, body: Self.sdp)
        #expect(badName.status == .notFound)
        for method in [HTTPRequest.Method.post, .patch] {
            let response = try await fixture.get(Self.path, method)
            #expect(response.status == .methodNotAllowed)
            #expect(response.headers[.allow] == "GET, HEAD, PUT, DELETE")
        }
        let off = try await ManagementFixture().get(Self.path, .put, body: Self.sdp)
        #expect(off.status == .conflict)
        #expect(try off.json["detail"]?.string?.contains("ingestion.rtp.enabled") == true)
    }

    @Test func aSenderThatIsLookedAtIsListedWithWhatItLacks() async throws {
        let detection = try RTPDetection.sample()
        var statistics = RTPListenerStatistics()
        statistics.detections = [detection]
        statistics.sessions = 2
        statistics.acceptedSessions = 3
        statistics.datagrams = 4
        statistics.ignoredDatagrams = 5
        statistics.droppedNewcomers = 6
        let fixture = ManagementFixture(streams: [StreamSnapshot(detection)], rtp: statistics)
        let stream = try await fixture.get("/api/v1/streams/rtp-7").json
        #expect(stream["state"] == "detecting")
        #expect(stream["publisher"]?["address"] == "192.0.2.7:41000")
        #expect(stream["publisher"]?["transport"] == "rtp")
        #expect(stream["detection"]?["message"] == "no parameter sets in band")
        #expect(stream["detection"]?["ssrc"] == 7)
        #expect(stream["detection"]?["packets"] == 12)
        let metrics = Metrics(String(buffer: try await fixture.get("/metrics").body))
        for (name, value) in [
            ("sessions", 2.0), ("sessions_total", 3), ("detecting", 1), ("datagrams_total", 4),
            ("ignored_datagrams_total", 5), ("dropped_newcomers_total", 6),
        ] {
            #expect(metrics["mirror_rtp_\(name)"] == value, "\(name)")
        }
    }

    @Test func everyFigureOfAnRTPStreamIsAMetric() async throws {
        var figures = RTPStatistics.Stream(
            ssrc: 9,
            medium: nil,
            payloadType: 96,
            state: .notCarried("a second picture")
        )
        figures.reception.received = 1
        figures.reception.lost = 2
        figures.reception.reordered = 3
        figures.reception.jitter = .milliseconds(4)
        figures.reordering.late = 5
        figures.units.damagedUnits = 6
        figures.clock.offset = .milliseconds(-8)
        var statistics = RTPStatistics()
        statistics.streams = [figures]
        statistics.recoveredPackets = 7
        statistics.correction = .init()
        statistics.correction?.received = 9
        statistics.correction?.insufficient = 10
        var stream = try StreamSnapshot.live("stage")
        stream.publisher?.rtp = PublisherSnapshot.RTP(statistics)
        let fixture = ManagementFixture(streams: [stream])
        let metrics = Metrics(String(buffer: try await fixture.get("/metrics").body))
        for (name, value) in [
            ("received_packets_total", 1.0), ("lost_packets_total", 2),
            ("reordered_packets_total", 3), ("jitter_seconds", 0.004), ("late_packets_total", 5),
            ("damaged_units_total", 6), ("recovered_packets_total", 7),
            ("fec_packets_total", 9), ("insufficient_fec_packets_total", 10),
            ("clock_offset_seconds", 0.008),
        ] {
            #expect(metrics["mirror_rtp_\(name){stream=\"stage\"}"] == value, "\(name)")
        }
        let one = try await fixture.get("/api/v1/streams/stage")
            .json["publisher"]?["rtp"]?["streams"]?[0]
        #expect(one?["state"] == "not_carried")
        #expect(one?["message"] == "a second picture")
    }
}

import Foundation
import Synchronization
import TestSupport
import Testing

/// RTP against ffmpeg and GStreamer: declared by SDP, recognised, refused with the cure in words.
@Suite(.serialized) struct RTPTests {
    private static let clip = MirrorProcess.fixture("bigbuckbunny.mp4")

    /// Waits until a stream is played from its first part on.
    private func waitUntilLive(
        _ name: String,
        on mirror: MirrorProcess,
        by viewer: Viewer,
        _ location: SourceLocation = #_sourceLocation
    ) async throws {
        let answer = try await viewer.waitFor("/live/\(name)/playlist.m3u8")
        #expect(answer.status == 200, "\(mirror.lastWords)", sourceLocation: location)
        let isLive = try await eventually {
            try await mirror.stream(name, by: viewer)?["state"] == "live"
        }
        #expect(isLive, "\(mirror.lastWords)", sourceLocation: location)
    }

    /// The description of the only stream over RTP, once it fulfils a condition.
    private func onlyStream(
        of mirror: MirrorProcess,
        by viewer: Viewer,
        once condition: (JSONValue) -> Bool
    ) async throws -> JSONValue {
        var latest = JSONValue.null
        let isThere = try await eventually {
            let answer = try await viewer.ask("/api/v1/streams")
            let list = try JSONDecoder().decode(JSONValue.self, from: answer.data)
            guard let stream = list["streams"]?[0] else { return false }
            latest = stream
            return condition(stream)
        }
        #expect(isThere, "\(latest), \(mirror.lastWords)")
        return latest
    }

    private func gstreamer(_ pipeline: String) throws -> ExternalProcess {
        try ExternalProcess(
            "gst-launch-1.0",
            ["-q"] + pipeline.split(whereSeparator: \.isWhitespace).map(String.init)
        )
    }

    private func ffmpeg(_ arguments: String) throws -> ExternalProcess {
        try ExternalProcess(
            "ffmpeg",
            ["-hide_banner", "-loglevel", "error"]
                + arguments.split(whereSeparator: \.isWhitespace).map(String.init)
        )
    }

    /// The command of the README.
    @Test func gstreamerAsTheReadmeHasItPlays() async throws {
        let mirror = try await MirrorProcess()
        let viewer = Viewer(mirror.address)
        let sender = try gstreamer(
            """
            filesrc location=\(Self.clip) ! qtdemux ! h264parse config-interval=-1 ! rtph264pay
            ! udpsink host=127.0.0.1 port=\(mirror.rtpPort)
            """
        )
        defer { sender.signal(SIGTERM) }
        let stream = try await onlyStream(of: mirror, by: viewer) { $0["state"] == "live" }
        let name = try #require(stream["name"]?.string)
        #expect(name.hasPrefix("rtp-"))
        #expect(stream[path: "publisher.transport"] == "rtp")
        #expect(stream["tracks"]?[0]?["codec"] == "H.264")
        try await waitUntilLive(name, on: mirror, by: viewer)
    }

    @Test func withoutParameterSetsTheOperatorIsToldWhatToDo() async throws {
        let mirror = try await MirrorProcess()
        let viewer = Viewer(mirror.address)
        let sender = try gstreamer(
            """
            filesrc location=\(Self.clip) ! qtdemux ! h264parse ! rtph264pay config-interval=0
            ! udpsink host=127.0.0.1 port=\(mirror.rtpPort)
            """
        )
        defer { sender.signal(SIGTERM) }
        let stream = try await onlyStream(of: mirror, by: viewer) { stream in
            stream[path: "detection.message"]?.string?.contains("config-interval=-1") ?? false
        }
        #expect(stream["state"] == "detecting")
        #expect(stream[path: "publisher.address"]?.string?.hasPrefix("127.0.0.1:") ?? false)
    }

    @Test func aTransportStreamOverRTPIsRecognised() async throws {
        let mirror = try await MirrorProcess()
        let viewer = Viewer(mirror.address)
        let sender = try ffmpeg(
            """
            -re -stream_loop -1 -i \(MirrorProcess.fixture("h264.ts")) -c copy -f rtp_mpegts
            rtp://127.0.0.1:\(mirror.rtpPort)?rtcpport=\(mirror.rtcpPort)
            """
        )
        defer { sender.signal(SIGTERM) }
        let stream = try await onlyStream(of: mirror, by: viewer) { $0["state"] == "live" }
        try await waitUntilLive(try #require(stream["name"]?.string), on: mirror, by: viewer)
        #expect(stream[path: "ingest.transport_stream.continuity_errors"] == 0)
        let metrics = try await mirror.metrics(by: viewer)
        #expect(metrics["mirror_rtp_sessions"] == 1)
        #expect(metrics["mirror_publishers{transport=\"rtp\"}"] == 1)
        #expect(metrics["mirror_rtp_datagrams_total"] ?? 0 > 10)
    }

    @Test func aTransportStreamInPlainDatagramsIsTakenByRule() async throws {
        let port = FreePort.udp
        let mirror = try await MirrorProcess(
            yaml: """
                ingestion.rtp.sessions:
                  - { stream: raw, port: \(port), payload: mpegts, source: 127.0.0.0/8 }
                """
        )
        let viewer = Viewer(mirror.address)
        let sender = try ffmpeg(
            """
            -re -stream_loop -1 -i \(MirrorProcess.fixture("h264.ts")) -c copy -f mpegts
            udp://127.0.0.1:\(port)
            """
        )
        defer { sender.signal(SIGTERM) }
        try await waitUntilLive("raw", on: mirror, by: viewer)
        let stream = try #require(try await mirror.stream("raw", by: viewer))
        #expect(stream[path: "publisher.transport"] == "udp")
    }

    @Test func groupsAreJoinedOfAnySourceAndOfOne() async throws {
        let (any, one, plain) = (FreePort.udp, FreePort.udp, FreePort.udp)
        let described = FreePort.udp
        let sdp = "v=0\\nc=IN IP4 239.255.7.4/1\\nm=video \(described) RTP/AVP 33\\na=rtcp-mux"
        let mirror = try await MirrorProcess(
            yaml: """
                ingestion.rtp.extra_ports: 20000-32000
                ingestion.rtp.sessions:
                  - { stream: described, interface: lo, sdp: "\(sdp)" }
                  - { stream: any, port: \(any), group: 239.255.7.1, interface: 127.0.0.1 }
                  - { stream: one, port: \(one), group: 232.255.7.2, interface: lo, source: 127.0.0.1 }
                  - { stream: plain, port: \(plain), group: 239.255.7.3, interface: lo, payload: mpegts }
                """,
            environment: ["MIRROR_INGESTION_RTP_BIND_ADDRESS": "0.0.0.0"]
        )
        let viewer = Viewer(mirror.address)
        let clip = "-re -stream_loop -1 -i \(MirrorProcess.fixture("h264.ts")) -c copy"
        let senders = try [
            "-f rtp_mpegts rtp://239.255.7.1:\(any)", "-f rtp_mpegts rtp://232.255.7.2:\(one)",
            "-f mpegts udp://239.255.7.3:\(plain)", "-f rtp_mpegts rtp://239.255.7.4:\(described)",
        ].map { try ffmpeg("\(clip) \($0)?localaddr=127.0.0.1") }
        defer { for sender in senders { sender.signal(SIGTERM) } }
        for name in ["any", "one", "plain", "described"] {
            try await waitUntilLive(name, on: mirror, by: viewer)
        }
    }

    // A packet in 41 is lost on the way; of the FEC, none. GStreamer's encoder takes SSRC 0 alone.
    @Test func whatFECOfGStreamerGivesBackIsNotMissed() async throws {
        let port = FreePort.udp
        let mirror = try await MirrorProcess(
            yaml: "ingestion.rtp.sessions: [{ stream: mux, port: \(port), fec: true }]"
        )
        let viewer = Viewer(mirror.address)
        let sent = Mutex(0)
        let line = try DatagramLine(to: port) { _, bytes in
            sent.withLock { sent in
                sent += 1
                return sent > 2_000 && sent % 41 == 0 ? nil : bytes
            }
        }
        defer { line.stop() }
        let pipeline = """
            videotestsrc is-live=true pattern=snow ! video/x-raw,width=320,height=180,framerate=25/1
            ! x264enc key-int-max=25 tune=zerolatency speed-preset=ultrafast bitrate=3000
            ! mpegtsmux alignment=2 ! rtpmp2tpay ssrc=0 mtu=400 ! r.send_rtp_sink_0
            r.send_rtp_src_0 ! udpsink host=127.0.0.1 port=\(line.port)
            r.send_fec_src_0_0 ! udpsink host=127.0.0.1 port=\(port + 2) async=false
            r.send_fec_src_0_1 ! udpsink host=127.0.0.1 port=\(port + 4) async=false
            """
        let sender = try ExternalProcess(
            "gst-launch-1.0",
            [
                "-q", "rtpbin", "name=r",
                #"fec-encoders=fec,0="rtpst2022-1-fecenc\ rows\=5\ columns\=5";"#,
            ] + pipeline.split(whereSeparator: \.isWhitespace).map(String.init)
        )
        defer { sender.signal(SIGTERM) }
        try await waitUntilLive("mux", on: mirror, by: viewer)
        // Bursts of pictures make FEC take longer at times; once that was seen, nothing is missed.
        func damage(recovered: Double) async throws -> (JSONValue, JSONValue?) {
            var latest = JSONValue.null
            let isMended = try await eventually {
                latest = try await mirror.stream("mux", by: viewer) ?? .null
                return latest[path: "publisher.rtp.recovered_packets"]?.number ?? 0 >= recovered
            }
            #expect(isMended, "\(latest) \(line.lost) \(sender.errors)")
            return (latest, latest[path: "ingest.transport_stream.continuity_errors"])
        }
        let (_, before) = try await damage(recovered: 30)
        let (latest, after) = try await damage(recovered: 130)
        #expect(after != nil && before == after, "\(latest)")
        #expect(latest[path: "publisher.rtp.correction.received_packets"]?.number ?? 0 > 100)
        let metrics = try await mirror.metrics(by: viewer)
        #expect(metrics["mirror_rtp_fec_packets_total{stream=\"mux\"}"] ?? 0 > 100)
    }

    @Test(arguments: [("h264.mkv", "H.264"), ("hevc.mkv", "HEVC")])
    func anSDPByTheAPINamesWhatFFmpegSends(file: String, codec: String) async throws {
        let mirror = try await MirrorProcess()
        let viewer = Viewer(mirror.address)
        let target = "rtp://127.0.0.1:\(mirror.rtpPort)?rtcpport=\(mirror.rtcpPort)"
        let sdp = mirror.folder.appending(path: "cam.sdp").path
        let sender = try ffmpeg(
            """
            -re -stream_loop -1 -i \(MirrorProcess.fixture(file)) -sdp_file \(sdp)
            -map 0:v -c:v copy -f rtp \(target) -map 0:a -c:a libopus -ar 48000 -f rtp \(target)
            """
        )
        defer { sender.signal(SIGTERM) }
        let isWritten = try await eventually { FileManager.default.fileExists(atPath: sdp) }
        #expect(isWritten, "\(sender.errors)")
        let text = try String(contentsOfFile: sdp, encoding: .utf8)
        let answer = try await viewer.ask("/api/v1/streams/cam/sdp", method: "PUT", body: text)
        #expect(answer.status == 200, "\(answer.text) \(text)")
        let described = try JSONDecoder().decode(JSONValue.self, from: answer.data)
        #expect(described["origin"] == "memory")
        #expect(described["media"]?[0]?["kind"] == "video")
        try await waitUntilLive("cam", on: mirror, by: viewer)
        let stream = try #require(try await mirror.stream("cam", by: viewer))
        #expect(stream["tracks"]?[0]?["codec"] == .string(codec))
        #expect(stream["tracks"]?[1]?["codec"] == "Opus", "\(stream)")
        #expect(stream[path: "publisher.rtp.streams"]?[1]?["state"] == "carried", "\(stream)")

        let missing = try await viewer.ask("/api/v1/streams/other/sdp", method: "DELETE")
        #expect(missing.status == 404)
        #expect(try await viewer.ask("/api/v1/streams/cam/sdp").text.contains("memory"))
        let gone = try await viewer.ask("/api/v1/streams/cam/sdp", method: "DELETE")
        #expect(gone.status == 204)
        #expect(try await viewer.ask("/api/v1/streams/cam/sdp").status == 404)
        for (body, status) in [("hello", 400), (String(repeating: "a=b\n", count: 20_000), 413)] {
            let refused = try await viewer.ask("/api/v1/streams/x/sdp", method: "PUT", body: body)
            #expect(refused.status == status, "\(refused.text)")
        }
    }

    /// As ffmpeg writes it for two outputs with a port each.
    @Test(arguments: [
        ("libopus", "Opus", "Opus"), ("pcm_s16be", "linear PCM", "mp4a.40.2"),
        ("pcm_s24be", "linear PCM", "mp4a.40.2"),
    ])
    func soundOnAPortOfItsOwnIsTakenBySDP(
        encoder: String,
        codec: String,
        offered: String
    ) async throws {
        let (video, audio) = (FreePort.udp, FreePort.udp)
        let mirror = try await MirrorProcess(yaml: "ingestion.rtp.extra_ports: 20000-32000")
        let viewer = Viewer(mirror.address)
        let sdp = mirror.folder.appending(path: "cam.sdp").path
        let sender = try ffmpeg(
            """
            -re -stream_loop -1 -i \(MirrorProcess.fixture("h264.mkv")) -sdp_file \(sdp)
            -map 0:v -c:v copy -f rtp rtp://127.0.0.1:\(video)
            -map 0:a -c:a \(encoder) -ar 48000 -f rtp rtp://127.0.0.1:\(audio)
            """
        )
        defer { sender.signal(SIGTERM) }
        let isWritten = try await eventually { FileManager.default.fileExists(atPath: sdp) }
        #expect(isWritten, "\(sender.errors)")
        let text = try String(contentsOfFile: sdp, encoding: .utf8)
        let answer = try await viewer.ask("/api/v1/streams/cam/sdp", method: "PUT", body: text)
        #expect(answer.status == 200, "\(answer.text) \(text)")
        try await waitUntilLive("cam", on: mirror, by: viewer)
        var latest = JSONValue.null
        let isCarried = try await eventually {
            latest = try await mirror.stream("cam", by: viewer) ?? .null
            return (0..<2).allSatisfy { index in
                let stream = latest[path: "publisher.rtp.streams"]?[index]
                return stream?["state"] == "carried" && stream?["clock"] == "sender_report"
            }
        }
        #expect(isCarried, "\(latest)")
        #expect(latest["tracks"]?[1]?["codec"] == .string(codec))
        let multivariant = try await viewer.waitFor("/live/cam/playlist.m3u8")
        #expect(multivariant.text.contains(",\(offered)\""), "\(multivariant.text)")
        let refused = try await viewer.ask(
            "/api/v1/streams/x/sdp",
            method: "PUT",
            body: "v=0\nm=video 999 RTP/AVP 33"
        )
        #expect(refused.status == 409)
        #expect(refused.text.contains("ingestion.rtp.extra_ports is 20000-32000"))
    }

    @Test func gstreamersReportsKeepPictureAndSoundInStep() async throws {
        let mirror = try await MirrorProcess(
            yaml: """
                ingestion:
                  rtp:
                    extra_ports: none
                    sessions:
                      - stream: stage
                        sdp: "v=0\\ns=-\\nc=IN IP4 127.0.0.1\\nm=video 5004 RTP/AVP 96\\na=rtpmap:96 \\
                          H264/90000\\nm=audio 5004 RTP/AVP 97\\na=rtpmap:97 OPUS/48000/2\\n"
                """
        )
        let viewer = Viewer(mirror.address)
        let to = "udpsink host=127.0.0.1 port=\(mirror.rtpPort)"
        let reportsTo = "udpsink host=127.0.0.1 port=\(mirror.rtcpPort) sync=false async=false"
        let sender = try gstreamer(
            """
            rtpbin name=r
            videotestsrc is-live=true ! video/x-raw,width=320,height=180,framerate=25/1
            ! x264enc tune=zerolatency key-int-max=25 speed-preset=ultrafast
            ! rtph264pay config-interval=-1 pt=96 ! r.send_rtp_sink_0
            r.send_rtp_src_0 ! \(to) r.send_rtcp_src_0 ! \(reportsTo)
            audiotestsrc is-live=true ! audio/x-raw,rate=48000,channels=2 ! opusenc
            ! rtpopuspay pt=97 ! r.send_rtp_sink_1
            r.send_rtp_src_1 ! \(to) r.send_rtcp_src_1 ! \(reportsTo)
            """
        )
        defer { sender.signal(SIGTERM) }
        try await waitUntilLive("stage", on: mirror, by: viewer)
        var latest = JSONValue.null
        let isInStep = try await eventually {
            latest = try await mirror.stream("stage", by: viewer) ?? .null
            let streams = (0..<2).compactMap { latest[path: "publisher.rtp.streams"]?[$0] }
            return streams.count == 2
                && streams.allSatisfy { stream in
                    stream["clock"] == "sender_report" && stream["canonical_name"] != nil
                        && abs(stream["offset_milliseconds"]?.number ?? 1_000) < 40
                }
        }
        #expect(isInStep, "\(latest) \(sender.errors)")
    }

    @Test func aFloodOfSpoofedSourcesHarmsNobody() async throws {
        let watched = try await WatchedMirror(yaml: "ingestion.rtp.max_sessions: 3")
        let mirror = watched.mirror
        let socket = UDPSender(to: mirror.rtpPort)
        var random = SeededRandom(seed: 11)
        func flood(_ count: Int) {
            for _ in 0..<count { sendStranger() }
        }
        func sendStranger() {
            var packet: [UInt8] = [0x80, 96]
            packet += (0..<10).map { _ in UInt8.random(in: .min ... .max, using: &random) }
            packet += [UInt8](repeating: 0xFF, count: 1_200)
            // Twice in a row, so that each proves to be a source.
            socket.send(packet)
            packet[3] &+= 1
            socket.send(packet)
        }
        flood(20_000)
        try await watched.expectUnharmed()
        var metrics = try await mirror.metrics(by: watched.viewer)
        // On a machine that is busy the kernel drops most of a flood before Mirror sees it.
        let isBounded = try await eventually {
            flood(2_000)
            metrics = try await mirror.metrics(by: watched.viewer)
            return metrics["mirror_rtp_dropped_newcomers_total"] ?? 0 > 0
        }
        #expect(isBounded)
        #expect(metrics["mirror_rtp_detecting"] ?? 1_000 <= 512)
        #expect(metrics["mirror_rtp_sessions"] == 0)
    }
}

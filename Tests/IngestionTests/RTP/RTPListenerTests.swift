import Glibc
import Ingestion
import Logging
import Media
import NIOCore
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(1)))
struct RTPListenerTests {
    private let logs = LogCollector()

    /// Runs a listener on free ports for as long as the test needs it.
    private func withListener(
        _ admission: RecordingAdmission,
        declarations: [RTPDeclaration] = [],
        idleTimeout: Duration = .seconds(2),
        maxLatency: Duration = .milliseconds(200),
        describedPorts: ClosedRange<Int>? = nil,
        _ body: (RTPListener, [String: Int]) async throws -> Void
    ) async throws {
        var configuration = RTPListener.Configuration()
        configuration.bindAddress = "127.0.0.1"
        configuration.port = 0
        configuration.declarations = declarations
        configuration.idleTimeout = idleTimeout
        configuration.maxLatency = maxLatency
        configuration.describedPorts = describedPorts
        let listener = RTPListener(
            configuration: configuration,
            admission: admission,
            logger: logs.logger
        )
        let opened = try await listener.start()
        let ports = Dictionary(uniqueKeysWithValues: opened.map { ($0.service, $0.port) })
        let serving = Task { try await listener.run() }
        defer { serving.cancel() }
        try await body(listener, ports)
        serving.cancel()
        try await serving.value
        #expect(listener.statistics.sessions == 0)
    }

    private func declaration(
        _ name: String,
        _ change: (inout RTPDeclaration) throws -> Void = { _ in }
    ) throws -> RTPDeclaration {
        var declaration = RTPDeclaration(stream: try #require(StreamName(name)))
        try change(&declaration)
        return declaration
    }

    /// An RTP packet of seven null packets.
    private func transportPackets(_ sender: inout RTPTestSource) -> [UInt8] {
        let packet = [0x47, 0x1F, 0xFF, 0x10] + [UInt8](repeating: 0xFF, count: 184)
        return Array(buffer: sender.next((0..<7).flatMap { _ in packet }))
    }

    @Test func aTransportStreamOfFFmpegIsTakenInUntilItFallsSilent() async throws {
        let admission = RecordingAdmission()
        try await withListener(admission) { listener, ports in
            let port = try #require(ports["rtp"])
            let rtcp = try #require(ports["rtcp"])
            let ffmpeg = try ExternalProcess(
                "ffmpeg",
                [
                    "-hide_banner", "-loglevel", "error", "-re", "-f", "lavfi", "-i",
                    "testsrc2=size=320x180:rate=30:duration=8", "-c:v", "libx264", "-g", "15",
                    "-preset", "ultrafast", "-pix_fmt", "yuv420p",
                    "-f", "rtp_mpegts", "rtp://127.0.0.1:\(port)?rtcpport=\(rtcp)",
                ]
            )
            let publication = try #require(await admission.nextPublication())
            #expect(publication.request.name.description.hasPrefix("rtp-"))
            #expect(publication.request.transport == .rtp)
            #expect(publication.request.sourceAddress == "127.0.0.1")
            let units = admission.stream(publication.request.name).subscribe(
                as: "test",
                limit: LiveStreamSubscription.Limit(accessUnits: 1000, bytes: 1 << 24)
            )
            for await case .accessUnit(let unit) in units {
                #expect(unit.arrival.microsecondsSinceEpoch > 1_600_000_000_000_000)
                break
            }
            #expect(listener.statistics.sessions == 1)
            let isKnown = try await eventually {
                let statistics = publication.statistics
                return statistics.rtp?.streams.first?.state == .carried
                    && statistics.transportStream.packets > 100
            }
            #expect(isKnown, "\(publication.statistics)")
            ffmpeg.signal(SIGKILL)
            let end = try #require(await admission.nextEnd())
            #expect(end.reason == .idle)
            #expect(publication.statistics.rtp?.streams.first?.reception.lost == 0)
            #expect(listener.statistics.acceptedSessions == 1)
        }
    }

    @Test func aDeclaredTransportStreamNeedsNoHeaders() async throws {
        let admission = RecordingAdmission(passphrase: "correct-horse")
        let own = FreePort.udp
        let declared = try declaration("raw") {
            $0.payload = .mpegts
            $0.port = own
        }
        try await withListener(admission, declarations: [declared]) { _, ports in
            #expect(ports["rtp-\(own)"] == own)
            #expect(ports["rtcp-\(own)"] == nil)
            let sender = UDPSender(to: own)
            let packet = [0x47, 0x1F, 0xFF, 0x10] + [UInt8](repeating: 0xFF, count: 184)
            sender.send((0..<7).flatMap { _ in packet })
            let publication = try #require(await admission.nextPublication())
            #expect(publication.request.name.description == "raw")
            #expect(publication.request.transport == .udp)
            let isCounted = try await eventually {
                publication.statistics.transportStream.nullPackets == 7
            }
            #expect(isCounted)
            #expect(publication.statistics.rtp == nil)
        }
    }

    @Test func correctionComesTwoAndFourPortsAboveTheMedia() async throws {
        let admission = RecordingAdmission()
        let own = FreePort.udp
        let declared = try declaration("mux") {
            $0.port = own
            $0.hasCorrection = true
        }
        try await withListener(admission, declarations: [declared]) { listener, ports in
            #expect(ports["fec-columns-\(own)"] == own + 2)
            #expect(ports["fec-rows-\(own)"] == own + 4)
            #expect(ports["fec-columns"] == nil)
            // A row of one packet, and what is none.
            var row = [UInt8](repeating: 0, count: 216)
            row[0] = 0x80
            row[16] = 0x80
            row[24] = 0x40
            (row[25], row[26]) = (1, 1)
            let (columns, rows) = (UDPSender(to: own + 2), UDPSender(to: own + 4))
            rows.send(row)
            let isIgnored = try await eventually { listener.statistics.ignoredDatagrams == 1 }
            #expect(isIgnored)
            let media = UDPSender(to: own)
            var sender = RTPTestSource(ssrc: 9, payloadType: 33)
            for _ in 0..<2 { media.send(transportPackets(&sender)) }
            let publication = try #require(await admission.nextPublication())
            rows.send(row)
            columns.send([0x80] + [UInt8](repeating: 0, count: 40))
            let isTaken = try await eventually {
                let correction = publication.statistics.rtp?.correction
                return correction?.received == 1 && correction?.invalid == 1
            }
            #expect(isTaken)
        }
    }

    @Test func whateverIsMissingIsAskedForBeforeItIsGivenUp() async throws {
        let admission = RecordingAdmission()
        let declared = try declaration("cam") {
            $0.description = try SessionDescription(
                parsing: """
                    v=0
                    m=video 5004 RTP/AVPF 96
                    a=rtpmap:96 H264/90000
                    a=rtcp-fb:96 nack
                    """
            )
        }
        try await withListener(
            admission,
            declarations: [declared],
            maxLatency: .milliseconds(30)
        ) { _, ports in
            let socket = UDPSender(to: try #require(ports["rtp"]))
            var video = RTPTestSource(ssrc: 5, payloadType: 96)
            for datagram in video.keyframe() { socket.send(Array(buffer: datagram)) }
            _ = try #require(await admission.nextPublication())
            // A sender report says where feedback goes.
            socket.send([0x80, 200, 0, 6, 0, 0, 0, 5] + [UInt8](repeating: 0, count: 20))
            for _ in 0..<8 {
                let lost = video.sequence
                _ = video.packet([0x41, 0x9A], marker: true)
                socket.send(Array(buffer: video.packet([0x41, 0x9A], marker: true)))
                let isAskedFor = try await eventually {
                    while let bytes = socket.receive() {
                        let buffer = ByteBuffer(bytes: bytes)
                        for case .feedback(_, .negativeAcknowledgement(media: 5, lost: let numbers))
                            in RTCPPacket.parse(buffer.readableBytesUInt8Span)
                        where numbers.contains(lost) {
                            return true
                        }
                    }
                    return false
                }
                #expect(isAskedFor)
            }
        }
    }

    @Test func aStreamThatMustBeEncryptedIsRefusedUnlessItIsDeclared() async throws {
        let admission = RecordingAdmission(passphrase: "correct-horse")
        let declared = try declaration("declared") { $0.ssrc = 2 }
        try await withListener(admission, declarations: [declared]) { listener, ports in
            let socket = UDPSender(to: try #require(ports["rtp"]))
            var stranger = RTPTestSource(ssrc: 1, payloadType: 33)
            for _ in 0..<2 { socket.send(transportPackets(&stranger)) }
            let isRefused = try await eventually {
                listener.statistics.refusals[.passphraseRequired] == 1
            }
            #expect(isRefused)
            let line = await logs.next("RTP publisher refused")
            #expect(line?["cure"]?.contains("ingestion.rtp.sessions") ?? false)
            var known = RTPTestSource(ssrc: 2, payloadType: 33)
            for _ in 0..<2 { socket.send(transportPackets(&known)) }
            let publication = try #require(await admission.nextPublication())
            #expect(publication.request.name.description == "declared")
        }
    }

    @Test func anSDPNamesAStreamUntilItIsTakenBack() async throws {
        let admission = RecordingAdmission()
        try await withListener(admission) { listener, ports in
            let socket = UDPSender(to: try #require(ports["rtp"]))
            var sender = RTPTestSource(ssrc: 5, payloadType: 98)
            let cam = try #require(StreamName("cam"))
            let text =
                "v=0\ns=-\nc=IN IP4 127.0.0.1\nm=video 5004 RTP/AVP 98\na=rtpmap:98 MP2T/90000\n"
            let announced = RTPListener.Announcement(
                text: text,
                description: try SessionDescription(parsing: text)
            )
            try await listener.announce(announced, for: cam)
            #expect(listener.announcement(of: cam) == announced)
            for _ in 0..<2 { socket.send(transportPackets(&sender)) }
            #expect(try #require(await admission.nextPublication()).request.name == cam)

            // A second stream with the same payload type could be either.
            let other = try #require(StreamName("other"))
            let error = await #expect(throws: RTPListenerError.self) {
                try await listener.announce(announced, for: other)
            }
            #expect(error?.code == .conflict)

            try await listener.announce(nil, for: cam)
            #expect(try #require(await admission.nextEnd()).reason == .disconnected)
            #expect(listener.announcement(of: cam) == nil)
        }
    }

    private func announcement(_ text: String) throws -> RTPListener.Announcement {
        RTPListener.Announcement(text: text, description: try SessionDescription(parsing: text))
    }

    @Test func portsOfAnSDPAreOpenWhileItHolds() async throws {
        let admission = RecordingAdmission()
        let (video, audio) = (FreePort.udp, FreePort.udp)
        // Both have the payload type that senders begin with.
        let text = """
            v=0
            m=video \(video) RTP/AVP 96
            a=rtpmap:96 H264/90000
            a=rtcp-mux
            m=audio \(audio) RTP/AVP 96
            a=rtpmap:96 MPEG4-GENERIC/48000/2
            a=fmtp:96 mode=AAC-hbr; sizelength=13; indexlength=3; indexdeltalength=3; config=1190
            a=rtcp-mux
            """
        try await withListener(
            admission,
            idleTimeout: .seconds(50),
            describedPorts: 20_000...32_000
        ) { listener, _ in
            let cam = try #require(StreamName("cam"))
            try await listener.announce(try announcement(text), for: cam)
            var picture = RTPTestSource(ssrc: 1, payloadType: 96)
            var sound = RTPTestSource(ssrc: 2, payloadType: 96)
            let (pictures, sounds) = (UDPSender(to: video), UDPSender(to: audio))
            for datagram in picture.keyframe() { pictures.send(Array(buffer: datagram)) }
            let publication = try #require(await admission.nextPublication())
            for _ in 0..<2 { sounds.send(Array(buffer: sound.sound())) }
            let isWhole = try await eventually {
                let streams = publication.statistics.rtp?.streams ?? []
                return streams.map(\.format?.name) == ["H.264", "AAC"]
                    && streams.map(\.medium) == [0, 1]
            }
            #expect(isWhole, "\(String(describing: publication.statistics.rtp))")

            // Another SDP may not have what is this one's, nor what is not allowed.
            let other = try #require(StreamName("other"))
            let taken = FreePort.udp
            let holder = try UDPHolder(of: taken)
            for (port, code) in [
                (video, RTPListenerError.Code.conflict), (1_023, .portNotAllowed),
                (taken, .addressInUse),
            ] {
                let rival = try announcement(
                    "v=0\nm=video \(port) RTP/AVP 96\na=rtpmap:96 H264/90000\na=rtcp-mux\n"
                )
                let error = await #expect(throws: RTPListenerError.self) {
                    try await listener.announce(rival, for: other)
                }
                #expect(error?.code == code, "\(String(describing: error))")
                #expect(listener.announcement(of: other) == nil)
            }
            holder.close()
            #expect(listener.statistics.sessions == 1)

            try await listener.announce(nil, for: cam)
            #expect(try #require(await admission.nextEnd()).reason == .disconnected)
            for port in [video, audio] { try UDPHolder(of: port).close() }
        }
    }

    @Test func aPortThatIsTakenIsNamedWithTheKeyThatMovesIt() async throws {
        let admission = RecordingAdmission()
        try await withListener(admission) { _, ports in
            for (taken, key) in [("rtp", "ingestion.rtp.port"), ("rtcp", "rtcp_port")] {
                var configuration = RTPListener.Configuration()
                configuration.bindAddress = "127.0.0.1"
                let port = try #require(ports[taken])
                configuration.port = taken == "rtp" ? port : 0
                configuration.rtcpPort = taken == "rtcp" ? port : 0
                let second = RTPListener(
                    configuration: configuration,
                    admission: admission,
                    logger: logs.logger
                )
                do throws(RTPListenerError) {
                    _ = try await second.start()
                    Issue.record("the port was not taken")
                } catch {
                    #expect(error.code == .addressInUse)
                    #expect(error.cure.contains(key), "\(error)")
                }
            }
        }
    }

    @Test func reportsNameASenderAndItsGoodbyeEndsItAtOnce() async throws {
        let admission = RecordingAdmission()
        try await withListener(admission, idleTimeout: .seconds(50)) { _, ports in
            let socket = UDPSender(to: try #require(ports["rtp"]))
            var sender = RTPTestSource(ssrc: 9, payloadType: 33)
            for _ in 0..<2 { socket.send(transportPackets(&sender)) }
            let publication = try #require(await admission.nextPublication())
            // RFC 3550, 6.1: a report first. Multiplexed (RFC 5761): to the port of RTP.
            let report: [UInt8] = [0x80, 201, 0, 1, 0, 0, 0, 9]
            let name: [UInt8] =
                [0x81, 202, 0, 3, 0, 0, 0, 9, 1, 3] + Array("cam".utf8) + [0, 0, 0]
            socket.send(report + name)
            let isNamed = try await eventually {
                publication.statistics.rtp?.streams.first?.cname == "cam"
            }
            #expect(isNamed)
            socket.send(report + [0x81, 203, 0, 1, 0, 0, 0, 9])
            #expect(try #require(await admission.nextEnd()).reason == .disconnected)
        }
    }

    @Test func aStreamThatIsTakenAwayIsLetGo() async throws {
        let admission = RecordingAdmission()
        try await withListener(admission) { listener, ports in
            let socket = UDPSender(to: try #require(ports["rtp"]))
            var sender = RTPTestSource(ssrc: 9, payloadType: 33)
            for _ in 0..<2 { socket.send(transportPackets(&sender)) }
            let publication = try #require(await admission.nextPublication())
            publication.revoke(.takenOver)
            #expect(try await eventually { listener.statistics.sessions == 0 })
        }
    }
}

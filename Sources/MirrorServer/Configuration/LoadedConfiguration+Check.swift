import Ingestion
import Media
import Packaging
import Processing

extension LoadedConfiguration {
    /// Reports values that are each possible and together are not.
    func check(_ findings: inout ConfigurationFindings) {
        checkPackaging(&findings)
        checkPorts(&findings)
        checkDatagramPorts(&findings)
        checkSessions(&findings)
        checkInputs(&findings)
        checkLadders(&findings)
        let ceiling = configuration.srt.maxBandwidthBitsPerSecond ?? .max
        if configuration.streams.contains(where: { ($0.maxBitrateBitsPerSecond ?? 0) > ceiling }) {
            report(
                ["streams", "ingestion.srt.max_bandwidth"],
                "a stream's max_bitrate is above ingestion.srt.max_bandwidth, which holds for all",
                cure: "Lower the one or raise the other",
                &findings
            )
        }
        let names = configuration.srt.callers.compactMap(\.stream)
        if Set(names).count < names.count {
            report(
                ["ingestion.srt.callers"],
                "two of them publish under one stream name",
                cure: "Give each a name of its own",
                &findings
            )
        }
    }

    private func checkPackaging(_ findings: inout ConfigurationFindings) {
        let packaging = configuration.packaging
        if packaging.partTarget * 2 > packaging.segmentTarget {
            report(
                ["packaging.part_target", "packaging.segment_target"],
                "packaging.part_target is more than half of packaging.segment_target",
                cure: "Lower the one or raise the other",
                &findings
            )
        }
        if case .duration(let window) = packaging.window, window < packaging.segmentTarget * 6 {
            report(
                ["packaging.window", "packaging.segment_target"],
                "packaging.window is shorter than 6 times packaging.segment_target",
                cure: "Raise the one or lower the other",
                &findings
            )
        }
    }

    private func checkPorts(_ findings: inout ConfigurationFindings) {
        let ports = [
            ("server.https_port", configuration.server.httpsPort),
            ("server.http_port", configuration.server.httpPort),
            ("metrics.port", configuration.metrics.port),
        ]
        for (index, (key, port)) in ports.enumerated() where port != 0 {
            for (other, otherPort) in ports[..<index] where otherPort == port {
                report(
                    [key, other],
                    "\(key) and \(other) are both \(port)",
                    cure: "Give each a port of its own",
                    &findings
                )
            }
        }
    }

    /// UDP ports, which are apart from TCP's.
    private func checkDatagramPorts(_ findings: inout ConfigurationFindings) {
        let rtp = configuration.rtp
        // What it is called, the key that has it, and the port.
        var ports: [(name: String, key: String, port: Int)] = []
        if configuration.server.http3.isEnabled {
            let key = "server.http3_port"
            ports.append((key, key, configuration.server.http3Port))
        }
        if configuration.srt.isEnabled {
            ports.append(("ingestion.srt.port", "ingestion.srt.port", configuration.srt.port))
        }
        if rtp.isEnabled {
            let key = "ingestion.rtp.rtcp_port"
            ports.append(("ingestion.rtp.port", "ingestion.rtp.port", rtp.port))
            ports.append(
                (key, rtp.rtcpPort == 0 ? "ingestion.rtp.port" : key, rtp.effectiveRTCPPort)
            )
            for port in rtp.correctionPorts {
                ports.append(("a port of ingestion.rtp.fec", "ingestion.rtp.fec", port))
            }
            for own in rtp.ownPorts {
                let key = "ingestion.rtp.sessions"
                ports.append(("port in \(key)", key, own.port))
                if let port = own.rtcpPort { ports.append(("rtcp_port in \(key)", key, port)) }
                for port in own.correctionPorts {
                    ports.append(("a port of fec in \(key)", key, port))
                }
            }
        }
        for (index, one) in ports.enumerated() where one.port != 0 {
            for other in ports[..<index] where other.port == one.port {
                report(
                    [one.key, other.key],
                    "\(one.name) and \(other.name) are both \(one.port)",
                    cure: "Give each a port of its own",
                    &findings
                )
            }
        }
    }

    private func checkSessions(_ findings: inout ConfigurationFindings) {
        let rtp = configuration.rtp
        let sessions = rtp.sessions.compactMap { session in
            var declaration = session.declaration(sdp: session.sdp)
            if declaration?.port == rtp.port { declaration?.port = nil }
            if rtp.extraPorts != nil { declaration?.takeDescribedPorts(besides: rtp.port) }
            return declaration.map { (declaration: $0, isComplete: session.sdpFile == nil) }
        }
        for (index, (session, isComplete)) in sessions.enumerated() {
            // What a file says is known when it is read, at the start.
            for (other, isOtherComplete) in sessions[..<index] where isComplete && isOtherComplete {
                guard let conflict = session.conflict(with: other) else { continue }
                report(
                    ["ingestion.rtp.sessions"],
                    "\(other.stream) and \(session.stream) \(conflict)",
                    cure: "Tell them apart by port, source or ssrc",
                    &findings
                )
            }
        }
    }

    private func checkLadders(_ findings: inout ConfigurationFindings) {
        let names = configuration.transcoding.ladders.map(\.name)
        if let twice = names.first(where: { name in names.count { $0 == name } > 1 }) {
            report(
                ["transcoding.ladders"],
                "two of them are called \(twice.quoted)",
                cure: "Give each a name of its own",
                &findings
            )
        }
        let chosen = configuration.streams.compactMap(\.transcoding?.ladder)
        if let unknown = chosen.first(where: { !names.contains($0) }) {
            report(
                ["streams", "transcoding.ladders"],
                "a stream is to be transcoded by \(unknown.quoted), which is not among transcoding.ladders",
                cure: "Name one of transcoding.ladders, or write true or false",
                &findings
            )
        }
    }

    /// Blames the first of the keys that is not at its default.
    func report(
        _ keys: [String],
        _ problem: String,
        cure: String,
        _ findings: inout ConfigurationFindings
    ) {
        guard let key = keys.first(where: { places[$0] != nil }) ?? keys.first else { return }
        findings.key = key
        findings.origin = places[key]?.origin ?? .builtIn
        findings.report(line: places[key]?.line, problem, cure: cure)
    }
}

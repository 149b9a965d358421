import Packaging

extension LoadedConfiguration {
    /// Reports values that are each possible and together are not.
    func check(_ findings: inout ConfigurationFindings) {
        let packaging = configuration.packaging
        if packaging.partTarget * 2 > packaging.segmentTarget {
            report(
                "packaging.part_target",
                "two parts of it are longer than packaging.segment_target",
                cure: "Make it at most half of packaging.segment_target",
                &findings
            )
        }
        if case .duration(let window) = packaging.window, window < packaging.segmentTarget * 6 {
            report(
                "packaging.window",
                "it is shorter than 6 segments of packaging.segment_target",
                cure: "Make it at least 6 times packaging.segment_target",
                &findings
            )
        }
        let server = configuration.server
        let ports = [
            ("server.http_port", server.httpPort, "server.https_port", server.httpsPort),
            ("metrics.port", configuration.metrics.port, "server.https_port", server.httpsPort),
            ("metrics.port", configuration.metrics.port, "server.http_port", server.httpPort),
        ]
        for (key, port, otherKey, otherPort) in ports where port != 0 && port == otherPort {
            report(
                key,
                "\(otherKey) is \(port) too",
                cure: "Give each a port of its own",
                &findings
            )
        }
        let ceiling = configuration.srt.maxBandwidthBitsPerSecond ?? .max
        if configuration.streams.contains(where: { ($0.maxBitrateBitsPerSecond ?? 0) > ceiling }) {
            report(
                "streams",
                "a max_bitrate is above ingestion.srt.max_bandwidth, which holds for every publisher",
                cure: "Lower the one or raise the other",
                &findings
            )
        }
        let names = configuration.srt.callers.compactMap(\.stream)
        if Set(names).count < names.count {
            report(
                "ingestion.srt.callers",
                "two of them publish under one stream name",
                cure: "Give each a name of its own",
                &findings
            )
        }
    }

    private func report(
        _ key: String,
        _ problem: String,
        cure: String,
        _ findings: inout ConfigurationFindings
    ) {
        findings.key = key
        findings.origin = places[key]?.origin ?? .builtIn
        findings.report(line: places[key]?.line, problem, cure: cure)
    }
}

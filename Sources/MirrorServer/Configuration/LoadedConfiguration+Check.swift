import Ingestion
import Media
import Packaging

extension LoadedConfiguration {
    /// Reports values that are each possible and together are not.
    func check(_ findings: inout ConfigurationFindings) {
        checkPackaging(&findings)
        checkPorts(&findings)
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

    /// Blames the first of the keys that is not at its default.
    private func report(
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

/// Builds one page of metrics in the Prometheus text exposition format 0.0.4.
///
/// Out:    families in the order of their names, each with HELP and TYPE, samples in the order of
///         their labels, so that two pages differ only where figures do.
/// Bound:  at most `samplesPerFamily` samples of one family; the rest are left out and counted in
///         `mirror_metrics_omitted_samples`.
/// Source: Prometheus, "Exposition formats", text-based format.
struct PrometheusText {
    enum Kind: String {
        case counter, gauge
    }

    static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    private struct Family {
        let kind: Kind
        let help: String
        var samples: [String: Double] = [:]

        /// - Returns: False when there is no room for another sample.
        mutating func set(_ value: Double, for labels: String, limit: Int) -> Bool {
            guard samples.count < limit || samples[labels] != nil else { return false }
            samples[labels] = value
            return true
        }
    }

    private let samplesPerFamily: Int
    private var families: [String: Family] = [:]
    /// Help and samples, in the order of their limits.
    private var histograms: [String: (help: String, lines: [String])] = [:]
    private var omittedSamples = 0

    init(samplesPerFamily: Int = 2_000) {
        self.samplesPerFamily = samplesPerFamily
    }

    /// Sets one sample.
    ///
    /// A family's kind and help are those of its first sample; a second value for the same labels
    /// replaces the first.
    mutating func add(
        _ name: String,
        _ kind: Kind,
        _ help: String,
        labels: KeyValuePairs<String, String> = [:],
        _ value: Double
    ) {
        let isPlaced = families[name, default: Family(kind: kind, help: help)].set(
            value,
            for: Self.render(labels),
            limit: samplesPerFamily
        )
        if !isPlaced { omittedSamples += 1 }
    }

    /// Sets a histogram without labels.
    ///
    /// Each bucket counts all that was at most its limit, in ascending order.
    mutating func addHistogram(
        _ name: String,
        _ help: String,
        buckets: [(limit: Double, count: UInt64)],
        count: UInt64,
        sum: Double
    ) {
        var lines = buckets.map { limit, count in
            "\(name)_bucket{le=\"\(Self.render(limit))\"} \(count)"
        }
        lines.append("\(name)_bucket{le=\"+Inf\"} \(count)")
        lines.append("\(name)_sum \(Self.render(sum))")
        lines.append("\(name)_count \(count)")
        histograms[name] = (help, lines)
    }

    func render() -> String {
        var page = self
        page.add(
            "mirror_metrics_omitted_samples",
            .gauge,
            "Samples left out of this page because a metric had too many.",
            Double(omittedSamples)
        )
        let families = page.families.map { name, family in
            let samples = family.samples.sorted { $0.key < $1.key }
                .map { "\(name)\($0.key) \(Self.render($0.value))" }
            return (name, family.kind.rawValue, family.help, samples)
        }
        let histograms = page.histograms.map {
            ($0.key, "histogram", $0.value.help, $0.value.lines)
        }
        var text = ""
        for (name, kind, help, lines) in (families + histograms).sorted(by: { $0.0 < $1.0 }) {
            text += "# HELP \(name) \(Self.escape(help, quotes: false))\n# TYPE \(name) \(kind)\n"
            for line in lines { text += "\(line)\n" }
        }
        return text
    }

    private static func render(_ labels: KeyValuePairs<String, String>) -> String {
        guard !labels.isEmpty else { return "" }
        let pairs = labels.map { "\($0.key)=\"\(escape($0.value, quotes: true))\"" }
        return "{\(pairs.joined(separator: ","))}"
    }

    private static func render(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        return Int64(exactly: value).map(String.init) ?? "\(value)"
    }

    /// Backslash and line feed are escaped everywhere, quotes in label values only.
    private static func escape(_ text: String, quotes: Bool) -> String {
        var escaped = ""
        for character in text.unicodeScalars {
            switch character {
            case "\\": escaped += "\\\\"
            case "\n": escaped += "\\n"
            case "\"" where quotes: escaped += "\\\""
            default: escaped.unicodeScalars.append(character)
            }
        }
        return escaped
    }
}

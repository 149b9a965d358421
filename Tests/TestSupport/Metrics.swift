/// A page of metrics, read by a parser that shares nothing with its writer.
///
/// Source: Prometheus, text-based exposition format.
package struct Metrics: Sendable {
    /// `name{label="value"}` and its number.
    package private(set) var samples: [String: Double] = [:]
    package private(set) var kinds: [String: String] = [:]
    package let text: String

    package init(_ text: String) {
        self.text = text
        for line in text.split(separator: "\n") {
            if line.hasPrefix("# TYPE ") {
                let words = line.split(separator: " ")
                if words.count == 4 { kinds[String(words[2])] = String(words[3]) }
            } else if !line.hasPrefix("#"), let space = line.lastIndex(of: " ") {
                samples[String(line[..<space])] = Double(line[line.index(after: space)...])
            }
        }
    }

    package subscript(sample: String) -> Double? { samples[sample] }

    /// The sum over all labels.
    package func total(_ name: String) -> Double {
        samples.reduce(0) { sum, sample in
            sample.key == name || sample.key.hasPrefix("\(name){") ? sum + sample.value : sum
        }
    }
}

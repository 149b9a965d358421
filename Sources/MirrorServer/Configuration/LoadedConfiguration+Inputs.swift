import Media

extension LoadedConfiguration {
    /// Reports inputs of which could not be said what feeds what.
    func checkInputs(_ findings: inout ConfigurationFindings) {
        let rules = configuration.streams
        /// The stream that each input feeds.
        var fed: [StreamName: StreamName] = [:]
        for (index, rule) in rules.enumerated() {
            guard let inputs = rule.inputs, let match = rule.match else { continue }
            guard let stream = StreamName(match.description) else {
                report(
                    ["streams"],
                    "\(match) has inputs, and stands for more than one stream",
                    cure: "Give each stream with inputs a rule of its own, with its name in match",
                    &findings
                )
                continue
            }
            if let earlier = rules[..<index].first(where: { $0.match?.matches(stream) ?? false }) {
                report(
                    ["streams"],
                    "an earlier rule (\(earlier.match?.description ?? "")) holds for \(stream),"
                        + " so that its inputs never do",
                    cure: "Put the rule with the inputs first",
                    &findings
                )
            }
            for name in inputs.names {
                if let other = fed.updateValue(stream, forKey: name) {
                    report(
                        ["streams"],
                        "\(name) is an input of both \(other) and \(stream)",
                        cure: "Give each stream inputs of its own",
                        &findings
                    )
                }
            }
        }
        for rule in rules where rule.inputs != nil {
            guard let stream = rule.match.flatMap({ StreamName($0.description) }),
                let other = fed[stream], other != stream
            else { continue }
            report(
                ["streams"],
                "\(stream) is an input of \(other), and has inputs itself",
                cure: "Name the inputs of \(stream) in the rule of \(other) instead",
                &findings
            )
        }
    }
}

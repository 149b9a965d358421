import Ingestion
import Media

extension ConfigurationFormat where Value == [AddressRange] {
    /// A YAML list, or the same as text with commas.
    static let addressRanges = ConfigurationFormat(
        shape: "a list of addresses or prefixes, such as [10.0.0.0/8, \"2001:db8::/32\"]",
        read: { node, findings in
            let texts = node.items(&findings)?.map { item in
                if case .text(let text) = item.content { text } else { "" }
            }
            guard let texts else { return nil }
            var ranges: [AddressRange] = []
            for text in texts {
                guard let range = AddressRange(text) else {
                    findings.report(
                        line: node.line,
                        "\(text.quoted) is neither an address nor a prefix",
                        cure: "Write it as in 192.0.2.7, 10.0.0.0/8 or 2001:db8::/32"
                    )
                    return nil
                }
                ranges.append(range)
            }
            return ranges
        },
        write: { ranges in "[\(ranges.map(\.description.quoted).joined(separator: ", "))]" }
    )
}

extension ConfigurationFormat {
    /// A YAML list of values, or the same as text with commas.
    static func values<Item>(
        _ range: ClosedRange<Int>,
        of things: String,
        _ format: ConfigurationFormat<Item>
    ) -> ConfigurationFormat where Value == [Item] {
        let shape = "a list of \(range.lowerBound) to \(range.upperBound) \(things)"
        return ConfigurationFormat(
            shape: shape,
            read: { node, findings in
                guard let nodes = node.items(&findings) else { return nil }
                guard range.contains(nodes.count) else {
                    findings.report(
                        line: node.line,
                        "it has \(nodes.count) entries",
                        cure: "Give \(shape)"
                    )
                    return nil
                }
                let items = nodes.compactMap { format.read($0, &findings) }
                return items.count == nodes.count ? items : nil
            },
            write: { items in "[\(items.map(format.write).joined(separator: ", "))]" }
        )
    }

    /// A section with the given keys: in YAML, or the same as JSON in one text.
    static func section(
        of keys: [ConfigurationKey<Value>],
        startingWith start: Value,
        check: @escaping @Sendable (Value) -> ConfigurationMismatch?
    ) -> ConfigurationFormat {
        ConfigurationFormat(
            shape: "a section with \(keys.map(\.path).joined(separator: ", "))",
            read: { node, findings in
                let before = findings.problems.count
                let value = keys.read(node, startingWith: start, &findings)
                if let mismatch = check(value) {
                    findings.report(
                        line: node.line,
                        mismatch.problem,
                        cure: mismatch.cure ?? "Change one of them"
                    )
                }
                return findings.problems.count == before ? value : nil
            },
            write: { value in
                let texts = keys.map { "\($0.path): \($0.write(value))" }
                return "{\(texts.joined(separator: ", "))}"
            }
        )
    }

    /// A list of sections with the given keys: in YAML, or the same as JSON in one text.
    static func list<Item: Sendable & Equatable>(
        of keys: [ConfigurationKey<Item>],
        limit: Int,
        startingWith item: Item,
        check: @escaping @Sendable (Item) -> ConfigurationMismatch? = { _ in nil }
    ) -> ConfigurationFormat where Value == [Item] {
        ConfigurationFormat(
            shape: "a list of at most \(limit) sections; as JSON in the environment",
            read: { node, findings in
                guard let nodes = node.items(&findings) else { return nil }
                guard nodes.count <= limit else {
                    findings.report(
                        line: node.line,
                        "it has \(nodes.count) entries",
                        cure: "Give at most \(limit)"
                    )
                    return nil
                }
                let list = findings.key
                defer { findings.key = list }
                return nodes.enumerated().map { index, node in
                    findings.key = "\(list)[\(index)]"
                    let value = keys.read(node, startingWith: item, &findings)
                    if let mismatch = check(value) {
                        findings.report(
                            line: node.line,
                            mismatch.problem,
                            cure: mismatch.cure ?? "Change one of them"
                        )
                    }
                    return value
                }
            },
            write: { items in
                let texts = items.map { item in
                    keys.map { (name: $0.path, text: $0.write(item)) }
                        .filter { $0.text != Self.nothing }
                        .map { "\($0.name): \($0.text)" }.joined(separator: ", ")
                }
                return "[\(texts.map { "{\($0)}" }.joined(separator: ", "))]"
            }
        )
    }
}

extension ConfigurationNode {
    /// The entries of a list, which may also come as one text: YAML flow style, JSON, or with commas.
    fileprivate func items(_ findings: inout ConfigurationFindings) -> [ConfigurationNode]? {
        switch content {
        case .nothing:
            return []
        case .list(let items):
            return items
        case .text(let text) where text.drop(while: \.isWhitespace).first == "[":
            do throws(ConfigurationSyntaxError) {
                return try ConfigurationNode(yaml: text).items(&findings)
            } catch {
                findings.report(
                    line: line,
                    "it cannot be read as a list: \(error.problem)",
                    cure: "Write it as JSON, [{\"name\": \"value\"}]"
                )
                return nil
            }
        case .text(let text):
            return text.split(separator: ",").map { item in
                ConfigurationNode(.text(item.trimmingWhitespace), line: line)
            }
        case .mapping:
            findings.report(
                line: line,
                "it takes a list, not a section",
                cure: "Begin each entry with a dash"
            )
            return nil
        }
    }
}

extension Substring {
    fileprivate var trimmingWhitespace: String {
        let start = drop(while: \.isWhitespace)
        let end = start.lastIndex { !$0.isWhitespace }
        return end.map { String(start[...$0]) } ?? ""
    }
}

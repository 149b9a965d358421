/// One thing an operator can set in a `Root`: what it is called, what it means, how it is written.
package struct ConfigurationKey<Root: Sendable>: Sendable {
    /// How a new value takes effect.
    package enum Change: Sendable {
        /// On SIGHUP, or when the file changes.
        case reload
        case restart
    }

    /// `server.https_port`; within a list's entry, the name alone.
    package let path: String
    /// One or two sentences for the example file.
    package let summary: String
    package let shape: String
    package let isSecret: Bool
    package let isRequired: Bool
    package let change: Change
    /// A value that shows the way it is written, where the default does not.
    package let example: String?

    /// Sets the property, or reports why it cannot.
    let read: @Sendable (ConfigurationNode, inout Root, inout ConfigurationFindings) -> Void
    let write: @Sendable (Root) -> String
    /// Copies the property from the first to the second, and says whether they differed.
    let copy: @Sendable (Root, inout Root) -> Bool

    init<Value: Sendable & Equatable>(
        _ path: String,
        _ property: any WritableKeyPath<Root, Value> & Sendable,
        _ format: ConfigurationFormat<Value>,
        _ summary: String,
        change: Change = .restart,
        isSecret: Bool = false,
        isRequired: Bool = false,
        example: String? = nil
    ) {
        self.path = path
        self.summary = summary
        self.change = change
        self.isSecret = isSecret
        self.isRequired = isRequired
        self.example = example
        shape = format.shape
        read = { node, root, findings in
            guard let value = format.read(node, &findings) else { return }
            root[keyPath: property] = value
        }
        write = { root in format.write(root[keyPath: property]) }
        copy = { source, target in
            let isDifferent = source[keyPath: property] != target[keyPath: property]
            target[keyPath: property] = source[keyPath: property]
            return isDifferent
        }
    }

    /// The variable that sets it, as in `MIRROR_SERVER_HTTPS_PORT`.
    package var environmentName: String {
        "MIRROR_" + path.uppercased().replacing(".", with: "_")
    }
}

extension Sequence {
    /// Reads one section of a list with these keys: unknown and missing ones are reported.
    func read<Root>(
        _ node: ConfigurationNode,
        startingWith start: Root,
        _ findings: inout ConfigurationFindings
    ) -> Root where Element == ConfigurationKey<Root> {
        var root = start
        guard case .mapping(let entries) = node.content else {
            findings.report(
                line: node.line,
                "it takes a section of keys, not a value",
                cure: "Give it the keys \(map(\.path).joined(separator: ", "))"
            )
            return root
        }
        let place = findings.key
        defer { findings.key = place }
        for entry in entries {
            findings.key = "\(place).\(entry.name)"
            if let key = first(where: { $0.path == entry.name }) {
                guard entry.value.content != .nothing else { continue }
                key.read(entry.value, &root, &findings)
            } else {
                findings.report(
                    line: entry.line,
                    "unknown key",
                    cure: UnknownKey.cure(for: entry.name, among: map(\.path))
                )
            }
        }
        findings.key = place
        for key in self where key.isRequired {
            let isThere = entries.contains { $0.name == key.path && $0.value.content != .nothing }
            guard !isThere else { continue }
            findings.report(line: node.line, "\(key.path) is missing", cure: "Give \(key.shape)")
        }
        return root
    }
}

/// How one kind of value is written: its shape in words, and the way from text and back.
package struct ConfigurationFormat<Value: Sendable>: Sendable {
    /// "a port, 0 to 65535": what an error asks for and the example file explains.
    let shape: String
    /// Reports what is wrong and returns `nil` when the node is no such value.
    let read: @Sendable (ConfigurationNode, inout ConfigurationFindings) -> Value?
    /// YAML on one line, of which `read` makes the same value; secrets come out as `***`.
    let write: @Sendable (Value) -> String

    /// How a property that is left open is written.
    static var nothing: String { "\"\"" }

    init(
        shape: String,
        read: @escaping @Sendable (ConfigurationNode, inout ConfigurationFindings) -> Value?,
        write: @escaping @Sendable (Value) -> String
    ) {
        self.shape = shape
        self.read = read
        self.write = write
    }

    /// A format of one text.
    ///
    /// - Parameters:
    ///   - shape: What an error asks for.
    ///   - isSecret: Errors do not repeat the text.
    ///   - parse: Throws what is wrong with the text.
    ///   - write: The inverse of `parse`.
    init(
        shape: String,
        isSecret: Bool = false,
        parse: @escaping @Sendable (String) throws(ConfigurationMismatch) -> Value,
        write: @escaping @Sendable (Value) -> String
    ) {
        self.init(
            shape: shape,
            read: { node, findings in
                guard case .text(let text) = node.content else {
                    findings.report(
                        line: node.line,
                        "it takes one value, not a list or a section",
                        cure: "Give \(shape)"
                    )
                    return nil
                }
                do throws(ConfigurationMismatch) {
                    return try parse(text)
                } catch {
                    findings.report(
                        line: node.line,
                        isSecret ? "the value \(error.problem)" : "\(text.quoted) \(error.problem)",
                        cure: error.cure ?? "Give \(shape)"
                    )
                    return nil
                }
            },
            write: write
        )
    }

    /// The same, for a property that may be left open.
    var optional: ConfigurationFormat<Value?> {
        ConfigurationFormat<Value?>(
            shape: shape,
            read: { node, findings in read(node, &findings) },
            write: { value in value.map(write) ?? Self.nothing }
        )
    }
}

/// What is wrong with a text, completing "the value …", and the cure where the shape does not say it.
package struct ConfigurationMismatch: Error, Sendable {
    var problem: String
    var cure: String?

    init(_ problem: String, cure: String? = nil) {
        self.problem = problem
        self.cure = cure
    }
}

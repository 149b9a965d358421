/// A value as it was written: text, a list, or a mapping of names to values.
///
/// Numbers and booleans are text here; the key's format gives them their meaning.
package struct ConfigurationNode: Sendable, Equatable {
    package indirect enum Content: Sendable, Equatable {
        /// Nothing after the colon, `~` or `null`: as if the key were not there.
        case nothing
        case text(String)
        case list([ConfigurationNode])
        case mapping([Entry])
    }

    package struct Entry: Sendable, Equatable {
        package var name: String
        package var line: Int?
        package var value: ConfigurationNode
    }

    package var content: Content
    /// Of the file, from 1; `nil` for a value that came by environment or flag.
    package var line: Int?

    package init(_ content: Content, line: Int? = nil) {
        self.content = content
        self.line = line
    }

    /// The same value on one line, every text quoted: YAML flow style, and JSON.
    var flowText: String {
        switch content {
        case .nothing: "null"
        case .text(let text): text.quoted
        case .list(let items): "[\(items.map(\.flowText).joined(separator: ", "))]"
        case .mapping(let entries):
            "{\(entries.map { "\($0.name.quoted): \($0.value.flowText)" }.joined(separator: ", "))}"
        }
    }
}

extension String {
    /// A double-quoted YAML scalar, which is a JSON string too.
    var quoted: String {
        var result = "\""
        for scalar in unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}

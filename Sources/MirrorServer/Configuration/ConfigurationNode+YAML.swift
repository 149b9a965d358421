import Yams

/// Why a text is not YAML that Mirror can read.
package struct ConfigurationSyntaxError: Error, Sendable {
    package var line: Int?
    package var problem: String
}

extension ConfigurationNode {
    /// Reads one YAML document; JSON is YAML too.
    ///
    /// - Returns: `nothing` for a text with no document in it, such as comments alone.
    package init(yaml text: String) throws(ConfigurationSyntaxError) {
        do {
            let root = try Parser(yaml: text).singleRoot()
            self = try root.map(Self.make) ?? ConfigurationNode(.nothing)
        } catch let error as ConfigurationSyntaxError {
            throw error
        } catch let error as YamlError {
            throw ConfigurationSyntaxError(error)
        } catch {
            throw ConfigurationSyntaxError(problem: "\(error)")
        }
    }

    private static func make(_ node: Node) throws -> ConfigurationNode {
        let line = node.mark?.line
        switch node {
        case .scalar(let scalar):
            let isNull =
                scalar.style == .plain && ["", "~", "null", "Null", "NULL"].contains(scalar.string)
            return ConfigurationNode(isNull ? .nothing : .text(scalar.string), line: line)
        case .sequence(let items):
            return ConfigurationNode(.list(try items.map(make)), line: line)
        case .mapping(let mapping):
            let entries = try mapping.map { name, value in
                guard case .scalar(let scalar) = name else {
                    throw ConfigurationSyntaxError(line: line, problem: "a key is not plain text")
                }
                return Entry(name: scalar.string, line: scalar.mark?.line, value: try make(value))
            }
            return ConfigurationNode(.mapping(entries), line: line)
        case .alias:
            throw ConfigurationSyntaxError(line: line, problem: "an alias has no anchor before it")
        }
    }
}

extension ConfigurationSyntaxError {
    fileprivate init(_ error: YamlError) {
        switch error {
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
            .composer(_, let problem, let mark, _):
            self.init(line: mark.line, problem: problem)
        case .duplicatedKeysInMapping(let names, let context):
            self.init(
                line: context.mark.line,
                problem: "\(names.sorted().joined(separator: ", ")) is written twice in one section"
            )
        case .reader(let problem, _, _, _):
            self.init(problem: problem)
        default:
            self.init(problem: "\(error)")
        }
    }
}

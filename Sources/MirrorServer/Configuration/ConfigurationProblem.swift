/// Which layer a value came from.
package enum ConfigurationOrigin: Sendable, Hashable, CustomStringConvertible {
    case builtIn
    case file(String)
    /// The variable's name.
    case environment(String)
    /// The flag as it was spelled: `--https-port`, or `--set`.
    case flag(String)

    package var description: String {
        switch self {
        case .builtIn: "default"
        case .file(let path): path
        case .environment(let name): "environment \(name)"
        case .flag(let spelling): "flag \(spelling)"
        }
    }
}

/// One thing wrong with the configuration: where, what, and how to mend it.
package struct ConfigurationProblem: Sendable, Hashable, CustomStringConvertible {
    package var origin: ConfigurationOrigin
    /// Of the file, from 1.
    package var line: Int?
    /// Empty when it is about the layer as a whole.
    package var key: String
    package var problem: String
    package var cure: String

    /// One line.
    ///
    /// As in `mirror.yaml:12: server.https_port: "70000" is out of range. Give a port, 0 to 65535.`
    package var description: String {
        let place = line.map { "\(origin):\($0)" } ?? "\(origin)"
        let subject = key.isEmpty ? "" : "\(key): "
        return "\(place): \(subject)\(problem). \(cure)\(cure.hasSuffix("?") ? "" : ".")"
    }
}

/// A configuration that cannot be used, with everything that is wrong with it.
package struct ConfigurationError: Error, CustomStringConvertible {
    package let problems: [ConfigurationProblem]

    package var description: String {
        problems.map(\.description).joined(separator: "\n")
    }
}

/// Collects problems while values are read, and knows where the reader stands.
package struct ConfigurationFindings {
    package private(set) var problems: [ConfigurationProblem] = []
    var origin = ConfigurationOrigin.builtIn
    /// `server.https_port`, `streams[1].match`.
    var key = ""

    mutating func report(line: Int? = nil, _ problem: String, cure: String) {
        problems.append(
            ConfigurationProblem(
                origin: origin,
                line: line,
                key: key,
                problem: problem,
                cure: cure
            )
        )
    }
}

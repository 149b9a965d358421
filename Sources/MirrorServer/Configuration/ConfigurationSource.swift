/// A value given on the command line.
package struct ConfigurationFlag: Sendable, Equatable {
    package var path: String
    package var text: String
    /// `--https-port`, or `--set`.
    package var spelling: String

    package init(path: String, text: String, spelling: String) {
        self.path = path
        self.text = text
        self.spelling = spelling
    }
}

/// The layers a configuration is read from, which can be read again.
///
/// Order: a flag wins over the environment, the environment over the file, the file over the defaults.
package struct ConfigurationSource: Sendable {
    /// Names the file where `--config` does not.
    package static let fileVariable = "MIRROR_CONFIG"

    package let file: String?
    private let environment: [String: String]
    private let flags: [ConfigurationFlag]

    package init(
        file: String? = nil,
        environment: [String: String] = [:],
        flags: [ConfigurationFlag] = []
    ) {
        self.file = file ?? environment[Self.fileVariable].flatMap { $0.isEmpty ? nil : $0 }
        self.environment = environment
        self.flags = flags
    }

    /// Reads every layer anew.
    ///
    /// - Throws: All that is wrong, in one error.
    package func load() throws(ConfigurationError) -> LoadedConfiguration {
        var findings = ConfigurationFindings()
        var layers = [
            ConfigurationLayer(flags: flags, &findings),
            ConfigurationLayer(environment: environment, &findings),
        ]
        if let file { layers.append(ConfigurationLayer(file: file, &findings)) }

        var loaded = LoadedConfiguration()
        for key in ConfigurationSchema.keys {
            let found = layers.lazy.compactMap { $0.node(for: key) }.first
            guard let (node, origin) = found else { continue }
            findings.origin = origin
            findings.key = key.path
            key.read(node, &loaded.configuration, &findings)
            loaded.places[key.path] = LoadedConfiguration.Place(origin: origin, line: node.line)
        }
        // Values that could not be read stand at their defaults: what they would add here misleads.
        if findings.problems.isEmpty { loaded.check(&findings) }
        guard findings.problems.isEmpty else {
            throw ConfigurationError(problems: findings.problems)
        }
        return loaded
    }

    /// Reads every layer anew, and tells what can change while Mirror runs from what cannot.
    ///
    /// - Throws: All that is wrong, in one error; `current` then goes on.
    package func reload(
        from current: ServerConfiguration
    ) throws(ConfigurationError) -> ConfigurationReload {
        let wanted = try load().configuration
        var reload = ConfigurationReload(configuration: current)
        for key in ConfigurationSchema.keys {
            switch key.change {
            case .reload:
                if key.copy(wanted, &reload.configuration) { reload.changed.append(key.path) }
            case .restart:
                var copy = current
                if key.copy(wanted, &copy) { reload.needsRestart.append(key.path) }
            }
        }
        return reload
    }
}

/// A configuration, and where each value that is not a default came from.
package struct LoadedConfiguration: Sendable {
    package struct Place: Sendable, Equatable {
        package var origin: ConfigurationOrigin
        package var line: Int?
    }

    package fileprivate(set) var configuration = ServerConfiguration()
    /// By key; keys at their defaults are not there.
    package fileprivate(set) var places: [String: Place] = [:]
}

/// What reading the configuration again has brought.
package struct ConfigurationReload: Sendable, Equatable {
    /// The one to go on with: keys that need a restart have kept their values.
    package var configuration: ServerConfiguration
    /// Keys that have a new value in it.
    package var changed: [String] = []
    /// Keys whose new value waits for a restart.
    package var needsRestart: [String] = []
}

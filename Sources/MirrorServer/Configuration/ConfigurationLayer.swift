import Configuration

/// One source of values, from which every key can be asked for as text.
struct ConfigurationLayer: Sendable {
    private let provider: any ConfigProvider
    private let origins: [String: ConfigurationOrigin]
    /// What text alone would lose: the lines of a file, and the entries of its lists.
    private let nodes: [String: ConfigurationNode]

    /// What this layer says about a key, and where it says so.
    func node(
        for key: ConfigurationKey<ServerConfiguration>
    ) -> (node: ConfigurationNode, origin: ConfigurationOrigin)? {
        let name = AbsoluteConfigKey(key.path.components)
        guard let value = try? provider.value(forKey: name, type: .string).value,
            case .string(let text) = value.content
        else { return nil }
        return (nodes[key.path] ?? ConfigurationNode(.text(text)), origins[key.path] ?? .builtIn)
    }

    init(
        provider: any ConfigProvider,
        origins: [String: ConfigurationOrigin],
        nodes: [String: ConfigurationNode] = [:]
    ) {
        self.provider = provider
        self.origins = origins
        self.nodes = nodes
    }

    init(_ values: [String: (node: ConfigurationNode, origin: ConfigurationOrigin)]) {
        let secrets = Set(ConfigurationSchema.keys.filter(\.isSecret).map(\.path))
        let texts = values.map { path, value in
            let text =
                if case .text(let text) = value.node.content { text } else { value.node.flowText }
            return (
                AbsoluteConfigKey(path.components),
                ConfigValue(.string(text), isSecret: secrets.contains(path))
            )
        }
        self.init(
            provider: InMemoryProvider(values: Dictionary(uniqueKeysWithValues: texts)),
            origins: values.mapValues(\.origin),
            nodes: values.mapValues(\.node)
        )
    }

    /// A later flag replaces an earlier one of the same key.
    init(flags: [ConfigurationFlag], _ findings: inout ConfigurationFindings) {
        let paths = ConfigurationSchema.keys.map(\.path)
        var values: [String: (ConfigurationNode, ConfigurationOrigin)] = [:]
        for flag in flags {
            findings.origin = .flag(flag.spelling)
            findings.key = flag.path
            guard paths.contains(flag.path) else {
                findings.reportUnknown(among: paths)
                continue
            }
            values[flag.path] = (ConfigurationNode(.text(flag.text)), findings.origin)
        }
        self.init(values)
    }
}

extension ConfigurationFindings {
    mutating func reportUnknown(line: Int? = nil, among paths: [String]) {
        report(line: line, "unknown key", cure: UnknownKey.cure(for: key, among: paths))
    }
}

extension String {
    fileprivate var components: [String] { split(separator: ".").map(String.init) }
}

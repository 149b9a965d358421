import Configuration

extension ConfigurationLayer {
    /// Names of this prefix are Mirror's; those that are no key are reported.
    ///
    /// `MIRROR_CONFIG` names the file. The variables that Kubernetes sets for services whose names
    /// begin with `mirror` are left alone.
    init(environment: [String: String], _ findings: inout ConfigurationFindings) {
        let keys = ConfigurationSchema.keys
        let known = Dictionary(uniqueKeysWithValues: keys.map { ($0.environmentName, $0.path) })
        let ours = environment.filter { name, value in
            name.hasPrefix("MIRROR_") && name != ConfigurationSource.fileVariable
                && !Self.isServiceLink(name: name, value: value)
        }
        for name in ours.keys.sorted() where known[name] == nil {
            findings.origin = .environment(name)
            findings.key = ""
            findings.report(
                "unknown variable",
                cure: UnknownKey.cure(for: name, among: keys.map(\.environmentName))
            )
        }
        self.init(
            provider: EnvironmentVariablesProvider(environmentVariables: ours)
                .prefixKeys(with: ConfigKey(["mirror"])),
            origins: Dictionary(
                uniqueKeysWithValues: known.map { ($0.value, .environment($0.key)) }
            )
        )
    }

    private static func isServiceLink(name: String, value: String) -> Bool {
        name.hasSuffix("_SERVICE_HOST") || name.contains("_SERVICE_PORT")
            || name.contains("_PORT_") && name.contains(/_PORT_[0-9]+_(TCP|UDP|SCTP)/)
            || name.hasSuffix("_PORT") && value.contains(/^(tcp|udp|sctp):\/\//)
    }
}

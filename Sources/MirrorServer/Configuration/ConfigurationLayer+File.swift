import Foundation

extension ConfigurationLayer {
    /// The bytes of a configuration that a person writes; more is some other file.
    private static let fileLimit = 1 << 20

    init(file: String, _ findings: inout ConfigurationFindings) {
        findings.origin = .file(file)
        findings.key = ""
        var values: [String: (ConfigurationNode, ConfigurationOrigin)] = [:]
        if let root = Self.load(file, &findings) {
            Self.collect(root, under: "", into: &values, &findings)
        }
        self.init(values)
    }

    private static func load(
        _ file: String,
        _ findings: inout ConfigurationFindings
    ) -> ConfigurationNode? {
        let text: String
        do {
            let data = try Data(contentsOf: URL(filePath: file))
            guard data.count <= fileLimit, let decoded = String(bytes: data, encoding: .utf8) else {
                findings.report(
                    "it is no configuration: it is not UTF-8, or longer than 1 MiB",
                    cure: "Begin with the output of `mirror config example`"
                )
                return nil
            }
            text = decoded
        } catch {
            let reason =
                switch (error as? CocoaError)?.code {
                case .fileReadNoSuchFile: "there is no such file"
                case .fileReadNoPermission: "permission denied"
                default: "\(error)"
                }
            findings.report(
                "it cannot be read: \(reason)",
                cure: "Give --config a YAML file, or leave it out to run on the defaults"
            )
            return nil
        }
        do throws(ConfigurationSyntaxError) {
            return try ConfigurationNode(yaml: text)
        } catch {
            findings.report(
                line: error.line,
                "it is no YAML: \(error.problem)",
                cure: "Mend the line"
            )
            return nil
        }
    }

    /// Finds the keys in a section, and in the sections within it.
    private static func collect(
        _ node: ConfigurationNode,
        under section: String,
        into values: inout [String: (ConfigurationNode, ConfigurationOrigin)],
        _ findings: inout ConfigurationFindings
    ) {
        let paths = ConfigurationSchema.keys.map(\.path)
        findings.key = section
        switch node.content {
        case .nothing:
            return
        case .text, .list:
            findings.report(
                line: node.line,
                section.isEmpty ? "it is no mapping of keys" : "it is a section, not a value",
                cure: section.isEmpty
                    ? "Begin with the output of `mirror config example`"
                    : "Put its keys below it, indented"
            )
        case .mapping(let entries):
            for entry in entries {
                let path = section.isEmpty ? entry.name : "\(section).\(entry.name)"
                findings.key = path
                if paths.contains(path) {
                    if values[path] != nil {
                        findings.report(line: entry.line, "it is given twice", cure: "Keep one")
                    }
                    guard entry.value.content != .nothing else { continue }
                    values[path] = (entry.value, findings.origin)
                } else if paths.contains(where: { $0.hasPrefix("\(path).") }) {
                    collect(entry.value, under: path, into: &values, &findings)
                } else {
                    findings.reportUnknown(line: entry.line, among: paths)
                }
            }
        }
    }
}

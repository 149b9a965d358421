/// The configuration as text, for people.
package enum ConfigurationReport {
    /// The effective values and where each came from, one a line; secrets are `***`.
    package static func values(of loaded: LoadedConfiguration) -> String {
        let rows = ConfigurationSchema.keys.map { key in
            let place = loaded.places[key.path]
            let line = place?.line.map { ":\($0)" } ?? ""
            return (
                value: "\(key.path): \(key.write(loaded.configuration))",
                origin: "\(place?.origin ?? .builtIn)\(line)"
            )
        }
        let width = rows.map(\.value.count).filter { $0 <= 60 }.max() ?? 0
        return rows.map { row in
            let padding = String(repeating: " ", count: max(0, width - row.value.count))
            return "\(row.value)\(padding)  # \(row.origin)\n"
        }.joined()
    }

    /// A file with every key at its default and what it means.
    package static func example() -> String {
        var text = """
            # Every key of Mirror \(MirrorVersion.number), at its default. Take out what you do not change.
            #
            # A flag (--set server.https_port=9443) wins over the environment (MIRROR_SERVER_HTTPS_PORT),
            # the environment over this file, and this file over the defaults.
            # Keys marked (live) change without a restart: on SIGHUP, or when this file changes.

            """
        var open: [Substring] = []
        for key in ConfigurationSchema.keys {
            let path = key.path.split(separator: ".")
            let sections = path.dropLast()
            let isOpen = open.starts(with: sections)
            if !isOpen || sections.isEmpty { text += "\n" }
            if !isOpen { text += headings(of: Array(sections), after: open) }
            open = Array(sections)
            let indent = String(repeating: "  ", count: sections.count)
            text += comment(of: key, indent: indent)
            text += "\(indent)\(path.last ?? ""): \(key.write(ServerConfiguration()))\n"
            switch key.path {
            case "streams": text += item(ConfigurationSchema.streamRule, indent: indent)
            case "ingestion.srt.callers":
                text += item(ConfigurationSchema.srtCaller, indent: indent)
            case "ingestion.rtp.sessions":
                text += item(ConfigurationSchema.rtpSession, indent: indent)
            default: break
            }
        }
        return text
    }

    /// One entry of a list with every key in it, each line behind `# `.
    package static func item<Root>(_ keys: [ConfigurationKey<Root>], indent: String) -> String {
        keys.enumerated().map { index, key in
            """
            \(indent)# \(index == 0 ? "  #" : "    #") \(key.summary)
            \(indent)# \(index == 0 ? "  - " : "    ")\(key.path): \(key.example ?? "")

            """
        }.joined()
    }

    private static func headings(of sections: [Substring], after open: [Substring]) -> String {
        let shared = zip(sections, open).prefix { $0 == $1 }.count
        return (shared..<sections.count).map { depth in
            let indent = String(repeating: "  ", count: depth)
            let path = sections[...depth].joined(separator: ".")
            return """
                \(indent)# \(ConfigurationSchema.sections[path] ?? "")
                \(indent)\(sections[depth]):

                """
        }.joined()
    }

    private static func comment(
        of key: ConfigurationKey<ServerConfiguration>,
        indent: String
    ) -> String {
        let live = key.change == .reload ? " (live)" : ""
        return """
            \(indent)# \(key.summary)
            \(indent)# \(key.shape.capitalizedFirst). \(key.environmentName)\(live)

            """
    }
}

extension String {
    fileprivate var capitalizedFirst: String { prefix(1).uppercased() + dropFirst() }
}

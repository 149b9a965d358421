package import ArgumentParser
import Foundation

/// The flags that say what to configure, the same for every command that reads the configuration.
package struct ConfigurationOptions: ParsableArguments {
    @Option(help: "YAML file to read. `mirror config example` prints one.")
    package var config: String?

    @Option(
        name: .customLong("set"),
        help: ArgumentHelp("Sets any key, as in server.https_port=9443.", valueName: "key=value")
    )
    package var assignments: [String] = []

    @Option(help: "Sets server.https_port.")
    package var httpsPort: String?

    @Option(help: "Sets server.http_port.")
    package var httpPort: String?

    @Option(help: "Sets ingestion.srt.port.")
    package var srtPort: String?

    @Option(help: "Sets logging.level.")
    package var logLevel: String?

    package init() {}

    package mutating func validate() throws {
        guard assignments.allSatisfy({ $0.contains("=") }) else {
            // The text may be a secret that was meant for another flag: it is not repeated.
            throw ValidationError("--set takes a key and a value, as in server.https_port=9443.")
        }
    }

    /// `--set` in the order given; then the flags of single keys, which win.
    package var flags: [ConfigurationFlag] {
        let assigned = assignments.map { text in
            let halves = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            return ConfigurationFlag(
                path: String(halves[0]),
                text: halves.count > 1 ? String(halves[1]) : "",
                spelling: "--set"
            )
        }
        let named = [
            ("server.https_port", httpsPort, "--https-port"),
            ("server.http_port", httpPort, "--http-port"),
            ("ingestion.srt.port", srtPort, "--srt-port"),
            ("logging.level", logLevel, "--log-level"),
        ]
        return assigned
            + named.compactMap { path, text, spelling in
                text.map { ConfigurationFlag(path: path, text: $0, spelling: spelling) }
            }
    }

    package func source(
        environment: [String: String] = ProcessInfo.processInfo.environment
    ) -> ConfigurationSource {
        ConfigurationSource(file: config, environment: environment, flags: flags)
    }
}

extension ConfigurationSource {
    /// Reads the configuration for a command; what is wrong goes to standard error.
    ///
    /// - Throws: `ExitCode` 78, the "configuration error" of sysexits.h.
    func loadOrExit() throws -> LoadedConfiguration {
        do {
            return try load()
        } catch {
            FileHandle.standardError.write(Data("\(error)\n".utf8))
            throw ExitCode(78)
        }
    }
}

import ArgumentParser

/// `mirror config`: looks at the configuration without running anything.
struct ConfigCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config",
        abstract: "Checks, prints and explains the configuration.",
        subcommands: [Check.self, Print.self, Example.self]
    )

    struct Check: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Says what is wrong with the configuration, all at once."
        )

        @OptionGroup var options: ConfigurationOptions

        func run() throws {
            let loaded = try options.source().loadOrExit()
            print("The configuration is good: \(loaded.places.count) keys set, the others default.")
        }
    }

    struct Print: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Prints every value and where it came from. Secrets are left out."
        )

        @OptionGroup var options: ConfigurationOptions

        func run() throws {
            let loaded = try options.source().loadOrExit()
            print(ConfigurationReport.values(of: loaded), terminator: "")
        }
    }

    struct Example: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Prints a file with every key, its meaning and its default."
        )

        func run() {
            print(ConfigurationReport.example(), terminator: "")
        }
    }
}

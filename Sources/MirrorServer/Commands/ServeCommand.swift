import ArgumentParser

/// `mirror serve`: runs the server until it is told to stop.
struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Runs the server."
    )

    @OptionGroup var options: ConfigurationOptions

    func run() async throws {
        let source = options.source()
        let loaded = try source.loadOrExit()
        try await ServerProcess.run(loaded.configuration, source: source)
    }
}

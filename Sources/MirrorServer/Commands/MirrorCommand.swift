package import ArgumentParser

/// The `mirror` command line.
@main
package struct MirrorCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "mirror",
        abstract: "Takes live video in over SRT and gives it out as Low-Latency HLS.",
        version: MirrorVersion.number,
        subcommands: [
            ServeCommand.self, CertsCommand.self, ConfigCommand.self, VersionCommand.self,
        ]
    )

    package init() {}
}

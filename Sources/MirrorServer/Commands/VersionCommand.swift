import ArgumentParser

/// `mirror version`: prints the version.
struct VersionCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "version",
        abstract: "Prints the version."
    )

    func run() {
        print("mirror \(MirrorVersion.number)")
    }
}

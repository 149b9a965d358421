import ArgumentParser

/// Measures Mirror on the machine at hand; docs/performance.md quotes what it prints.
///
/// CPU is what the kernel charged (`getrusage`, `/proc/PID/stat`), so another process on the machine
/// changes it little; comparisons are ratios within one run.
@main
struct MirrorBenchmarks: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mirror-benchmarks",
        abstract: "Measures Mirror on this machine.",
        subcommands: [
            PackagingThroughput.self, IngestCost.self, RTPCost.self, RTPLoad.self, StartUp.self,
            ReleaseLag.self,
            GlassToGlass.self, HTTP3Delivery.self, HTTP3Soak.self, LossyNetwork.self,
            LadderCost.self, LadderStarts.self,
        ]
    )
}

/// A figure as it goes into the table of docs/performance.md.
struct Figure {
    let name: String
    let value: String
    let target: String

    func report() {
        print("| \(name) | \(value) | \(target) |")
    }
}

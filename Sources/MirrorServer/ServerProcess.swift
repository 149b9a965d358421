import Distribution
import Ingestion
import Logging
import Management
import Media
import Packaging
import ServiceLifecycle
import UnixSignals

/// Builds the stages, connects them and runs them until the process is told to stop.
enum ServerProcess {
    /// - Throws: What keeps the server from starting, in words.
    static func run(
        _ configuration: ServerConfiguration,
        source: ConfigurationSource
    ) async throws {
        let threshold = LineLogHandler.Threshold(configuration.logging.level)
        let logger = Logger(label: "mirror") { _ in
            LineLogHandler(format: configuration.logging.format, threshold: threshold)
        }
        let credentials = try TLSCredentials(DistributionConfiguration(configuration))
        let services = configuration.listeningServices
        let readiness = Readiness(services: services, logger: logger)
        warnOfFewOpenFiles(configuration, logger)

        // Streams: what is on air, and the packaging of each.
        let directory = StreamDirectory()
        let slates = SlateLibrary(logger: logger)
        let thumbnails = ThumbnailWorkshop(configuration.thumbnails)
        let devices = DeviceSearch(configuration.transcoding, logger: logger)
        let (started, starts) = AsyncStream.makeStream(of: StreamPipeline.self)
        let registry = StreamRegistry(
            rules: try StreamRules(configuration).withSlatesChecked(),
            packaging: configuration.packaging,
            directory: directory,
            logger: logger,
            now: { .now },
            onStart: { starts.yield($0) },
            makeSlate: { slates.make($0) },
            thumbnails: thumbnails.shared,
            devices: devices.scheduler
        )
        let supervisor = StreamSupervisor(
            registry: registry,
            directory: directory,
            started: started
        )

        // Contributions.
        let contributions = try Contributions(configuration, admission: registry, logger: logger)

        // Viewers and operators.
        let traffic = DistributionStatistics()
        let management = ManagementSource(
            registry: registry,
            contributions: contributions,
            traffic: traffic,
            readiness: readiness,
            devices: devices.scheduler
        )
        let doors = FrontDoors(
            configuration,
            credentials: credentials,
            directory: directory,
            traffic: traffic,
            management: management,
            readiness: readiness,
            logger: logger
        )

        let reloader = Reloader(
            configuration: configuration,
            source: source,
            registry: registry,
            thumbnails: thumbnails,
            credentials: credentials,
            threshold: threshold,
            logger: logger
        )
        let watcher = ConfigurationWatcher(
            files: { reloader.files },
            onChange: { trigger in reloader.reload(trigger) }
        )

        try await contributions.start { service, port in
            let address =
                service == "srt" ? configuration.srt.bindAddress : configuration.rtp.bindAddress
            readiness.opened(service, address: address, port: port)
        }
        // Stopped in the reverse order: publishers first, viewers once they have what there is.
        var group = ServiceGroupConfiguration(
            services: [HeapTrimmer(), devices, slates, thumbnails, supervisor] + doors.services
                + contributions.services + [watcher, readiness],
            gracefulShutdownSignals: [.sigterm, .sigint],
            logger: Logger(label: "mirror.services") { _ in
                LineLogHandler(format: configuration.logging.format, threshold: .init(.error))
            }
        )
        // A peer that never takes its last bytes must not keep the process.
        group.maximumGracefulShutdownDuration = .seconds(20)
        try await ServiceGroup(configuration: group).run()
    }

    private static func warnOfFewOpenFiles(_ configuration: ServerConfiguration, _ logger: Logger) {
        // Beside viewers and publishers: files, and what event loops hold.
        let wanted = configuration.server.maxConnections + configuration.srt.maxConnections + 100
        guard let limit = OpenFileLimit.raise(), limit < wanted else { return }
        logger.warning(
            "fewer files may be open than viewers and publishers are let in",
            metadata: [
                "limit": "\(limit)",
                "wanted": "\(wanted)",
                "cure": "raise LimitNOFILE (ulimit -n), or lower server.max_connections",
            ]
        )
    }
}

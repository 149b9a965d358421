import Distribution
import Logging
import Synchronization

/// Takes over what can change while Mirror runs: certificates, stream rules, slates, thumbnails, the log
/// level.
///
/// A configuration or certificate that cannot be used changes nothing, and the log says why.
final class Reloader: Sendable {
    private let configuration: Mutex<ServerConfiguration>
    private let source: ConfigurationSource
    private let registry: StreamRegistry
    private let thumbnails: ThumbnailWorkshop
    private let credentials: TLSCredentials
    private let threshold: LineLogHandler.Threshold
    private let logger: Logger

    init(
        configuration: ServerConfiguration,
        source: ConfigurationSource,
        registry: StreamRegistry,
        thumbnails: ThumbnailWorkshop,
        credentials: TLSCredentials,
        threshold: LineLogHandler.Threshold,
        logger: Logger
    ) {
        self.configuration = Mutex(configuration)
        self.source = source
        self.registry = registry
        self.thumbnails = thumbnails
        self.credentials = credentials
        self.threshold = threshold
        self.logger = logger
    }

    /// The files whose change should be noticed.
    var files: [String] {
        let slates = StreamRules(configuration.withLock { $0 }).slateFiles
        return [source.file, credentials.certificatePath, credentials.keyPath].compactMap(\.self)
            + slates
    }

    func reload(_ trigger: ConfigurationWatcher.Trigger) {
        reloadConfiguration(trigger)
        do throws(TLSCredentialsError) {
            try credentials.reload()
        } catch {
            logger.error("certificate kept as it was", metadata: ["reason": "\(error)"])
        }
    }

    private func reloadConfiguration(_ trigger: ConfigurationWatcher.Trigger) {
        do {
            let reload = try source.reload(from: configuration.withLock { $0 })
            let rules = try StreamRules(reload.configuration).withSlatesChecked()
            configuration.withLock { $0 = reload.configuration }
            registry.update(rules: rules)
            thumbnails.update(reload.configuration.thumbnails)
            threshold.value = reload.configuration.logging.level
            logger.notice(
                "configuration reloaded",
                metadata: [
                    "trigger": "\(trigger.rawValue)",
                    "changed": "\(reload.changed.joined(separator: ", "))",
                    "needs_restart": "\(reload.needsRestart.joined(separator: ", "))",
                ]
            )
        } catch {
            logger.error("configuration kept as it was", metadata: ["reason": "\(error)"])
        }
    }
}
